/** Samplers by PyTorch's names. https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.Sampler */

import { z } from 'zod';
import { BuildError } from '../../base/build-error.ts';
import { ArgumentError } from '../../base/errors.ts';
import { Registry } from '../../base/registry.ts';
import type { Dataset } from '../dataset.ts';
import { readNumbers } from '../number-list.ts';
import { boundedInteger, shuffleInPlace, uniform, type Words, wordStream } from './draws.ts';
import { everySample, type Sampler } from './sampler.ts';

/** Sets the draws apart from those of a plain shuffle: "samp" in ASCII. */
const STREAM = 0x73616d70;

/** What is sampled, or how many samples there are. */
type DataSource = Pick<Dataset, 'length'>;

/** What an order is drawn from, a non-negative safe integer; 0 unless given. */
interface Seeded {
  readonly seed?: number;
}

/** https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.SequentialSampler */
export class SequentialSampler implements Sampler {
  readonly length: number;

  constructor({ data_source }: { readonly data_source: DataSource }) {
    this.length = data_source.length;
  }

  order(): Int32Array {
    return Int32Array.from({ length: this.length }, (_, i) => i);
  }
}

export interface RandomSamplerOptions extends Seeded {
  readonly data_source: DataSource;
  /** Whether a sample may come again before all have come; false unless given. */
  readonly replacement?: boolean;
  /** Samples an epoch; as many as there are unless given. */
  readonly num_samples?: number | undefined;
}

/**
 * Without replacement, more samples than there are come in several passes, each in an order of its
 * own. https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler
 */
export class RandomSampler implements Sampler {
  readonly length: number;
  readonly #samples: number;
  readonly #replacement: boolean;
  readonly #seed: number;

  /** @throws ArgumentError for a number of samples that makes no sense. */
  constructor({ data_source, replacement = false, num_samples, seed = 0 }: RandomSamplerOptions) {
    this.length = checkCount('RandomSampler', num_samples ?? data_source.length);
    this.#samples = data_source.length;
    this.#replacement = replacement;
    this.#seed = seed;
  }

  order(epoch: number): Int32Array {
    const next = wordStream(this.#seed, epoch, STREAM);
    if (this.#replacement) return this.#drawn(next);
    if (this.length === this.#samples) {
      const options = { length: this.length, shuffle: true, seed: this.#seed };
      return everySample(options).order(epoch);
    }
    const order = new Int32Array(this.length);
    for (let at = 0; at < order.length; at += this.#samples) {
      const pass = Int32Array.from({ length: this.#samples }, (_, i) => i);
      shuffleInPlace(pass, next);
      order.set(pass.subarray(0, order.length - at), at);
    }
    return order;
  }

  #drawn(next: Words): Int32Array {
    return new Int32Array(this.length).map(() => boundedInteger(next, this.#samples));
  }
}

export interface WeightedRandomSamplerOptions extends Seeded {
  /** How likely each sample is taken, in proportion; need not sum to 1. */
  readonly weights: ArrayLike<number>;
  /** Samples an epoch. */
  readonly num_samples: number;
  /** Whether a sample may come again; true unless given. */
  readonly replacement?: boolean;
}

/** https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.WeightedRandomSampler */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  readonly #weights: Float64Array;
  readonly #replacement: boolean;
  readonly #seed: number;

  /** @throws ArgumentError for weights that cannot be drawn from so often. */
  constructor(options: WeightedRandomSamplerOptions) {
    const { weights, num_samples, replacement = true, seed = 0 } = options;
    this.length = checkCount('WeightedRandomSampler', num_samples);
    this.#weights = Float64Array.from(weights);
    this.#replacement = replacement;
    this.#seed = seed;
    const wrong = this.#weights.findIndex((weight) => !(weight >= 0 && weight < Infinity));
    if (wrong >= 0) {
      throw weightError(`weights[${wrong}] is ${weights[wrong]}, expected a number of at least 0`);
    }
    const possible = this.#weights.filter((weight) => weight > 0).length;
    if (possible === 0) throw weightError('no weight is above 0');
    if (!replacement && num_samples > possible) {
      throw weightError(
        `${num_samples} samples without replacement need as many weights above 0, got ${possible}`,
      );
    }
  }

  order(epoch: number): Int32Array {
    const next = wordStream(this.#seed, epoch, STREAM);
    return this.#replacement ? this.#drawn(next) : this.#drawnOnce(next);
  }

  /** By the inverse of the cumulative distribution. */
  #drawn(next: Words): Int32Array {
    let sum = 0;
    const sums = this.#weights.map((weight) => {
      sum += weight;
      return sum;
    });
    return new Int32Array(this.length).map(() => firstAbove(sums, uniform(next) * sum));
  }

  /**
   * The smallest of exponential times with the weights as rates, which is drawing one after the
   * other. Efraimidis and Spirakis 2006, https://doi.org/10.1016/j.ipl.2005.11.003
   */
  #drawnOnce(next: Words): Int32Array {
    const times = this.#weights.map((weight) => -Math.log(1 - uniform(next)) / weight);
    const order = Int32Array.from(times.keys()).filter((i) => this.#weights[i]! > 0);
    return order.sort((a, b) => times[a]! - times[b]! || a - b).slice(0, this.length);
  }
}

/** The first place of rising `sums` whose value is above `value`, below their last. */
function firstAbove(sums: Float64Array, value: number): number {
  let low = 0;
  let high = sums.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

const weightError = (message: string) => new ArgumentError(`[WeightedRandomSampler] ${message}`);

function checkCount(name: string, count: number): number {
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new ArgumentError(`[${name}] num_samples must be a positive integer, got ${count}`);
}

/** What a sampler of a config samples. */
export interface SamplerContext {
  readonly dataset: Dataset;
  readonly seed: number;
}

export const samplers = new Registry<Sampler, SamplerContext>(
  'sampler',
  {},
  'https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.*',
);

const numSamples = (unlessGiven: string) =>
  z.int().positive().optional().describe(`Samples an epoch. Default: ${unlessGiven}.`);

samplers.register('SequentialSampler', {
  schema: z.strictObject({}),
  create: (_, { dataset }) => new SequentialSampler({ data_source: dataset }),
});

const random = z.strictObject({
  replacement: z
    .boolean()
    .default(false)
    .describe('Whether a sample may come again before all have come.'),
  num_samples: numSamples('as many as there are'),
});

samplers.register('RandomSampler', {
  schema: random,
  create: (options: z.output<typeof random>, { dataset, seed }) =>
    new RandomSampler({ data_source: dataset, ...options, seed }),
});

const weighted = z.strictObject({
  weights: z
    .union([z.literal('balanced'), z.array(z.number().min(0)).min(1), z.string().min(1)])
    .describe(
      'How likely a sample is taken: `balanced` makes all classes equally likely; a list has one ' +
        'weight for each class; a file, one for each sample (a list in `.json`, or one a line).',
    ),
  num_samples: numSamples('as many as there are'),
  replacement: z.boolean().default(true).describe('Whether a sample may come again.'),
});

type Weighted = z.output<typeof weighted>;

samplers.register('WeightedRandomSampler', {
  schema: weighted,
  create: (options: Weighted, { dataset, seed }) => {
    const { num_samples = dataset.length, replacement } = options;
    const weights = sampleWeights(options.weights, dataset);
    return new WeightedRandomSampler({ weights, num_samples, replacement, seed });
  },
});

/** The weight of each sample. */
function sampleWeights(given: Weighted['weights'], dataset: Dataset): Float64Array {
  if (typeof given === 'string' && given !== 'balanced') {
    const weights = readNumbers(given);
    if (weights.length === dataset.length) return weights;
    throw weightsFault(`${weights.length} weights for ${dataset.length} samples`);
  }
  const { classes, labels } = dataset;
  if (classes.length === 0 || labels === undefined) {
    throw weightsFault('the classes of the samples are not known; give a file of weights');
  }
  if (given === 'balanced') {
    const counts = classCounts(labels, classes.length);
    return Float64Array.from(labels, (label) => 1 / counts[label]!);
  }
  if (given.length !== classes.length) {
    throw weightsFault(`${given.length} weights for ${classes.length} classes`);
  }
  return Float64Array.from(labels, (label) => given[label]!);
}

const weightsFault = (message: string) => new BuildError(message, ['weights']);

/** How many samples each class has. */
export function classCounts(labels: Int32Array, classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}
