/** The results of the suite as a markdown table. */

const COLUMNS = [
  'row',
  'torchts, ms',
  'PyTorch, ms',
  'of',
  'ratio',
  'target',
  'floor, ms',
  'peak RSS, MiB',
];

/**
 * @typedef {object} Side
 * @property {number} median milliseconds
 * @property {number} minimum
 * @property {number} rss_bytes
 *
 * @typedef {object} Result
 * @property {string} name
 * @property {string} target
 * @property {Side} torchts
 * @property {(Side & { variant: string }) | undefined} torch the fastest variant
 * @property {number | undefined} floor milliseconds
 */

/** @param {readonly Result[]} results */
export function markdown(results) {
  const lines = [COLUMNS, COLUMNS.map(() => '---'), ...results.map(cells)];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

function cells({ name, target, torchts, torch, floor }) {
  const times = (side) => `${number(side.median)} / ${number(side.minimum)}`;
  const memory = (side) => (side === undefined ? '-' : Math.round(side.rss_bytes / 2 ** 20));
  return [
    `\`${name}\``,
    times(torchts),
    torch === undefined ? '-' : times(torch),
    torch?.variant ?? '-',
    torch === undefined ? '-' : (torch.median / torchts.median).toFixed(2),
    target,
    floor === undefined ? '-' : number(floor),
    `${memory(torchts)} / ${memory(torch)}`,
  ];
}

function number(value) {
  return value < 10 ? value.toFixed(3) : value.toFixed(1);
}
