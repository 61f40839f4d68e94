/** A list of transforms as one thing: what it gives, does once, and does to every sample. */

import { BuildError, type SpecPath } from '../../base/build-error.ts';
import { engine } from '../../core/device.ts';
import type { EraseOp, ImageOp, ImageWork } from '../../engine/image-ops/op.ts';
import { shapeAfterAll } from '../../engine/image-ops/op.ts';
import type { ImageShape, Pixels } from '../../engine/image-ops/pixels.ts';
import type { PixelMove } from '../../engine/images.ts';
import type { Field } from '../dataset.ts';
import { Draws } from './draws.ts';
import {
  atTransform,
  type ErasingTransform,
  type Given,
  type ImageTransform,
  type PixelTransform,
  type Transform,
} from './transforms.ts';

/** The image transforms that come first and draw nothing: they are applied once. */
export function preparations(pipeline: readonly Transform[]): ImageTransform[] {
  const end = pipeline.findIndex((transform) => transform.takes !== 'image' || transform.random);
  return pipeline.slice(0, end < 0 ? undefined : end) as ImageTransform[];
}

/** What one transform makes of images. Throws a `BuildError` at it. */
export function givenBy(step: ImageTransform, given: Given): Given {
  return atTransform(step, () => step.gives(given));
}

/** What a list of transforms makes of images. Throws a `BuildError` at one that does not fit. */
export function givenAfter(steps: readonly ImageTransform[], given: Given): Given {
  return steps.reduce((before, step) => givenBy(step, before), given);
}

/** An image after all steps, which draw nothing. */
export function prepareImage(image: Pixels, steps: readonly ImageTransform[]): Pixels {
  return steps.reduce((given, step) => engine().applyOps(given, step.draw(NOTHING, given)), image);
}

/** For transforms that draw nothing. */
const NOTHING = new Draws({ seed: 0, epoch: 0, sample: 0, place: 0 });

/**
 * What a pipeline gives for images that are not prepared yet. Throws a `BuildError` as `byteTable`
 * and as its transforms do, and when the images end with sizes of their own.
 */
export function imageField(pipeline: readonly Transform[], given: Given): Field {
  const { channels, height, width } = resultShape(pipeline, given);
  return { dtype: 'float32', shape: [channels, height, width] };
}

function resultShape(pipeline: readonly Transform[], given: Given): ImageShape {
  const steps = pipeline.filter(isImageTransform);
  const { channels, size } = givenAfter(steps, given);
  byteTable(pipeline, channels);
  for (const erasing of pipeline.filter(isErasing)) {
    atTransform(erasing, () => erasing.check(channels));
  }
  if (size !== undefined) return { channels, ...size };
  const { name, place } = lastToVary(steps, given) ?? LIST;
  throw new BuildError(
    `[${name}] the images have sizes of their own; add CenterCrop, RandomResizedCrop, or Resize with [height, width]`,
    place,
  );
}

/** The argument as a whole, where no transform is to blame. */
const LIST = { name: 'transforms', place: ['transforms'] };

/** The transform that gave images sizes of their own. */
function lastToVary(steps: readonly ImageTransform[], given: Given) {
  let before = given;
  let found: { name: string; place: SpecPath } | undefined;
  for (const step of steps) {
    const after = step.gives(before);
    if (before.size !== undefined && after.size === undefined) found = placeOf(step);
    before = after;
  }
  return found;
}

function placeOf({ name, place = LIST.place }: Transform) {
  return { name, place };
}

/** What is done to every sample of prepared images. */
export interface SampleWork {
  /** (channels, 256): the float32 value each byte becomes. */
  readonly table: Float32Array;
  /** For engines that draw on their own; where it is all there is, `to` is missing. */
  readonly moves: readonly PixelMove[];
  /** The shape that the ops give every image. */
  readonly to: ImageShape | undefined;
  /** What is done to one image of this shape. */
  draw(image: ImageShape, at: { seed: number; epoch: number; sample: number }): ImageWork;
}

/** @param rest the transforms after the preparations. Throws as `imageField` does. */
export function sampleWork(rest: readonly Transform[], given: Given): SampleWork {
  const to = resultShape(rest, given);
  const steps = rest.filter(isImageTransform);
  const moves = steps.flatMap(({ move }) => (move === undefined ? [] : [move]));
  const onlyMoves = moves.length === steps.length && !rest.some(isErasing);
  const isMoved = onlyMoves && (given.size !== undefined || moves.length === 0);
  return {
    table: byteTable(rest, to.channels),
    moves: isMoved ? moves : [],
    to: isMoved ? undefined : to,
    draw: (image, at) => drawWork(rest, image, at),
  };
}

function drawWork(
  rest: readonly Transform[],
  image: ImageShape,
  at: { seed: number; epoch: number; sample: number },
): ImageWork {
  const ops: ImageOp[] = [];
  const erase: EraseOp[] = [];
  let shape = image;
  let place = 0;
  for (const [i, transform] of rest.entries()) {
    if (transform.takes === 'image') {
      const draws = transform.random ? new Draws({ ...at, place: place++ }) : NOTHING;
      const drawn = transform.draw(draws, shape);
      shape = shapeAfterAll(drawn, shape);
      ops.push(...drawn);
    } else if (transform.takes === 'tensor') {
      const drawn = transform.draw(new Draws({ ...at, place: place++ }), shape);
      if (drawn !== undefined) erase.push(after(drawn, rest.slice(i + 1).filter(isPixelTransform)));
    }
  }
  return { ops, erase };
}

/** What later transforms make of the values that were written. */
function after(op: EraseOp, later: readonly PixelTransform[]): EraseOp {
  if ('key' in op.value) return op;
  const value = op.value.map((before, channel) =>
    later.reduce((given, transform) => transform.apply(given, channel), Math.fround(before)),
  );
  return { ...op, value };
}

/**
 * The values bytes become: (channels, 256) float32. Throws a `BuildError` when `ToTensor`
 * is missing, comes twice or between the wrong ones, or one is made for another number of channels.
 */
export function byteTable(transforms: readonly Transform[], channels: number): Float32Array {
  const names = transforms.map((transform) => transform.name).join(', ');
  const pipeline = transforms.filter(isPixelTransform);
  if (pipeline.length === 0) {
    throw new BuildError(`[transforms] images need ToTensor; got ${names || 'none'}`, LIST.place);
  }
  checkOrder(transforms, names);
  for (const [i, transform] of pipeline.entries()) {
    if (transform.takes !== (i === 0 ? 'bytes' : 'floats')) {
      const message = `[${transform.name}] ToTensor must come first, and once; got ${names}`;
      throw new BuildError(message, placeOf(transform).place);
    }
    if (transform.channels !== undefined && transform.channels !== channels) {
      throw new BuildError(
        `[${transform.name}] is given for ${transform.channels} channels, but the images have ${channels}`,
        placeOf(transform).place,
      );
    }
  }
  const table = new Float32Array(channels * 256);
  for (let i = 0; i < table.length; i++) {
    const channel = i >> 8;
    table[i] = pipeline.reduce((value, transform) => transform.apply(value, channel), i & 255);
  }
  return table;
}

/** Images of bytes first, then floats; noise last. */
function checkOrder(transforms: readonly Transform[], names: string): void {
  const firstPixel = transforms.findIndex(isPixelTransform);
  const wrong = transforms.find(
    ({ takes }, i) =>
      (takes === 'image' && i > firstPixel) || (takes === 'tensor' && i < firstPixel),
  );
  if (wrong !== undefined) {
    const side = wrong.takes === 'image' ? 'before' : 'after';
    throw new BuildError(
      `[${wrong.name}] must come ${side} ToTensor or ToDtype; got ${names}`,
      placeOf(wrong).place,
    );
  }
  const noise = transforms.findIndex((transform) => isErasing(transform) && transform.noise);
  if (noise >= 0 && transforms.slice(noise).some(isPixelTransform)) {
    throw new BuildError(
      `[${transforms[noise]!.name}] with random values must come after Normalize; got ${names}`,
      placeOf(transforms[noise]!).place,
    );
  }
}

function isImageTransform(transform: Transform): transform is ImageTransform {
  return transform.takes === 'image';
}

function isPixelTransform(transform: Transform): transform is PixelTransform {
  return transform.takes === 'bytes' || transform.takes === 'floats';
}

function isErasing(transform: Transform): transform is ErasingTransform {
  return transform.takes === 'tensor';
}
