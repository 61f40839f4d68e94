/** Numbers as which of a few ranges they fall into. */

import { z } from 'zod';
import type { NumberColumn } from './columns.ts';
import { columnChoice, columnTransforms, numbers, perColumn, present } from './transforms.ts';

const schema = z.strictObject({
  columns: columnChoice,
  n_bins: z.int().min(2).max(1000).default(5).describe('Bins; fewer where some would be empty.'),
  encode: z
    .enum(['onehot', 'ordinal'])
    .default('onehot')
    .describe('A feature of 0 and 1 for each bin, or the number of the bin.'),
  strategy: z
    .enum(['uniform', 'quantile'])
    .default('quantile')
    .describe('Bins of one width, or of as many training rows each.'),
});

/** Bins narrower than this are none. */
const LEAST_WIDTH = 1e-8;

/**
 * What lies outside the training rows is in the first or the last bin; what is missing stays so.
 * https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.KBinsDiscretizer.html
 */
columnTransforms.register('KBinsDiscretizer', {
  schema,
  create: ({ columns, n_bins, encode, strategy }: z.output<typeof schema>) =>
    perColumn('KBinsDiscretizer', 'numbers', columns, (column) => {
      const sorted = present(column).toSorted();
      const edges = EDGES[strategy](sorted, n_bins);
      // The outer edges bound nothing.
      const inner = edges.filter((edge, i) => i > 0 && edge - edges[i - 1]! > LEAST_WIDTH);
      inner.pop();
      const change = (given: NumberColumn, name: string): [string, NumberColumn][] => {
        const bins = given.values.map((value) => binOf(value, inner));
        if (encode === 'ordinal') return [[name, numbers(bins)]];
        return Array.from({ length: inner.length + 1 }, (_, bin): [string, NumberColumn] => [
          `${name}=${bin}`,
          numbers(bins.map((own) => (Number.isNaN(own) ? own : Number(own === bin)))),
        ]);
      };
      return { change, learned: { bin_edges: inner } };
    }),
});

function binOf(value: number, inner: readonly number[]): number {
  if (Number.isNaN(value)) return value;
  const above = inner.findIndex((edge) => value < edge);
  return above < 0 ? inner.length : above;
}

type Edges = (sorted: Float64Array, count: number) => number[];

const EDGES: Record<'uniform' | 'quantile', Edges> = {
  uniform(sorted, count) {
    const [least, most] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
    return Array.from({ length: count + 1 }, (_, i) => least + ((most - least) * i) / count);
  },
  /** NumPy's `averaged_inverted_cdf`: between two rows where a quantile falls there. */
  quantile(sorted, count) {
    const last = sorted.length - 1;
    return Array.from({ length: count + 1 }, (_, i) => {
      const rank = (sorted.length * i) / count;
      const below = sorted[Math.max(0, Math.ceil(rank) - 1)] ?? 0;
      const above = sorted[Math.min(last, Math.floor(rank))] ?? 0;
      return (below + above) / 2;
    });
  },
};
