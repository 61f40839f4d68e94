/** Images of bytes, one after the other, in memory or in a file. */

import { ArgumentError } from '../../base/errors.ts';
import type { Engine, Storage } from '../../engine/engine.ts';
import type { ImageShape } from '../../engine/image-ops/pixels.ts';
import type { FileBytes } from '../../io/open-file.ts';
import { concatenated, gather } from '../rows.ts';
import type { Pixels, Size } from './pixels.ts';

export interface ImagePixels {
  readonly channels: number;
  /** Of every image; of the largest where `sizes` gives each its own. */
  readonly height: number;
  readonly width: number;
  /**
   * (length, channels, height, width), row-major: all of the first image's first channel first. Of
   * images with sizes of their own, one after the other.
   */
  readonly images: Uint8Array | FileBytes;
  /** (length, 2): the height and width of each image, where they differ. */
  readonly sizes?: Int32Array | undefined;
  /** (length,): the byte at which each begins, where they do not lie one after the other. */
  readonly begins?: Float64Array | undefined;
}

export class ImageStore implements ImagePixels {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly images: Uint8Array | FileBytes;
  readonly sizes: Int32Array | undefined;
  readonly begins: Float64Array | undefined;
  /** Where each image begins, where that does not follow from its number alone. */
  readonly #begins: Float64Array | undefined;

  /** Throws an `ArgumentError` when the bytes are not those of images of these sizes. */
  constructor(
    readonly length: number,
    { channels, height, width, images, sizes, begins }: ImagePixels,
  ) {
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.images = images;
    this.sizes = sizes;
    this.begins = begins;
    if (sizes !== undefined && sizes.length !== 2 * length) {
      throw new ArgumentError(
        `[ImageDataset] ${length} images have ${2 * length} heights and widths, got ${sizes.length}`,
      );
    }
    this.#begins = begins ?? (sizes && new Float64Array(length));
    const end = this.#walk();
    if (begins === undefined ? images.length === end : end <= images.length) return;
    const what =
      sizes === undefined
        ? `${length} images of ${channels}x${height}x${width}`
        : 'images of these sizes';
    throw new ArgumentError(`[ImageDataset] ${what} take ${end} bytes, got ${images.length}`);
  }

  /** Where the last image ends; notes where each begins where they lie one after the other. */
  #walk(): number {
    const { channels, height, width, sizes, begins, length } = this;
    if (sizes === undefined && begins === undefined) return length * channels * height * width;
    let end = 0;
    let last = 0;
    for (let i = 0; i < length; i++) {
      const shape = this.shape(i);
      if (begins === undefined) this.#begins![i] = end;
      end = this.#begins![i]! + shape.channels * shape.height * shape.width;
      last = Math.max(last, end);
    }
    return last;
  }

  shape(place: number): ImageShape {
    const { channels, sizes } = this;
    if (sizes === undefined) return { channels, height: this.height, width: this.width };
    return { channels, height: sizes[2 * place]!, width: sizes[2 * place + 1]! };
  }

  /** Of a file, a copy. */
  image(place: number): Pixels {
    const shape = this.shape(place);
    const size = shape.channels * shape.height * shape.width;
    const begin = this.#begins?.[place] ?? place * size;
    return { ...shape, data: this.images.subarray(begin, begin + size) };
  }

  /** The images of `places`; those of a file stay there, others are copied. */
  take(places: Int32Array): ImagePixels {
    if (this.images instanceof Uint8Array) {
      return joined(
        Array.from(places, (place) => this.image(place)),
        this,
      );
    }
    const { channels, height, width, images } = this;
    const area = channels * height * width;
    const begin = (place: number) => this.#begins?.[place] ?? place * area;
    const begins = Float64Array.from(places, begin);
    const sizes = this.sizes && gather(this.sizes, 2, places);
    return { channels, height, width, images, sizes, begins };
  }

  /** All images, one after the other; of a file, a copy. */
  bytes(): Uint8Array {
    if (this.begins === undefined) return this.images.subarray(0, this.images.length);
    const all = Array.from({ length: this.length }, (_, place) => this.image(place).data);
    return concatenated([new Uint8Array(0), ...all]);
  }

  /** The bytes where an engine can gather from; those of a file are not held in memory. */
  hold(engine: Engine): Storage {
    if (!(this.images instanceof Uint8Array)) return engine.map(this.images);
    const storage = engine.allocate('uint8', this.images.length);
    engine.write(storage, this.images);
    return storage;
  }
}

/** The size of all images in some stores, if they have one. */
export function commonSize(stores: readonly ImageStore[]): Size | undefined {
  const [{ height, width }] = stores as [ImageStore];
  const isCommon = stores.every(
    (store) => store.sizes === undefined && store.height === height && store.width === width,
  );
  return isCommon ? { height, width } : undefined;
}

/** Images one after the other; with their sizes where these differ. */
export function joined(images: readonly Pixels[], empty: ImageShape): ImagePixels {
  const [first = empty] = images;
  const largest = new LargestSize();
  for (const image of images) largest.add(image);
  const { height = empty.height, width = empty.width, isEven } = largest;
  const bytes = concatenated([new Uint8Array(0), ...images.map(({ data }) => data)]);
  const shared = { channels: first.channels, height, width, images: bytes };
  return isEven ? shared : { ...shared, sizes: sizesOf(images) };
}

/** The greatest height and width of images that come one at a time. */
export class LargestSize {
  height: number | undefined;
  width: number | undefined;
  /** Whether all had one size. */
  isEven = true;

  add({ height, width }: { readonly height: number; readonly width: number }): void {
    this.isEven &&= (this.height ?? height) === height && (this.width ?? width) === width;
    this.height = Math.max(this.height ?? 0, height);
    this.width = Math.max(this.width ?? 0, width);
  }
}

/** (length, 2) */
export function sizesOf(images: readonly { height: number; width: number }[]): Int32Array {
  return Int32Array.from(images.flatMap(({ height, width }) => [height, width]));
}
