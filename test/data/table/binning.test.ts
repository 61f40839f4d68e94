/** KBinsDiscretizer, beside scikit-learn's. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import '../../../src/data/index.ts';
import type { Table } from '../../../src/data/table/columns.ts';
import { columnTransforms } from '../../../src/data/table/transforms.ts';

interface Case {
  readonly column: string;
  readonly options: { readonly n_bins: number; readonly strategy: string };
  readonly learned: number[];
  readonly given: number[];
  readonly ordinal: number[][];
  readonly onehot: number[][];
}

const FILE = new URL('../../fixtures/data/binning.json', import.meta.url);
const cases: Case[] = JSON.parse(readFileSync(FILE, 'utf8'));

const tableOf = (values: readonly number[]): Table => ({
  rows: Int32Array.from(values, (_, i) => i + 2),
  columns: new Map([['x', { kind: 'numbers', values: Float64Array.from(values) }]]),
});

/** The rows of the features that `given` becomes, and their names. */
function binned(options: object, learned: readonly number[], given: readonly number[]) {
  const transform = columnTransforms.build({ type: 'KBinsDiscretizer', ...options });
  const { columns } = transform.fit(tableOf(learned)).apply(tableOf(given));
  const features = [...columns.values()].map(({ values }) => values);
  return {
    names: [...columns.keys()],
    rows: given.map((_, row) => features.map((values) => values[row])),
  };
}

describe.each(cases)('$column, $options.n_bins $options.strategy bins', (recorded) => {
  const { options, learned, given } = recorded;
  it.each(['ordinal', 'onehot'] as const)('are those of scikit-learn, %s', (encode) => {
    const { rows, names } = binned({ ...options, encode }, learned, given);
    expect(rows).toEqual(recorded[encode]);
    expect(names).toEqual(encode === 'ordinal' ? ['x'] : rows[0]!.map((_, bin) => `x=${bin}`));
  });
});

it('leaves what is missing for others to fill', () => {
  const given = [1, Number.NaN];
  const learned = [...given, 2, 3, 4];
  expect(binned({ n_bins: 2, encode: 'ordinal' }, learned, given).rows).toEqual([
    [0],
    [Number.NaN],
  ]);
  const [, row] = binned({ n_bins: 2 }, learned, given).rows;
  expect(row).toEqual([Number.NaN, Number.NaN]);
});

it.each([
  ['one bin', { n_bins: 1 }, 'n_bins'],
  ['another strategy', { strategy: 'kmeans' }, 'strategy'],
])('refuses %s', (_, options, message) => {
  expect(() => binned(options, [1, 2], [1])).toThrow(message);
});
