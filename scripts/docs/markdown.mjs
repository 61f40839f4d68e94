/** Pieces of Markdown. */

/** The first lines of a page. @param {string} title */
export const heading = (title) =>
  `# ${title}\n\n<!-- Written by \`npm run docs\`: change the sources, not this page. -->\n\n`;

/**
 * @param {readonly string[]} titles
 * @param {readonly (readonly string[])[]} rows
 */
export function table(titles, rows) {
  const line = (/** @type {readonly string[]} */ cells) => `| ${cells.map(cell).join(' | ')} |`;
  return `${[line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')}\n`;
}

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');

/** @param {string} text */
export const code = (text) => `\`${text}\``;

/** @param {string} text @param {string} [language] */
export const block = (text, language = 'sh') => `\`\`\`${language}\n${text}\n\`\`\`\n`;

/** @param {string} text a sentence of a help text */
export const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);
