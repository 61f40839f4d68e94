/** docs/coverage.md: every public name of PyTorch's vocabulary, ours or missing. */

import { readFileSync } from 'node:fs';
import { MISSES } from './misses.ts';
import { findClass, findFunction } from './names.ts';

/** How the samples of one name came out. */
export interface Score {
  readonly exists: boolean;
  readonly samples: number;
  readonly same: number;
  /** The worst of those that are the same, relative to 1 + |value|. */
  readonly error: number;
  readonly gradientError: number;
  readonly faults: readonly string[];
}

/** What make_names.py lists: names by area, and those left out by the reason. */
interface Names {
  readonly areas: Readonly<Record<string, readonly string[]>>;
  readonly out_of_scope: Readonly<Record<string, readonly string[]>>;
}

const NAMES = new URL('../fixtures/torch/names.json', import.meta.url);
/** Areas whose names are used without one. */
const TOP_LEVEL = ['torch', 'autograd'];

const HEAD = `# Coverage of PyTorch's vocabulary

Written by \`npm run coverage\`, which needs Python with PyTorch; do not edit. For each public name of
PyTorch: whether it is here, how many of the samples that PyTorch's own tests consist of (their error
samples included) come out the same, and the worst error of these, of outputs and of gradients, relative to
1 + |value|. A sample is the same when outputs are within 1e-5 and gradients within 1e-4, or within 20 times
PyTorch's own distance between float32 and float64 where that is more. A dash: PyTorch's lists have no sample.
`;

export function coveragePage(scores: ReadonlyMap<string, Score>): string {
  const { areas, out_of_scope } = JSON.parse(readFileSync(NAMES, 'utf8')) as Names;
  const parts = Object.entries(areas).map(([area, names]) => areaTable(area, names, scores));
  const tested = [...scores.values()].filter(({ exists }) => exists);
  const whole = tested.filter(({ faults }) => faults.length === 0).length;
  const summary = `${scores.size} names have samples; ${tested.length} are here, ${whole} of them without a fault.\n`;
  return [HEAD, summary, ...parts, misses(), leftOut(out_of_scope)].join('\n');
}

function areaTable(area: string, names: readonly string[], scores: ReadonlyMap<string, Score>) {
  const rows = names.map((name) => {
    const path = TOP_LEVEL.includes(area) ? name : `${area}.${name}`;
    const found =
      area === 'nn' ? findClass(name) : (findFunction(path) ?? findFunction(`${area}.${name}`));
    const here = found !== undefined;
    return `| \`${name}\` | ${here ? 'yes' : 'missing'} | ${scoreCells(scores.get(area === 'nn' ? name : path))} |`;
  });
  const count = rows.filter((row) => row.includes('| yes |')).length;
  return `## ${area}: ${count} of ${names.length}

| name | here | same | error | gradient |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function scoreCells(score: Score | undefined): string {
  if (score === undefined || !score.exists) return '- | - | -';
  const { same, samples, error, gradientError } = score;
  return `${same}/${samples} | ${error.toExponential(0)} | ${gradientError.toExponential(0)}`;
}

function misses(): string {
  const rows = Object.entries(MISSES).map(([name, why]) => `- \`${name}\`: ${why}`);
  return `## Not as in PyTorch\n\n${rows.join('\n')}\n`;
}

function leftOut(names: Names['out_of_scope']): string {
  const rows = Object.entries(names).map(([why, list]) => {
    return `- ${why}: ${list.map((name) => `\`${name}\``).join(', ')}`;
  });
  return `## Out of scope\n\n${rows.join('\n')}\n`;
}
