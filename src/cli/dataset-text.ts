/** What `data inspect` says of a data set, as text. */

import { formatShape } from '../base/shape.ts';
import { shortType } from '../base/user-code.ts';
import type { WordStatistics } from '../data/inspection/columns.ts';
import type { ValueStatistics } from '../data/inspection/moments.ts';
import { count, oneLine, percent, table } from './format.ts';
import type { DatasetReport } from './services.ts';
import { textLines, textTable } from './text-lines.ts';

/** Words of a column that are shown; `--json` has all. */
const MOST_WORDS = 6;
/** Characters of a word that are shown. */
const MOST_CHARACTERS = 24;

export function datasetText(report: DatasetReport): string {
  const { key, type, length, input, target } = report;
  const lines = [
    `${key}: ${shortType(type)}, ${count(length)} samples`,
    `  input   ${input.dtype} ${formatShape(input.shape)}`,
    `  target  ${target.dtype} ${formatShape(target.shape)}`,
    ...imageLines(report),
    ...valueLines(report),
    ...textLines(report),
  ];
  const { columns = [], features = [], targets = [] } = report;
  const numbers = columns.filter((column) => 'mean' in column);
  const tables = [
    valueTable('column', numbers),
    wordTable(columns.filter((column) => 'words' in column)),
    valueTable(columns.length > 0 ? 'what the model gets' : 'feature', features),
    valueTable('target', targets),
    classTable(report),
    textTable(report),
  ];
  const shown = tables.filter((text) => text !== '');
  return [...lines, ...shown.map((text) => text.replaceAll(/^/gm, '  '))].join('\n');
}

/** In the form in which Normalize takes them. */
function imageLines({ channels, duplicates = 0, blank = 0 }: DatasetReport): string[] {
  if (channels === undefined) return [];
  const list = (key: 'mean' | 'std') =>
    channels.map((channel) => channel[key].toFixed(4)).join(', ');
  return [
    `  pixels  { type: Normalize, mean: [${list('mean')}], std: [${list('std')}] }`,
    `  images  ${count(duplicates)} like one before them, ${count(blank)} of one colour`,
  ];
}

function valueLines({ values, tokens, lengths }: DatasetReport): string[] {
  const lines = (values ?? []).map(
    ({ mean, std, min, max, missing }, i, all) =>
      `  values  ${all.length > 1 ? `channel ${i}: ` : ''}mean ${short(mean)}, std ${short(std)}, ` +
      `from ${short(min)} to ${short(max)}${missing > 0 ? `, ${count(missing)} missing` : ''}`,
  );
  if (tokens !== undefined) {
    const { min, max, distinct } = tokens;
    lines.push(`  tokens  ${count(distinct)} different ones, from ${min} to ${max}`);
  }
  if (lengths !== undefined) {
    const { mean, std, min, max } = lengths;
    lines.push(`  length  mean ${short(mean)}, std ${short(std)}, from ${min} to ${max}`);
  }
  return lines;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}

function valueTable(title: string, values: readonly ValueStatistics[]): string {
  if (values.length === 0) return '';
  const rows = values.map(({ name, mean, std, min, max, missing }, i) => [
    name ?? String(i),
    ...[mean, std, min, max].map(short),
    count(missing),
  ]);
  return table([title, 'mean', 'std', 'min', 'max', 'missing'], rows, [1, 2, 3, 4, 5]);
}

function wordTable(columns: readonly WordStatistics[]): string {
  if (columns.length === 0) return '';
  const rows = columns.map(({ name, distinct, words, missing }) => {
    const shown = words
      .slice(0, MOST_WORDS)
      .map(({ word, count: n }) => `${cut(word)} ${count(n)}`);
    const rest = words.length > MOST_WORDS ? ['...'] : [];
    return [name, count(distinct), count(missing), [...shown, ...rest].join(', ')];
  });
  return table(['column', 'words', 'missing', 'most frequent'], rows, [1, 2]);
}

function cut(word: string): string {
  const line = oneLine(word);
  return line.length > MOST_CHARACTERS ? `${line.slice(0, MOST_CHARACTERS - 1)}…` : line;
}

function classTable({ classes, class_counts, length }: DatasetReport): string {
  if (classes.length === 0) return '';
  const rows = classes.map((name, i) => {
    const samples = class_counts?.[i];
    const cells = samples === undefined ? ['', ''] : [count(samples), percent(samples / length)];
    return [String(i), name, ...cells];
  });
  return table(['class', 'name', 'samples', 'share'], rows, [2, 3]);
}
