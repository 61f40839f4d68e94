/** What the samples of a data set are like, in numbers. */

import { createHash } from 'node:crypto';
import type { Engine } from '../../engine/engine.ts';
import { ConcatDataset } from '../composition/concat-dataset.ts';
import type { Dataset } from '../dataset.ts';
import { ImageDataset } from '../images/image-dataset.ts';
import { TableDataset } from '../table/table-dataset.ts';
import { type ColumnStatistics, columnStatistics } from './columns.ts';
import { Moments, statisticsOf, type ValueStatistics } from './moments.ts';
import { type StreamedStatistics, streamedStatistics } from './streamed.ts';

export interface Statistics extends StreamedStatistics {
  /** Of images, each channel after ToTensor alone, so in [0, 1]: as Normalize takes them. */
  readonly channels?: readonly ValueStatistics[];
  /** Images that are equal to one before them, byte for byte. */
  readonly duplicates?: number;
  /** Images of one value in every channel. */
  readonly blank?: number;
  /** How long samples are, where that varies. */
  readonly lengths?: ValueStatistics;
  /** Of tables, what stands in the file. */
  readonly columns?: readonly ColumnStatistics[];
}

/** Passes over all samples once; of other sets than images, in batches on `engine`. */
export function statistics(dataset: Dataset, engine: Engine): Statistics {
  const { lengths } = dataset;
  const table = dataset instanceof TableDataset ? dataset : undefined;
  const images = imageParts(dataset);
  return {
    ...(table && { columns: columnStatistics(table.columns()) }),
    ...(lengths && { lengths: statisticsOf(lengths) }),
    ...(images ? imageStatistics(images) : streamedStatistics(dataset, engine, table?.names)),
  };
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
