/**
 * Transforms of tables, by scikit-learn's names. Each learns from the training rows alone and then
 * does the same to any rows.
 */

import { z } from 'zod';
import { ConfigError, nearestName } from '../../base/errors.ts';
import { Registry } from '../../base/registry.ts';
import {
  type Column,
  type NumberColumn,
  rowNumber,
  type Table,
  type TextColumn,
} from './columns.ts';

export interface ColumnTransform {
  /** Learns from `table`. */
  fit(table: Table): FittedTransform;
}

export interface FittedTransform {
  /** Makes a table of the same columns into a new one. */
  apply(table: Table): Table;
  /** What was learned, by column, under scikit-learn's names. */
  readonly learned: Readonly<Record<string, object>>;
}

export const columnTransforms = new Registry<ColumnTransform>(
  'transform of tables',
  {},
  'https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.*.html',
);

/** Which columns a transform is for. */
export const columnChoice = z
  .array(z.string())
  .optional()
  .describe('The columns it is for; all that it applies to unless given.');

interface Learned<C extends Column> {
  /** One column, made into none, one or several; its name is that of the column it came from. */
  readonly change: (column: C, name: string, table: Table) => [string, Column][];
  readonly learned: object;
}

/** A transform that looks at each column of one kind alone. */
export function perColumn<Kind extends Column['kind']>(
  type: string,
  kind: Kind,
  wanted: readonly string[] | undefined,
  learn: (column: Column & { kind: Kind }, name: string) => Learned<Column & { kind: Kind }>,
): ColumnTransform {
  return {
    fit(table) {
      checkNames(type, wanted, table, kind);
      const changes = new Map(
        [...table.columns].flatMap(([name, column]) =>
          column.kind === kind && (wanted?.includes(name) ?? true)
            ? [[name, learn(column as Column & { kind: Kind }, name)] as const]
            : [],
        ),
      );
      const apply = (given: Table): Table => ({
        rows: given.rows,
        columns: new Map(
          [...given.columns].flatMap(([name, column]): [string, Column][] => {
            const { change } = changes.get(name) ?? {};
            return change === undefined
              ? [[name, column]]
              : change(column as Column & { kind: Kind }, name, given);
          }),
        ),
      });
      const learned = [...changes].map(([name, change]) => [name, change.learned]);
      return { apply, learned: Object.fromEntries(learned) };
    },
  };
}

function checkNames(
  type: string,
  wanted: readonly string[] | undefined,
  { columns }: Table,
  kind: Column['kind'],
): void {
  for (const name of wanted ?? []) {
    const found = columns.get(name);
    if (found === undefined)
      throw new ConfigError(`[${type}] ${unknownColumn(name, columns.keys())}`);
    if (found.kind === kind) continue;
    const [is, takes] = kind === 'text' ? ['numbers', 'text'] : ['text', 'numbers'];
    throw new ConfigError(`[${type}] column "${name}" is of ${is}; it takes ${takes}`);
  }
}

export function unknownColumn(name: string, known: Iterable<string>): string {
  const names = [...known];
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `known: ${names.join(', ')}` : `did you mean "${nearest}"?`;
  return `there is no column "${name}"; ${hint}`;
}

export const numbers = (values: Float64Array): NumberColumn => ({ kind: 'numbers', values });

/** The values that are there. */
export const present = ({ values }: NumberColumn): Float64Array =>
  values.filter((value) => !Number.isNaN(value));

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

const scaling = z.strictObject({ columns: columnChoice });

/** https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.StandardScaler.html */
columnTransforms.register('StandardScaler', {
  schema: scaling,
  create: ({ columns: wanted }: z.output<typeof scaling>) =>
    perColumn('StandardScaler', 'numbers', wanted, (column) => {
      const values = present(column);
      const middle = mean(values);
      // A column of equal values becomes zeros, not NaN.
      const spread = Math.sqrt(mean(values.map((value) => (value - middle) ** 2))) || 1;
      return {
        change: (given, name) => [[name, numbers(given.values.map((v) => (v - middle) / spread))]],
        learned: { mean: middle, scale: spread },
      };
    }),
});

/** https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.MinMaxScaler.html */
columnTransforms.register('MinMaxScaler', {
  schema: scaling,
  create: ({ columns: wanted }: z.output<typeof scaling>) =>
    perColumn('MinMaxScaler', 'numbers', wanted, (column) => {
      const values = present(column);
      const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
      const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const width = most - least || 1;
      return {
        change: (given, name) => [[name, numbers(given.values.map((v) => (v - least) / width))]],
        learned: { data_min: least, data_range: width },
      };
    }),
});

const imputing = z.strictObject({
  columns: columnChoice,
  strategy: z
    .enum(['mean', 'median', 'most_frequent', 'constant'])
    .default('mean')
    .describe('What stands in for a missing number.'),
  fill_value: z.number().default(0).describe('The number, where the strategy is constant.'),
});

/** https://scikit-learn.org/stable/modules/generated/sklearn.impute.SimpleImputer.html */
columnTransforms.register('SimpleImputer', {
  page: 'https://scikit-learn.org/stable/modules/generated/sklearn.impute.SimpleImputer.html',
  schema: imputing,
  create: ({ columns: wanted, strategy, fill_value }: z.output<typeof imputing>) =>
    perColumn('SimpleImputer', 'numbers', wanted, (column) => {
      const filling = strategy === 'constant' ? fill_value : STRATEGIES[strategy](present(column));
      return {
        change: (given, name) => [
          [name, numbers(given.values.map((v) => (Number.isNaN(v) ? filling : v)))],
        ],
        learned: { statistic: filling },
      };
    }),
});

const STRATEGIES = {
  mean,
  median(values: Float64Array): number {
    const sorted = values.toSorted();
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  },
  /** The least of the most frequent ones. */
  most_frequent(values: Float64Array): number {
    const counts = new Map<number, number>();
    for (const value of values.toSorted()) counts.set(value, (counts.get(value) ?? 0) + 1);
    return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
  },
};

const encoding = z.strictObject({
  columns: columnChoice,
  handle_unknown: z
    .enum(['error', 'ignore'])
    .default('error')
    .describe('What to do with a word that no training row has: refuse it, or give zeros.'),
});

/** https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.OneHotEncoder.html */
columnTransforms.register('OneHotEncoder', {
  schema: encoding,
  create: ({ columns: wanted, handle_unknown }: z.output<typeof encoding>) =>
    perColumn('OneHotEncoder', 'text', wanted, (column) => {
      const words = [...new Set(column.values)].sort();
      return {
        change: (given, name, table) => {
          if (handle_unknown === 'error') checkWords(given, name, table, words);
          return words.map((word) => [
            `${name}=${word}`,
            numbers(Float64Array.from(given.values, (value) => (value === word ? 1 : 0))),
          ]);
        },
        learned: { categories: words },
      };
    }),
});

function checkWords(
  { values }: TextColumn,
  name: string,
  table: Table,
  words: readonly string[],
): void {
  const place = values.findIndex((value) => !words.includes(value));
  if (place < 0) return;
  const row = rowNumber(table, place);
  throw new ConfigError(
    `[OneHotEncoder] "${values[place]}" in column "${name}", row ${row}, is in no training row; ` +
      'handle_unknown: ignore takes it as zeros',
  );
}
