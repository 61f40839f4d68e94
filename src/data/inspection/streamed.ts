/** What the batches of a data set hold: one pass, of which no more than a batch is kept. */

import { numel } from '../../base/shape.ts';
import type { Engine } from '../../engine/engine.ts';
import type { Dataset, Field } from '../dataset.ts';
import { DataLoader } from '../loading/loader.ts';
import { Moments, type ValueStatistics } from './moments.ts';

export interface StreamedStatistics {
  /** Of samples of up to `MOST_FEATURES` numbers: each of them as the model gets it. */
  readonly features?: readonly ValueStatistics[];
  /** Of samples of other shapes: their numbers, by channel where they have channels. */
  readonly values?: readonly ValueStatistics[];
  /** Of targets that are numbers. */
  readonly targets?: readonly ValueStatistics[];
  /** Of samples of whole numbers. */
  readonly tokens?: TokenStatistics;
}

export interface TokenStatistics {
  readonly min: number;
  readonly max: number;
  /** How many different ones there are. */
  readonly distinct: number;
}

const MOST_FEATURES = 512;
const BATCH = 256;

/** @param names of the features and targets of a table. */
export function streamedStatistics(
  dataset: Dataset,
  engine: Engine,
  names: { readonly features?: readonly string[]; readonly outputs?: readonly string[] } = {},
): StreamedStatistics {
  const { input, target, length } = dataset;
  const inputs = input.dtype.startsWith('float') ? new Groups(input) : undefined;
  const isNumber = target.dtype.startsWith('float') && isVector(target);
  const targets = isNumber ? new Groups(target) : undefined;
  const tokens = inputs === undefined ? new Set<number>() : undefined;
  using loader = new DataLoader({ dataset, engine, batch_size: Math.min(BATCH, length) });
  for (const batch of loader.epoch(0)) {
    inputs?.add(engine.readSync(batch.inputs));
    targets?.add(engine.readSync(batch.targets));
    if (tokens === undefined) continue;
    for (const token of engine.readSync(batch.inputs)) tokens.add(Number(token));
  }
  return {
    ...(inputs && { [isVector(input) ? 'features' : 'values']: inputs.named(names.features) }),
    ...(targets && { targets: targets.named(names.outputs) }),
    ...(tokens && { tokens: describeTokens(tokens) }),
  };
}

function isVector({ shape, varies }: Field): boolean {
  return !varies && shape.length <= 1 && numel(shape) <= MOST_FEATURES;
}

/** The numbers of a field: each place on its own, by channel, or all together. */
class Groups {
  readonly #moments: readonly Moments[];
  readonly #width: number;

  constructor(field: Field) {
    const hasChannels = !field.varies && field.shape.length === 3;
    const count = isVector(field) ? numel(field.shape) : hasChannels ? field.shape[0]! : 1;
    this.#moments = Array.from({ length: count }, () => new Moments());
    this.#width = count === 1 ? 1 : numel(field.shape);
  }

  add(values: ArrayLike<number | bigint>): void {
    const each = this.#width / this.#moments.length;
    for (let i = 0; i < values.length; i++) {
      this.#moments[Math.floor((i % this.#width) / each)]!.add(Number(values[i]));
    }
  }

  named(names: readonly string[] | undefined): ValueStatistics[] {
    return this.#moments.map(({ statistics }, i) => {
      const name = names?.[i];
      return name === undefined ? statistics : { name, ...statistics };
    });
  }
}

function describeTokens(tokens: ReadonlySet<number>): TokenStatistics {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const token of tokens) [min, max] = [Math.min(min, token), Math.max(max, token)];
  return { min, max, distinct: tokens.size };
}
