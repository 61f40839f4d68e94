/**
 * Made-up data sets: random samples of a given shape, for benchmarks and first tries of a model.
 * Sample `i` follows from `random_offset + i` alone.
 */

import { z } from 'zod';
import { philox4x32 } from '../base/philox.ts';
import { datasets, type SampleDescription } from './dataset.ts';
import { imageArguments, pixelSource } from './images/image-set.ts';
import { TensorDataset } from './tensor-dataset.ts';

/** Keeps the generators of the two kinds apart. */
const KEY = { images: 1, tokens: 2 } as const;

const count = () => z.int().positive();
const size = () => count().default(1000).describe('Samples.');
const offset = () =>
  z
    .int()
    .min(0)
    .max(0x7fffffff)
    .default(0)
    .describe('The number of the first sample: another one gives other samples.');

const fakeData = z.strictObject({
  size: size(),
  image_size: z
    .tuple([count(), count(), count()])
    .default([3, 224, 224])
    .describe('Channels, height and width.'),
  num_classes: count().default(10).describe('How many classes the labels are drawn from.'),
  ...imageArguments,
  random_offset: offset(),
});

/**
 * Uniform bytes for pixels; the samples are not torchvision's.
 * https://pytorch.org/vision/stable/generated/torchvision.datasets.FakeData.html
 */
datasets.register('FakeData', {
  schema: fakeData,
  create: (options: z.output<typeof fakeData>) => {
    const [channels, height, width] = options.image_size;
    const classes = numbers(options.num_classes);
    const read = async (limit = options.size) =>
      fakeImages({ ...options, size: Math.min(limit, options.size) });
    return pixelSource({ classes, channels, height, width, read }, options);
  },
});

function fakeImages(options: z.output<typeof fakeData>) {
  const { size, num_classes, random_offset } = options;
  const [channels, height, width] = options.image_size;
  const pixels = channels * height * width;
  const images = new Uint8Array(size * pixels);
  const labels = new Int32Array(size);
  for (let i = 0; i < size; i++) {
    const words = randomWords(random_offset + i, KEY.images, 1 + Math.ceil(pixels / 4));
    labels[i] = words[0]! % num_classes;
    const bytes = new Uint8Array(words.buffer, 4, pixels);
    images.set(bytes, i * pixels);
  }
  return { images, labels };
}

const fakeTokens = z.strictObject({
  size: size(),
  length: count().describe('Tokens a sample.'),
  vocab_size: count().describe('How many tokens there are.'),
  random_offset: offset(),
});

/** Sequences of uniform tokens; the target of each place is the token that follows. */
datasets.register('FakeTokens', {
  schema: fakeTokens,
  summary:
    'Sequences of uniform random tokens; the target of each place is the token that follows.',
  create: (options: z.output<typeof fakeTokens>) => {
    const description = {
      input: { dtype: 'int64', shape: [options.length] },
      target: { dtype: 'int64', shape: [options.length] },
      classes: numbers(options.vocab_size),
    } as const;
    return { ...description, load: async () => fakeWindows(options, description) };
  },
});

/** Windows of tokens with the same windows one token on as targets. */
function fakeWindows(
  { size, length, vocab_size, random_offset }: z.output<typeof fakeTokens>,
  description: SampleDescription,
): TensorDataset {
  const inputs = new BigInt64Array(size * length);
  const targets = new BigInt64Array(size * length);
  for (let i = 0; i < size; i++) {
    const words = randomWords(random_offset + i, KEY.tokens, length + 1);
    const tokens = BigInt64Array.from(words, (word) => BigInt(word % vocab_size));
    inputs.set(tokens.subarray(0, length), i * length);
    targets.set(tokens.subarray(1, length + 1), i * length);
  }
  return new TensorDataset(size, description, { inputs, targets });
}

function numbers(length: number): string[] {
  return Array.from({ length }, (_, i) => String(i));
}

/** At least `length` random words of sample `sample`. */
function randomWords(sample: number, key: number, length: number): Uint32Array {
  const words = new Uint32Array(Math.ceil(length / 4) * 4);
  for (let i = 0; i < words.length; i += 4) {
    words.set(philox4x32([i, 0, sample, 0], [key, 0]), i);
  }
  return words.subarray(0, length);
}
