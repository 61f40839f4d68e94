/** Batches of images, one pixel after the other. */

import { EngineError } from '../../base/errors.ts';
import type { Storage } from '../engine.ts';
import { applyOps } from '../image-ops/apply.ts';
import { eraseBox } from '../image-ops/erase.ts';
import { type EraseOp, type ImageWork, sameShape } from '../image-ops/op.ts';
import type { ImageShape, Pixels } from '../image-ops/pixels.ts';
import {
  type BatchSlot,
  type ImageSource,
  type Images,
  movedPlaces,
  shapeOfSample,
  type WorkOf,
} from '../images.ts';
import { own } from './storage.ts';

export class ReferenceImages implements Images {
  readonly #sources: readonly ReferenceSource[];
  /** What every source gives. */
  readonly #to: ImageShape;

  constructor(sources: readonly ImageSource[]) {
    this.#sources = sources.map((source) => new ReferenceSource(source));
    const [first] = this.#sources;
    if (first === undefined) throw new EngineError('[images] there is no source');
    this.#to = first.to;
    if (this.#sources.some(({ to }) => !sameShape(to, first.to))) {
      throw new EngineError('[images] the sources give images of other shapes');
    }
  }

  gather(indices: Int32Array, epoch: number, slot: BatchSlot, workOf?: WorkOf): void {
    const size = this.#to.channels * this.#to.height * this.#to.width;
    checkNumel('inputs', slot.inputs, indices.length * size);
    checkNumel('targets', slot.targets, indices.length);
    const places = Array.from(indices, (index) => this.#place(index));
    const inputs = own(slot.inputs).values;
    const targets = own(slot.targets).values;
    const work = workOf?.(indices, epoch);
    for (const [i, { source, sample }] of places.entries()) {
      targets[i] = source.label(sample);
      inputs.set(source.sample(sample, epoch, work?.[i]), i * size);
    }
  }

  #place(index: number): { source: ReferenceSource; sample: number } {
    let sample = index;
    for (const source of this.#sources) {
      if (sample >= 0 && sample < source.length) return { source, sample };
      sample -= source.length;
    }
    throw new EngineError(`[images] index ${index} is out of range for ${index - sample} images`);
  }
}

const NOTHING: ImageWork = { ops: [], erase: [] };

class ReferenceSource {
  readonly #source: ImageSource;
  /** Where each image begins and what its shape is. */
  readonly #places: readonly { readonly offset: number; readonly shape: ImageShape }[];
  readonly to: ImageShape;

  constructor(source: ImageSource) {
    const { images, labels, table, channels, moves, sizes, begins, to } = source;
    if (images.dtype !== 'uint8' || labels.dtype !== 'int64') {
      throw new EngineError(`[images] needs uint8 images and int64 labels, got ${images.dtype}`);
    }
    if (to === undefined ? sizes !== undefined : moves.length > 0) {
      throw new EngineError('[images] sizes need `to`, which excludes moves');
    }
    this.to = shapeOfSample(source);
    let end = 0;
    this.#places = Array.from({ length: labels.numel }, (_, i) => {
      const [height = source.height, width = source.width] = sizes?.subarray(2 * i) ?? [];
      const offset = begins === undefined ? end : begins[i]!;
      end = offset + channels * height * width;
      if (!(offset >= 0 && end <= images.numel)) {
        throw new EngineError(`[images] image ${i} is not within ${images.numel} bytes`);
      }
      return { offset, shape: { channels, height, width } };
    });
    if ((begins === undefined && images.numel !== end) || table.length !== this.to.channels * 256) {
      throw new EngineError(
        `[images] ${images.numel} bytes are not those of ${labels.numel} images, which take ${end}, or a table of ${table.length} does not fit`,
      );
    }
    this.#source = source;
  }

  get length(): number {
    return this.#places.length;
  }

  label(sample: number): number {
    return own(this.#source.labels).values[sample]!;
  }

  /** What the model gets. */
  sample(sample: number, epoch: number, { ops, erase }: ImageWork = NOTHING): Float32Array {
    const image = this.#source.to === undefined ? this.#moved(sample, epoch) : this.#image(sample);
    const made = applyOps(image, ops);
    if (!sameShape(made, this.to)) {
      throw new EngineError(`[images] the ops of image ${sample} give one of another shape`);
    }
    return this.#looked(made, erase);
  }

  #image(sample: number): Pixels {
    const { offset, shape } = this.#places[sample]!;
    const { channels, height, width } = shape;
    const bytes = own(this.#source.images).values;
    return {
      ...shape,
      data: Uint8Array.from(bytes.subarray(offset, offset + channels * height * width)),
    };
  }

  #moved(sample: number, epoch: number): Pixels {
    const { channels, height, width, data } = this.#image(sample);
    const { rows, columns } = movedPlaces(this.#source, sample, epoch);
    const moved = Array.from({ length: channels }, (_, channel) =>
      rows.flatMap((y) =>
        columns.map((x) => (y < 0 || x < 0 ? 0 : data[(channel * height + y) * width + x]!)),
      ),
    ).flat();
    return { channels, height: rows.length, width: columns.length, data: Uint8Array.from(moved) };
  }

  #looked(image: Pixels, erase: readonly EraseOp[]): Float32Array {
    const area = image.height * image.width;
    const values = Float32Array.from(
      image.data,
      (byte, i) => this.#source.table[Math.floor(i / area) * 256 + byte]!,
    );
    for (const op of erase) eraseBox(op, image, values);
    return values;
  }
}

function checkNumel(what: string, storage: Storage, expected: number): void {
  if (storage.numel === expected) return;
  throw new EngineError(`[images] ${what} need ${expected} elements, got ${storage.numel}`);
}
