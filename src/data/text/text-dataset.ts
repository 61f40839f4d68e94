/** Texts with a class or a number each. */

import { z } from 'zod';
import { ConfigError } from '../../base/errors.ts';
import { type DatasetContext, type DatasetSource, datasets } from '../dataset.ts';
import { splitArguments, splitPlaces } from '../loading/split.ts';
import { resolveRoot } from '../paths.ts';
import { type Table, takeRows } from '../table/columns.ts';
import { knownTarget, learnTarget, type Target } from '../table/target.ts';
import {
  checkArguments,
  codingArguments,
  knownTexts,
  type LearnedTexts,
  learnTexts,
  TextCoder,
} from './text-coder.ts';
import { textEncoder } from './text-encoder.ts';
import { TextSamples } from './text-samples.ts';
import { readTextTable, textsOf } from './texts-file.ts';

const name = z.string().min(1);

/**
 * `path`, `target` and the split are those of tables. `tokenizer`, `lowercase`, `vocab_size` and
 * `max_length` are Hugging Face's names, `min_freq` is torchtext's.
 */
const schema = z.strictObject({
  path: name.describe('A table: .csv, .tsv, .jsonl, .ndjson or .parquet.'),
  text: name.default('text').describe('The column of the texts.'),
  target: z
    .union([name, z.array(name).min(1)])
    .default('label')
    .describe('The column to predict, or several columns of numbers.'),
  delimiter: name
    .optional()
    .describe('What stands between values. Default: a tab in files .tsv, else a comma.'),
  ...splitArguments,
  stratify: z
    .boolean()
    .default(false)
    .describe('Holds back the same part of the texts of each class.'),
  fit: name
    .optional()
    .describe('A file whose texts teach the vocabulary and the classes, not these.'),
  ...codingArguments,
});

type Options = z.output<typeof schema>;

/**
 * A sample is int64 (L,), the numbers of its tokens, padded with 0; its target is a class, or
 * float32 (columns,). L is at most that of the longest training text. The vocabulary and the
 * classes are learned from the training part, unless the context knows them: then no file is read
 * before `load`.
 */
datasets.register('TextDataset', {
  summary: 'Texts in a column of a table, with a class or a number each: text classification.',
  schema,
  create: (options: Options, context?: DatasetContext): DatasetSource => {
    const known = knownTexts(context?.learned);
    if (known !== undefined) {
      checkArguments(options, known);
      return sourceOf(known, options, () => read(options.path, options));
    }
    const table = read(options.path, options);
    return sourceOf(learn(table, options), options, () => table);
  },
});

function sourceOf(learned: LearnedTexts, options: Options, table: () => Table): DatasetSource {
  const coder = new TextCoder(learned);
  const target = knownTarget([options.target].flat(), learned.classes);
  const description = {
    input: { dtype: 'int64', shape: [learned.longest], varies: true } as const,
    target: target.field,
    classes: learned.classes,
    vocabulary: learned.vocabulary,
  };
  const load = async () => {
    const used = partOf(table(), options.split, options, target);
    const sequences = coder.encode(textsOf(used, options.text), options.path);
    return new TextSamples(description, sequences, target.of(used));
  };
  const columns = { text: options.text, delimiter: options.delimiter };
  const outputs = target.classes.length > 0 ? [] : [options.target].flat();
  const encoder = textEncoder(coder, columns, outputs);
  return { ...description, learned, load, encoder };
}

function read(path: string, { text, target, delimiter }: Options): Table {
  return readTextTable(resolveRoot(path), { text, others: [target].flat(), delimiter });
}

/** From the training part, or another file. */
function learn(table: Table, options: Options): LearnedTexts {
  const { fit, split, text } = options;
  const whole = fit === undefined ? table : read(fit, options);
  const part =
    fit === undefined && split !== 'all'
      ? partOf(table, 'train', options, learnTarget(table, options))
      : whole;
  return learnTexts(textsOf(part, text), learnTarget(part, options).classes, options);
}

function partOf(table: Table, split: Options['split'], options: Options, target: Target): Table {
  if (split === 'all') return table;
  if (options.stratify && target.classes.length === 0) {
    throw new ConfigError(
      '[TextDataset] stratify: true needs classes, but the target is of numbers',
    );
  }
  const classes = options.stratify ? Int32Array.from(target.of(table), Number) : undefined;
  return takeRows(table, splitPlaces(table.rows.length, { ...options, split }, classes));
}
