import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const pagesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join(folder, name));
const pages = ['README.md', 'CONTRIBUTING.md', ...pagesIn('docs')];

/** The places in this project that a page links to, with the part after #. */
function linksOf(page: string): [file: string, anchor: string][] {
  const prose = readFileSync(page, 'utf8').replaceAll(/^```.*?^```$|`[^`\n]*`/gms, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor = ''] = target.split('#');
      return [file === '' ? page : path.join(path.dirname(page), file), anchor];
    });
}

/** The anchors of a page's headings. */
function anchorsOf(page: string): string[] {
  const headings = readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, title]) =>
    title!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe.each(pages)('%s', (page) => {
  it('links to what is there', () => {
    const missing = linksOf(page).filter(
      ([file, anchor]) => !existsSync(file) || (anchor !== '' && !anchorsOf(file).includes(anchor)),
    );
    expect(missing).toEqual([]);
  });
});

it('docs/README.md leads to every page of docs', () => {
  const linked = new Set(linksOf('docs/README.md').map(([file]) => file));
  const folders = ['docs/commands', 'docs/config'];
  const own = pagesIn('docs').filter((page) => !folders.some((folder) => page.startsWith(folder)));
  expect(own.filter((page) => page !== 'docs/README.md' && !linked.has(page))).toEqual([]);
});
