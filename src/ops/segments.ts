/** Reductions of parts of a dimension that follow each other. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';
import { full } from './constant.ts';
import { type ScatterReduction, scatterReduce } from './indexing.ts';
import { expand, reshape, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { add, cast, div, eq, lt, sub, where } from './pointwise.ts';
import { arange } from './ranges.ts';
import { cumsum } from './scanning.ts';
import { searchsorted } from './searching.ts';
import { narrow } from './slicing.ts';

export type SegmentReduction = 'sum' | 'mean' | 'max' | 'min' | 'prod';

/** How each is scattered, and what an empty segment gives. */
const REDUCTIONS: Readonly<Record<SegmentReduction, [ScatterReduction, number]>> = {
  sum: ['sum', 0],
  mean: ['sum', 0],
  max: ['amax', -Infinity],
  min: ['amin', Infinity],
  prod: ['prod', 1],
};

/**
 * The reduction of each segment of `data` along `axis`: `lengths`, or `offsets` where each begins
 * and the last ends (they may leave elements out), are integers of shape (..., segments) after the
 * sizes of `data` before `axis`. A segment begins with `initial`, by default what changes nothing;
 * the mean of nothing is NaN. Lengths are read to be checked, unless `unsafe` or in a step that is
 * being compiled.
 * https://github.com/pytorch/pytorch/blob/main/torch/_torch_docs.py
 */
export const segmentReduce = named(
  'segment_reduce',
  ['data', 'reduce', 'lengths', 'indices', 'offsets', 'axis', 'unsafe', 'initial'],
  (
    data: Tensor,
    reduce: SegmentReduction,
    lengths: Tensor | null = null,
    indices: Tensor | null = null,
    offsets: Tensor | null = null,
    axis = 0,
    unsafe = false,
    initial: number | null = null,
  ): Tensor => {
    const op = 'segment_reduce';
    const reduction = REDUCTIONS[reduce];
    if (reduction === undefined) {
      throw opError(ArgumentError, op, `reduce must be sum, mean, max, min or prod, got ${reduce}`);
    }
    if (indices !== null) throw opError(ArgumentError, op, 'takes lengths or offsets, not indices');
    if (!isFloating(data.dtype)) {
      throw opError(DTypeError, op, `needs floating point data, got ${data.dtype}`);
    }
    const at = normalizeDim(op, axis, data.ndim);
    const sizes = lengths ?? (offsets === null ? null : differences(op, offsets));
    if (sizes === null) throw opError(ArgumentError, op, 'needs lengths or offsets');
    checkLengths(sizes, data, at);
    // As in PyTorch, offsets may leave elements out.
    if (!unsafe && lengths !== null) checkContents(sizes, data.shape[at]!);
    const first = lengths === null ? narrow(offsets!, -1, 0, 1) : null;
    return reduced(data, sizes, first, at, reduce, initial);
  },
);

function differences(op: string, offsets: Tensor): Tensor {
  const size = offsets.shape.at(-1) ?? 0;
  if (size === 0) throw opError(ShapeError, op, 'offsets need an end');
  return sub(narrow(offsets, -1, 1, size - 1), narrow(offsets, -1, 0, size - 1));
}

function checkLengths(lengths: Tensor, data: Tensor, axis: number): void {
  const op = 'segment_reduce';
  if (lengths.dtype !== 'int64' && lengths.dtype !== 'int32') {
    throw opError(DTypeError, op, `lengths must be int64 or int32, got ${lengths.dtype}`);
  }
  if (lengths.ndim === axis + 1 && sameShape(lengths.shape.slice(0, -1), data.shape.slice(0, axis)))
    return;
  const [a, b] = [formatShape(lengths.shape), formatShape(data.shape)];
  throw opError(
    ShapeError,
    op,
    `lengths ${a} must be those of data ${b} before axis ${axis}, and the number of segments`,
  );
}

function checkContents(lengths: Tensor, size: number): void {
  if (currentTrace() !== undefined || lengths.numel() === 0) return;
  const values = Array.from(lengths.dataSync(), Number);
  const count = lengths.shape.at(-1)!;
  for (let row = 0; row < values.length; row += count) {
    const given = values.slice(row, row + count);
    const total = given.reduce((a, b) => a + b, 0);
    if (total === size && given.every((length) => length >= 0)) continue;
    const message = `lengths must not be negative and add up to ${size}, got ${given.join(', ')}`;
    throw opError(ArgumentError, 'segment_reduce', message);
  }
}

function reduced(
  data: Tensor,
  lengths: Tensor,
  first: Tensor | null,
  axis: number,
  reduce: SegmentReduction,
  initial: number | null,
): Tensor {
  const [scattered, neutral] = REDUCTIONS[reduce];
  const before = data.shape.slice(0, axis);
  const after = data.shape.slice(axis + 1);
  const segments = lengths.shape.at(-1)!;
  const shape = [...before, segments, ...after];
  const start = full(shape, initial ?? neutral, data.dtype);
  if (data.numel() === 0 || segments === 0) return reduce === 'mean' ? meanOf(start) : start;
  const places = expand(arange(data.shape[axis]!), [...before, data.shape[axis]!]);
  const begin = first === null ? 0 : cast(first, 'int64');
  const ends = add(cumsum(cast(lengths, 'int64'), -1), begin);
  const found = searchsorted(ends, places, { right: true });
  // What is in front of the first segment or behind the last goes to one more, which nobody sees.
  const segment = lift(where(lt(places, begin), segments, found), after.length);
  const room = full([...before, segments + 1, ...after], initial ?? neutral, data.dtype);
  const all = scatterReduce(room, axis, expand(segment, data.shape), data, scattered);
  const sums = narrow(all, axis, 0, segments);
  return reduce === 'mean' ? meanOf(sums) : sums;

  function meanOf(sums: Tensor): Tensor {
    const size = lift(lengths, after.length);
    const isEmpty = eq(size, 0);
    return where(isEmpty, initial ?? Number.NaN, div(sums, where(isEmpty, 1, size)));
  }
}

/** With `count` sizes of 1 behind. */
function lift(x: Tensor, count: number): Tensor {
  return count === 0 ? x : reshape(unsqueeze(x, -1), [...x.shape, ...Array<number>(count).fill(1)]);
}
