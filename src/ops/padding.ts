/**
 * Tensors with something around them.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.pad.html
 */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { checkShape, contiguousStrides, formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { cat } from './joining.ts';
import { expand, same } from './movement.ts';
import { named } from './named.ts';
import { flip, narrow, place } from './slicing.ts';

export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

/** How much is added before and after one dimension; negative where it is cut off. */
interface Sides {
  readonly dim: number;
  readonly before: number;
  readonly after: number;
}

/** `pad` holds (before, after) pairs from the last dimension backwards. */
function sidesOf(op: string, x: Tensor, pad: readonly number[]): Sides[] {
  const pairs = pad.length / 2;
  if (!Number.isInteger(pairs) || pairs > x.ndim || !pad.every(Number.isInteger)) {
    throw opError(
      ArgumentError,
      op,
      `pad [${pad.join(', ')}] must be pairs of integers for at most ${x.ndim} dimensions`,
    );
  }
  const sides = Array.from({ length: pairs }, (_, i) => ({
    dim: x.ndim - 1 - i,
    before: pad[2 * i]!,
    after: pad[2 * i + 1]!,
  }));
  for (const { dim, before, after } of sides) {
    if (x.shape[dim]! + before + after < 0) {
      throw opError(
        ShapeError,
        op,
        `pad [${pad.join(', ')}] takes more than there is of ${formatShape(x.shape)}`,
      );
    }
  }
  return sides;
}

/** Without the elements that negative sides cut off. */
function cropped(x: Tensor, sides: readonly Sides[]): Tensor {
  return sides.reduce((y, { dim, before, after }) => {
    const start = Math.max(-before, 0);
    const length = y.shape[dim]! - start - Math.max(-after, 0);
    return length === y.shape[dim] ? y : narrow(y, dim, start, length);
  }, x);
}

/** `sides` without those that cut. */
function growth(sides: readonly Sides[]): Sides[] {
  return sides.map(({ dim, before, after }) => ({
    dim,
    before: Math.max(before, 0),
    after: Math.max(after, 0),
  }));
}

function padConstant(op: string, x: Tensor, pad: readonly number[], value: number): Tensor {
  const sides = sidesOf(op, x, pad);
  const inner = cropped(x, sides);
  const added = growth(sides);
  const shape = paddedShape(inner, added);
  checkShape(op, shape);
  const strides = contiguousStrides(shape);
  const offset = added.reduce((sum, { dim, before }) => sum + before * strides[dim]!, 0);
  return place(inner, shape, { offset, strides }, Number(value));
}

function paddedShape(x: Tensor, sides: readonly Sides[]): number[] {
  const shape = [...x.shape];
  for (const { dim, before, after } of sides) shape[dim]! += before + after;
  return shape;
}

/** One dimension continued on both sides from what is there. */
const CONTINUE: Record<Exclude<PadMode, 'constant'>, (x: Tensor, sides: Sides) => Tensor[]> = {
  reflect: (x, { dim, before, after }) => [
    flip(narrow(x, dim, before === 0 ? 0 : 1, before), dim),
    x,
    flip(narrow(x, dim, after === 0 ? 0 : x.shape[dim]! - 1 - after, after), dim),
  ],
  replicate: (x, { dim, before, after }) => [
    repeatedEdge(x, dim, 0, before),
    x,
    repeatedEdge(x, dim, -1, after),
  ],
  circular: (x, { dim, before, after }) => [
    narrow(x, dim, x.shape[dim]! - before, before),
    x,
    narrow(x, dim, 0, after),
  ],
};

function repeatedEdge(x: Tensor, dim: number, index: number, count: number): Tensor {
  return expand(
    narrow(x, dim, index, 1),
    x.shape.map((size, i) => (i === dim ? count : size)),
  );
}

function padContinued(x: Tensor, pad: readonly number[], mode: keyof typeof CONTINUE): Tensor {
  const sides = sidesOf('pad', x, pad);
  checkContinued(x, pad, sides, mode);
  // What goes round is what is left; the other modes mirror and repeat what was there before a cut.
  const start = mode === 'circular' ? cropped(x, sides) : x;
  const padded = growth(sides)
    .filter(({ before, after }) => before > 0 || after > 0)
    .reduce((y, side) => {
      const parts = CONTINUE[mode](y, side).filter((part) => part.shape[side.dim] !== 0);
      return cat(parts, side.dim);
    }, start);
  return mode === 'circular' ? same(padded) : same(cropped(padded, sides));
}

function checkContinued(
  x: Tensor,
  pad: readonly number[],
  sides: readonly Sides[],
  mode: keyof typeof CONTINUE,
): void {
  const spatial = sides.length;
  const hasBatch = x.ndim === spatial + 2;
  if (spatial < 1 || spatial > 3 || !(hasBatch || x.ndim === spatial + 1)) {
    throw opError(
      ShapeError,
      'pad',
      `${mode} pads the last 1 to 3 dimensions behind channels and a batch, if there is one: pad ` +
        `[${pad.join(', ')}] does not fit ${formatShape(x.shape)}`,
    );
  }
  if (x.shape.slice(hasBatch ? 1 : 0).includes(0)) {
    throw opError(
      ShapeError,
      'pad',
      `${mode} of ${formatShape(x.shape)}: there is nothing to repeat`,
    );
  }
  if (mode === 'replicate') return;
  for (const { dim, before, after } of sides) {
    const most = x.shape[dim]! - (mode === 'reflect' ? 1 : 0);
    if (Math.max(before, after) <= most) continue;
    throw opError(
      ArgumentError,
      'pad',
      `${mode} adds at most ${most} to dimension ${dim} of ${formatShape(x.shape)}, got ` +
        `${before} and ${after}`,
    );
  }
}

/**
 * Adds to `input` around its last dimensions: `pad` holds (before, after) pairs from the last
 * dimension backwards, negative where something is cut off. `constant` adds `value` (0) to any
 * dimension; the others continue the last 1 to 3 dimensions of (N, C, ...) or (C, ...). Throws
 * ArgumentError or ShapeError where `pad` does not fit.
 */
export const pad = named(
  'pad',
  ['input', 'pad', 'mode', 'value'],
  (
    input: Tensor,
    pad: readonly number[],
    mode: PadMode = 'constant',
    value: number | null = null,
  ): Tensor => {
    if (mode === 'constant') return padConstant('pad', input, pad, value ?? 0);
    if (!Object.hasOwn(CONTINUE, mode)) {
      const modes = ['constant', ...Object.keys(CONTINUE)].join(', ');
      throw opError(ArgumentError, 'pad', `mode must be one of ${modes}, got ${mode}`);
    }
    if (value !== null && value !== 0) {
      throw opError(ArgumentError, 'pad', `mode ${mode} takes no value, got ${value}`);
    }
    return padContinued(input, pad, mode);
  },
);

/** `pad` with a constant. https://pytorch.org/docs/stable/generated/torch.constant_pad_nd.html */
export const constantPadNd = named(
  'constant_pad_nd',
  ['input', 'pad', 'value'],
  (input: Tensor, pad: readonly number[], value = 0): Tensor =>
    padConstant('constant_pad_nd', input, pad, value),
);
