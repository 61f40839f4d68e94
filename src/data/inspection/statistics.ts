/** What the samples of a data set are like, in numbers. */

import { createHash } from 'node:crypto';
import { numel } from '../../base/shape.ts';
import type { Engine } from '../../engine/engine.ts';
import { ConcatDataset } from '../composition/concat-dataset.ts';
import type { Dataset } from '../dataset.ts';
import { ImageDataset } from '../images/image-dataset.ts';
import { DataLoader } from '../loading/loader.ts';

/** One channel of images, or one number of a sample. */
export interface ValueStatistics {
  /** Of the values that are numbers. */
  readonly mean: number;
  /** Of all of them, not of a sample of them: divided by their number. */
  readonly std: number;
  readonly min: number;
  readonly max: number;
  /** How many are no number. */
  readonly missing: number;
}

export interface Statistics {
  /**
   * Of images, each channel after ToTensor alone, so in [0, 1]: as Normalize takes them. Of
   * samples of up to `MOST_FEATURES` numbers, each of them as the model gets it. Else nothing.
   */
  readonly channels?: readonly ValueStatistics[];
  readonly features?: readonly ValueStatistics[];
  /** Images that are equal to one before them, byte for byte. */
  readonly duplicates?: number;
  /** Images of one value in every channel. */
  readonly blank?: number;
}

const MOST_FEATURES = 512;
const BATCH = 256;

/** Passes over all samples once; of other sets than images, in batches on `engine`. */
export function statistics(dataset: Dataset, engine: Engine): Statistics {
  const images = imageParts(dataset);
  if (images !== undefined) return imageStatistics(images);
  const { dtype, shape } = dataset.input;
  const isVector = shape.length <= 1 && numel(shape) <= MOST_FEATURES;
  return isVector && dtype.startsWith('float') ? featureStatistics(dataset, engine) : {};
}

/** The sets of images that a set is made of, with as many channels each; nothing for others. */
export function imageParts(dataset: Dataset): ImageDataset[] | undefined {
  if (dataset instanceof ImageDataset) return [dataset];
  if (!(dataset instanceof ConcatDataset)) return undefined;
  const parts = dataset.parts.map(imageParts);
  if (!parts.every((part) => part !== undefined)) return undefined;
  const all = parts.flat();
  return all.every(({ channels }) => channels === all[0]!.channels) ? all : undefined;
}

/** Bytes are counted, so the numbers are exact. */
function imageStatistics(parts: readonly ImageDataset[]): Statistics {
  const { channels } = parts[0]!;
  const counts = Array.from({ length: channels }, () => new Float64Array(256));
  const seen = new Set<string>();
  let images = 0;
  let blank = 0;
  for (const part of parts) {
    for (let i = 0; i < part.length; i++) {
      const { height, width, data: image } = part.image(i);
      const area = height * width;
      seen.add(createHash('sha1').update(`${height} ${width} `).update(image).digest('base64'));
      let isBlank = true;
      for (let channel = 0; channel < channels; channel++) {
        const plane = image.subarray(channel * area, (channel + 1) * area);
        const histogram = counts[channel]!;
        for (let p = 0; p < area; p++) histogram[plane[p]!]!++;
        isBlank &&= plane.every((value) => value === plane[0]);
      }
      if (isBlank) blank++;
    }
    images += part.length;
  }
  return { channels: counts.map(ofHistogram), duplicates: images - seen.size, blank };
}

function ofHistogram(counts: Float64Array): ValueStatistics {
  const values = new Moments();
  for (const [byte, count] of counts.entries()) values.add(byte / 255, count);
  return values.statistics;
}

function featureStatistics(dataset: Dataset, engine: Engine): Statistics {
  const width = numel(dataset.input.shape);
  const features = Array.from({ length: width }, () => new Moments());
  using loader = new DataLoader({ dataset, engine, batch_size: Math.min(BATCH, dataset.length) });
  for (const { inputs } of loader.epoch(0)) {
    const values = engine.readSync(inputs);
    for (let i = 0; i < values.length; i++) features[i % width]!.add(Number(values[i]));
  }
  return { features: features.map((feature) => feature.statistics) };
}

/** Mean and variance in one pass. Welford 1962, https://doi.org/10.1080/00401706.1962.10490022 */
class Moments {
  #count = 0;
  #mean = 0;
  #squares = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #missing = 0;

  /** A value that comes `times` times. */
  add(value: number, times = 1): void {
    if (times === 0) return;
    if (Number.isNaN(value)) {
      this.#missing += times;
      return;
    }
    this.#count += times;
    const before = value - this.#mean;
    this.#mean += (before * times) / this.#count;
    this.#squares += before * (value - this.#mean) * times;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  get statistics(): ValueStatistics {
    const isEmpty = this.#count === 0;
    return {
      mean: isEmpty ? Number.NaN : this.#mean,
      std: isEmpty ? Number.NaN : Math.sqrt(this.#squares / this.#count),
      min: this.#min,
      max: this.#max,
      missing: this.#missing,
    };
  }
}
