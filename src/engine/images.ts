/**
 * Batches of images: what an engine makes of stored bytes on their way into a model. The sizes and
 * draws are specified here; `native/runtime/image_batch.h` does the same.
 */

import { EngineError } from '../base/errors.ts';
import { philox4x32, philoxKey } from '../base/philox.ts';
import type { Storage } from './engine.ts';
import type { ImageWork } from './image-ops/op.ts';
import type { ImageShape } from './image-ops/pixels.ts';

/**
 * Moves the pixels of an image before the table is applied. What is random is drawn from the Philox
 * block (sample, place in the list, epoch, "augm") under the seed, so an epoch can be replayed
 * from its middle.
 */
export type PixelMove =
  /** A window of this size, anywhere in the image with black pixels around it. */
  | {
      readonly kind: 'crop';
      readonly height: number;
      readonly width: number;
      readonly left: number;
      readonly top: number;
      readonly right: number;
      readonly bottom: number;
    }
  /** Left to right, with this probability. */
  | { readonly kind: 'flip'; readonly probability: number };

export interface ImageSource {
  /**
   * uint8 (count, channels, height, width); one image after the other where `sizes` gives each its
   * own. Not to be written while this is in use.
   */
  readonly images: Storage;
  /** int64 (count). Not to be written while this is in use. */
  readonly labels: Storage;
  /** (channels, 256): the float32 value each byte becomes. Channels are those of `to`, if given. */
  readonly table: Float32Array;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** (count, 2): the height and width of each image, where they differ; needs `to`. */
  readonly sizes?: Int32Array | undefined;
  /** (count): the byte at which each image begins, where they do not lie one after the other. */
  readonly begins?: Float64Array | undefined;
  readonly moves: readonly PixelMove[];
  /** A non-negative safe integer. */
  readonly seed: number;
  /** The shape that ops give every image. They come with each batch, and exclude moves. */
  readonly to?: ImageShape | undefined;
  /** What is random about its first image is drawn as that of the sample of this number; 0. */
  readonly first?: number | undefined;
  /** Threads that make a batch, the most of several sources; no value depends on it. 1. */
  readonly workers?: number | undefined;
}

/** What is done to each sample of a batch; to those whose source has no `to`, nothing. */
export type WorkOf = (indices: Int32Array, epoch: number) => readonly ImageWork[];

/** Where one batch goes: `inputs` float32 (size, channels, height', width'), `targets` int64. */
export interface BatchSlot {
  readonly inputs: Storage;
  readonly targets: Storage;
}

export interface BatchStreamRequest {
  /** The samples of all batches, in order. */
  readonly order: Int32Array;
  readonly batch_size: number;
  readonly epoch: number;
  /** Used in turn, by all but a last, smaller batch. */
  readonly slots: readonly BatchSlot[];
  /** For a last, smaller batch, where there is one. */
  readonly tail?: BatchSlot;
  /** Batches made before the first is taken: the slots that nobody will read again. */
  readonly ahead: number;
  /** Asked for each batch in order, `ahead` before it is taken. */
  readonly work?: WorkOf | undefined;
}

/** Batches made ahead on a thread of their own. */
export interface BatchStream {
  /**
   * Promises the next batch in the next slot: a run that reads it, or `read`, waits for it. Once
   * the runs queued so far are done, another batch is made, `ahead` after this one.
   */
  take(): void;
  dispose(): void;
}

/** Images an engine holds, and batches of them. */
export interface Images {
  /**
   * Fills one batch now. Throws an `EngineError` when an index is out of range, sizes differ or the
   * work on an image does not fit it.
   */
  gather(indices: Int32Array, epoch: number, slot: BatchSlot, work?: WorkOf): void;
  /** Batches of an order, ahead of their use. Missing where the engine has no threads. */
  stream?(request: BatchStreamRequest): BatchStream;
}

/** The shape of an image on its way into the model. */
export function shapeOfSample(source: Omit<ImageSource, 'images' | 'labels'>): ImageShape {
  const { channels, height, width, moves, to } = source;
  if (to !== undefined) return to;
  const crops = moves.flatMap((move) => (move.kind === 'crop' ? [move] : []));
  const size = crops.at(-1) ?? { height, width };
  return { channels, height: size.height, width: size.width };
}

/** Keeps the draws apart from the shuffle's: "augm" in ASCII. */
export const AUGMENTATION_STREAM = 0x6175676d;

/** Where the rows and columns of a moved image come from; -1 where they show nothing. */
export function movedPlaces(
  { height, width, moves, seed, first: from = 0 }: ImageSource,
  sample: number,
  epoch: number,
): { rows: number[]; columns: number[] } {
  let rows = Array.from({ length: height }, (_, i) => i);
  let columns = Array.from({ length: width }, (_, i) => i);
  for (const [place, move] of moves.entries()) {
    const [first, second] = philox4x32(
      [from + sample, place, epoch, AUGMENTATION_STREAM],
      philoxKey(seed),
    );
    if (move.kind === 'flip') {
      if (first / 2 ** 32 < move.probability) columns.reverse();
      continue;
    }
    rows = window(rows, move.top, move.bottom, move.height, first);
    columns = window(columns, move.left, move.right, move.width, second);
  }
  return { rows, columns };
}

function window(from: number[], before: number, after: number, size: number, word: number) {
  const room = from.length + before + after - size;
  if (room < 0) throw new EngineError('[images] a crop is larger than the padded image');
  const start = Math.floor((word * (room + 1)) / 2 ** 32) - before;
  return Array.from({ length: size }, (_, i) => from[start + i] ?? -1);
}
