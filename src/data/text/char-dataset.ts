/** Texts, character by character. */

import { z } from 'zod';
import { ConfigError, FileError } from '../../base/errors.ts';
import { readText } from '../../io/source.ts';
import { type DatasetSource, datasets } from '../dataset.ts';
import { resolveRoot } from '../paths.ts';
import { TensorDataset } from '../tensor-dataset.ts';
import { readTextTable } from './texts-file.ts';

const schema = z.strictObject({
  path: z.string().min(1).describe('The file, UTF-8; a table where column is given.'),
  column: z
    .string()
    .min(1)
    .optional()
    .describe('The column of a table (.csv, .tsv, .jsonl, .parquet) whose rows are the text.'),
  block_size: z.int().positive().describe('Characters a sample.'),
  stride: z
    .int()
    .positive()
    .optional()
    .describe('Characters from one sample to the next. Default: block_size, without overlaps.'),
  split: z
    .enum(['all', 'train', 'test'])
    .default('all')
    .describe('Which part: all, or the beginning, or the end that test_size holds back.'),
  test_size: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.1)
    .describe('The part of the text that is held back, where split is train or test.'),
});

type Options = z.output<typeof schema>;

/** Several copies of it are made. */
const MOST_BYTES = 2 ** 28;

/**
 * As minGPT's: a sample is int64 (block_size,), indices into the sorted characters of the whole
 * text, and the target of each is the character that follows it.
 * https://github.com/karpathy/minGPT/blob/master/projects/chargpt/chargpt.py
 */
datasets.register('CharDataset', {
  schema,
  summary: 'Windows of a text, to predict each character from those before it.',
  create: (options: Options): DatasetSource => {
    const characters = readCharacters(options);
    const classes = [...new Set(characters)].sort();
    const part = partOf(characters, options);
    const field = { dtype: 'int64', shape: [options.block_size] } as const;
    const description = { input: field, target: field, classes, vocabulary: classes };
    const starts = windowStarts(part.length, options);
    return { ...description, load: async () => windows(part, starts, description) };
  },
});

/** By code points; of a table the rows one below the other. */
function readCharacters({ path, column }: Options): string[] {
  const file = resolveRoot(path);
  if (column === undefined) return [...readText(file, MOST_BYTES)];
  const text = readTextTable(file, { text: column }).texts.join('\n');
  if (text.length <= MOST_BYTES) return [...text];
  const what = `column "${column}" of ${file}`;
  throw new FileError(`${what} has ${text.length} characters, more than ${MOST_BYTES}`);
}

function partOf(characters: string[], { split, test_size }: Options): string[] {
  if (split === 'all') return characters;
  const end = Math.round(characters.length * (1 - test_size));
  return split === 'train' ? characters.slice(0, end) : characters.slice(end);
}

function windowStarts(length: number, { path, block_size, stride = block_size, split }: Options) {
  const count = Math.floor((length - 1 - block_size) / stride) + 1;
  if (count >= 1) return Array.from({ length: count }, (_, i) => i * stride);
  throw new ConfigError(
    `[CharDataset] ${path} has ${length} characters (split: ${split}), ` +
      `too few for a block_size of ${block_size} and the one that follows`,
  );
}

function windows(
  text: readonly string[],
  starts: readonly number[],
  description: Pick<DatasetSource, 'input' | 'target' | 'classes'>,
): TensorDataset {
  const indices = new Map(description.classes.map((character, i) => [character, BigInt(i)]));
  const tokens = BigInt64Array.from(text, (character) => indices.get(character)!);
  const length = description.input.shape[0]!;
  const inputs = new BigInt64Array(starts.length * length);
  const targets = new BigInt64Array(starts.length * length);
  for (const [i, start] of starts.entries()) {
    inputs.set(tokens.subarray(start, start + length), i * length);
    targets.set(tokens.subarray(start + 1, start + 1 + length), i * length);
  }
  return new TensorDataset(starts.length, description, { inputs, targets });
}
