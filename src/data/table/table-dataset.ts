/** Tables of numbers and words, to classify rows or to predict numbers. */

import { z } from 'zod';
import { ConfigError, FileError } from '../../base/errors.ts';
import {
  type DatasetSource,
  datasets,
  type Preparation,
  type SampleDescription,
  type SampleEncoder,
} from '../dataset.ts';
import { splitArguments, splitPlaces } from '../loading/split.ts';
import { resolveRoot } from '../paths.ts';
import { type Rows, TensorDataset } from '../tensor-dataset.ts';
import { matrix, pick, type Table, takeRows } from './columns.ts';
import { type CsvOptions, NA_VALUES } from './csv.ts';
import { CSV, type Format, JSON_LINES, PARQUET } from './formats.ts';
import { learnTarget } from './target.ts';
import { columnTransforms, unknownColumn } from './transforms.ts';

const name = z.string().min(1);

/** Of tables in any format. */
const common = {
  path: name.describe('The file.'),
  target: z
    .union([name, z.array(name).min(1)])
    .describe('The column to predict, or several columns of numbers.'),
  features: z
    .array(name)
    .min(1)
    .optional()
    .describe('The columns to predict it from. Default: all others.'),
  exclude: z.array(name).default([]).describe('Columns to leave out of the features.'),
  task: z
    .enum(['classification', 'regression'])
    .optional()
    .describe('Default: classification where the target is of words, else regression.'),
  ...splitArguments,
  stratify: z
    .boolean()
    .default(false)
    .describe('Holds back the same part of the rows of each class.'),
  fit: name
    .optional()
    .describe('A file whose rows the transforms and the classes are learned from, not these.'),
  transforms: z
    .array(columnTransforms.spec())
    .default([])
    .describe('What is done to the features, in order; learned from the training rows.'),
  na_values: z
    .array(z.string())
    .default(NA_VALUES)
    .describe('What stands for a missing value, beside nothing at all.'),
};

const plain = z.strictObject(common);
type Options = z.output<typeof plain> & CsvOptions;

/**
 * A row's features are float32 (features,); its target is a class, or float32 (columns,). The file
 * is read when the data set is made, because words become as many features as there are.
 */
datasets.register('CSVDataset', {
  summary: 'A table in a file: its rows are the samples, one or more of its columns the target.',
  schema: z.strictObject({
    ...common,
    path: name.describe('The file; its first row names the columns.'),
    delimiter: z
      .string()
      .min(1)
      .optional()
      .describe('What stands between values. Default: a tab in files .tsv, else a comma.'),
  }),
  create: (options: Options) => tableSource(options, CSV),
});

datasets.register('JSONLDataset', {
  summary: 'A table as JSON lines: one object a line, its keys the columns.',
  schema: plain,
  create: (options: Options) => tableSource(options, JSON_LINES),
});

datasets.register('ParquetDataset', {
  summary: 'A table in a Parquet file; ParquetImageDataset is for images.',
  schema: plain,
  create: (options: Options) => tableSource(options, PARQUET),
});

function tableSource(options: Options, format: Format): DatasetSource {
  const { description, rows, length, encoder, names, used } = prepare(options, format);
  const columns = () => {
    const whole = readTable(options.path, options, format);
    return pick(partOf(whole, options, options.split).columns, used);
  };
  const load = async () => new TableDataset(length, description, rows, { names, columns });
  return { ...description, load, encoder };
}

interface TableNames {
  /** Of what the model gets, and of the numbers that it predicts. */
  readonly features: readonly string[];
  readonly outputs: readonly string[];
}

/** Rows that know what their numbers are called, and what stood in the file. */
export class TableDataset extends TensorDataset {
  readonly names: TableNames;
  /** The columns it is made of; reads the file once more, because only the samples are kept. */
  readonly columns: () => Table['columns'];

  constructor(
    length: number,
    description: SampleDescription,
    rows: Rows,
    table: { readonly names: TableNames; readonly columns: () => Table['columns'] },
  ) {
    super(length, description, rows);
    this.names = table.names;
    this.columns = table.columns;
  }
}

/** The rows of `split`. */
function partOf(table: Table, options: Options, split: Options['split']): Table {
  const stratify = options.stratify ? classIndices(table, options) : undefined;
  return takeRows(table, splitPlaces(table.rows.length, { ...options, split }, stratify));
}

const ADVICE = {
  words: 'add OneHotEncoder to the transforms, or exclude the column',
  missing: 'add SimpleImputer to the transforms, or exclude the column',
};

interface Prepared {
  readonly description: SampleDescription;
  readonly rows: Rows;
  readonly length: number;
  readonly encoder: SampleEncoder;
  readonly names: TableNames;
  /** The columns of the file that it is made of. */
  readonly used: readonly string[];
}

function prepare(options: Options, format: Format): Prepared {
  const table = readTable(options.path, options, format);
  const used = partOf(table, options, options.split);
  const learned =
    options.fit === undefined
      ? partOf(table, options, options.split === 'all' ? 'all' : 'train')
      : readTable(options.fit, options, format);
  const target = learnTarget(learned, options);
  const chosen = featureNames(learned, options);
  const { transform, preparation } = learnFeatures(learned, chosen, options);
  const features = transform(used);
  const names = [...features.columns.keys()];
  const inputs = matrix(features, ADVICE);
  const outputs = [options.target].flat();
  return {
    length: used.rows.length,
    names: { features: names, outputs },
    used: [...new Set([...chosen, ...outputs])],
    rows: { inputs, targets: target.of(used) },
    description: {
      input: { dtype: 'float32', shape: [names.length] },
      target: target.field,
      classes: target.classes,
    },
    encoder: {
      kind: 'table',
      extensions: format.extensions,
      preparation,
      ...(target.classes.length > 0 ? {} : { outputs }),
      encode: async (path) => {
        const table = readFeatures(path, pick(learned.columns, chosen), options, format);
        const { rows } = table;
        return { length: rows.length, inputs: matrix(transform(table), ADVICE), rows };
      },
    },
  };
}

/** The columns `known` of a file, which may have others. Throws a `FileError` if one is missing. */
function readFeatures(
  path: string,
  known: Table['columns'],
  { delimiter, na_values }: Options,
  { read }: Format,
): Table {
  const kinds = new Map([...known].map(([name, { kind }]) => [name, kind]));
  const skip = (name: string) => !known.has(name);
  const table = read(path, { delimiter, na_values, kinds, skip });
  const missing = [...known.keys()].filter((name) => !table.columns.has(name));
  if (missing.length === 0) return table;
  const plural = missing.length > 1 ? 's' : '';
  const names = missing.map((name) => `"${name}"`).join(', ');
  throw new FileError(`${path} lacks the column${plural} ${names}`);
}

function readTable(path: string, options: Options, { read }: Format): Table {
  const { delimiter, na_values, features, exclude, target } = options;
  const skip = (name: string) =>
    ![target].flat().includes(name) &&
    (exclude.includes(name) || !(features?.includes(name) ?? true));
  const table = read(resolveRoot(path), { delimiter, na_values, skip });
  for (const key of ['target', 'features', 'exclude'] as const) {
    for (const wanted of [options[key] ?? []].flat()) {
      if (table.columns.has(wanted)) continue;
      throw new ConfigError(`[table] ${key}: ${unknownColumn(wanted, table.columns.keys())}`);
    }
  }
  return table;
}

function classIndices(table: Table, options: Options): Int32Array {
  const { classes, of } = learnTarget(table, options);
  if (classes.length > 0) return Int32Array.from(of(table) as BigInt64Array, Number);
  throw new ConfigError('[table] stratify: true needs classes, but the target is of numbers');
}

function featureNames(learned: Table, { features, exclude, target }: Options): string[] {
  const targets = [target].flat();
  const names = (features ?? [...learned.columns.keys()]).filter(
    (wanted) => !exclude.includes(wanted) && !(features === undefined && targets.includes(wanted)),
  );
  if (names.length > 0) return names;
  throw new ConfigError('[table] no column is left to predict from');
}

/** What is done to the features of any rows, and that in words. */
function learnFeatures(learned: Table, names: readonly string[], options: Options) {
  const chosen = ({ rows, columns }: Table): Table => ({ rows, columns: pick(columns, names) });
  let learning = chosen(learned);
  const steps = options.transforms.map((spec) => {
    const step = columnTransforms.build(spec).fit(learning);
    learning = step.apply(learning);
    return { ...step, spec: { ...spec, learned: step.learned } };
  });
  const preparation: Preparation = { columns: names, transforms: steps.map(({ spec }) => spec) };
  const transform = (table: Table): Table =>
    steps.reduce((given, step) => step.apply(given), chosen(table));
  return { transform, preparation };
}
