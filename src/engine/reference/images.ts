/** Batches of images, one pixel after the other. */

import { EngineError } from '../../base/errors.ts';
import type { Storage } from '../engine.ts';
import {
  type BatchSlot,
  type ImageSource,
  type Images,
  movedPlaces,
  movedSize,
} from '../images.ts';
import { own } from './storage.ts';

export class ReferenceImages implements Images {
  readonly #source: ImageSource;

  constructor(source: ImageSource) {
    const { images, labels, table, channels, height, width } = source;
    const size = channels * height * width;
    if (images.dtype !== 'uint8' || labels.dtype !== 'int64') {
      throw new EngineError(`[images] needs uint8 images and int64 labels, got ${images.dtype}`);
    }
    if (images.numel !== labels.numel * size || table.length !== channels * 256) {
      throw new EngineError(
        `[images] ${images.numel} bytes are not ${labels.numel} images of ${channels} x ${height} x ${width}, or a table of ${table.length} does not fit`,
      );
    }
    this.#source = source;
  }

  gather(indices: Int32Array, epoch: number, slot: BatchSlot): void {
    const { labels, channels } = this.#source;
    const { height, width } = movedSize(this.#source);
    checkNumel('inputs', slot.inputs, indices.length * channels * height * width);
    checkNumel('targets', slot.targets, indices.length);
    const outside = indices.find((index) => index < 0 || index >= labels.numel);
    if (outside !== undefined) {
      throw new EngineError(`[images] index ${outside} is out of range for ${labels.numel} images`);
    }
    const inputs = own(slot.inputs).values;
    const targets = own(slot.targets).values;
    indices.forEach((sample, i) => {
      targets[i] = own(labels).values[sample]!;
      inputs.set(this.#moved(sample, epoch), i * channels * height * width);
    });
  }

  /** One sample as the model gets it. */
  #moved(sample: number, epoch: number): number[] {
    const { images, table, channels, height, width } = this.#source;
    const bytes = own(images).values;
    const { rows, columns } = movedPlaces(this.#source, sample, epoch);
    return Array.from({ length: channels }, (_, channel) =>
      rows.flatMap((y) =>
        columns.map((x) => {
          const at = ((sample * channels + channel) * height + y) * width + x;
          return table[channel * 256 + (y < 0 || x < 0 ? 0 : bytes[at]!)]!;
        }),
      ),
    ).flat();
  }
}

function checkNumel(what: string, storage: Storage, expected: number): void {
  if (storage.numel === expected) return;
  throw new EngineError(`[images] ${what} need ${expected} elements, got ${storage.numel}`);
}
