/** Elements repeated, and moved round. */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { checkShape, formatShape, normalizeDim, type Shape } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { indexSelect } from './choosing.ts';
import { tensor } from './host-data.ts';
import { cat } from './joining.ts';
import { expand, flatten, reshape, same, transpose } from './movement.ts';
import { named } from './named.ts';
import { flip, narrow } from './slicing.ts';

// ---- repeated ----------------------------------------------------------------------------------

/** `x` of `repeats.length` dimensions, `repeats[i]` times along each. */
function repeated(op: string, x: Tensor, repeats: readonly number[]): Tensor {
  checkShape(op, repeats);
  const shape = [...Array<number>(repeats.length - x.ndim).fill(1), ...x.shape];
  const result = shape.map((size, i) => size * repeats[i]!);
  checkShape(op, result);
  const apart = reshape(
    x,
    shape.flatMap((size) => [1, size]),
  );
  const spread = expand(
    apart,
    shape.flatMap((size, i) => [repeats[i]!, size]),
  );
  return reshape(spread, result);
}

/**
 * The tensor `repeats[i]` times along dimension i, of which leading ones may be new.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.repeat.html
 */
export const repeat = named(
  'repeat',
  ['input', '*repeats'],
  (input: Tensor, repeats: Shape): Tensor => {
    if (repeats.length >= input.ndim) return repeated('repeat', input, repeats);
    const message = `[${repeats.join(', ')}] must have a number for each dimension of ${formatShape(input.shape)}`;
    throw opError(ShapeError, 'repeat', message);
  },
);

/**
 * As `repeat`, but missing leading numbers are 1.
 * https://pytorch.org/docs/stable/generated/torch.tile.html
 */
export const tile = named('tile', ['input', '*dims'], (input: Tensor, dims: Shape): Tensor => {
  const missing = Math.max(0, input.ndim - dims.length);
  return repeated('tile', input, [...Array<number>(missing).fill(1), ...dims]);
});

/** How often each element comes, as host numbers. */
function countsOf(repeats: Tensor): number[] {
  if (repeats.ndim > 1 || (repeats.dtype !== 'int64' && repeats.dtype !== 'int32')) {
    throw opError(
      ArgumentError,
      'repeat_interleave',
      `repeats must be int64 or int32 of at most one dimension, got ${repeats.dtype} ${formatShape(repeats.shape)}`,
    );
  }
  const counts = Array.from(repeats.dataSync(), Number);
  if (counts.every((count) => count >= 0)) return counts;
  throw opError(ArgumentError, 'repeat_interleave', 'repeats cannot be negative');
}

/** Index i, `counts[i]` times. */
function interleaved(counts: readonly number[]): Tensor {
  const indices = counts.flatMap((count, i) => Array<number>(count).fill(i));
  return tensor(indices, { dtype: 'int64', shape: [indices.length] });
}

/**
 * Each element of dimension `dim` (of the flat tensor by default) `repeats` times in a row;
 * `repeats` may be a tensor with a number for each, which is read. Of a tensor of `repeats` alone:
 * index i so many times. https://pytorch.org/docs/stable/generated/torch.repeat_interleave.html
 */
export const repeatInterleave = named(
  'repeat_interleave',
  ['input', 'repeats', 'dim', 'output_size'],
  (
    input: Tensor,
    repeats: number | Tensor | null = null,
    dim: number | null = null,
    output_size: number | null = null,
  ): Tensor => {
    if (repeats === null) return interleaved(countsOf(input));
    const source = dim === null ? flatten(input) : input;
    const at = normalizeDim('repeat_interleave', dim ?? 0, source.ndim);
    const result = eachRepeated(source.ndim === 0 ? flatten(source) : source, repeats, at);
    if (output_size === null || result.shape[at] === output_size) return result;
    const message = `output_size ${output_size} is not the ${result.shape[at]} that repeats give`;
    throw opError(ArgumentError, 'repeat_interleave', message);
  },
);

function eachRepeated(x: Tensor, repeats: number | Tensor, dim: number): Tensor {
  const size = x.shape[dim]!;
  if (repeats instanceof Tensor) {
    const counts = countsOf(repeats);
    const all = counts.length === 1 ? Array<number>(size).fill(counts[0]!) : counts;
    if (all.length === size) return indexSelect(x, dim, interleaved(all));
    const message = `${counts.length} repeats for dimension ${dim} of size ${size}`;
    throw opError(ShapeError, 'repeat_interleave', message);
  }
  checkShape('repeat_interleave', [repeats]);
  const [before, after] = [x.shape.slice(0, dim), x.shape.slice(dim + 1)];
  const apart = reshape(x, [...before, size, 1, ...after]);
  const spread = expand(apart, [...before, size, repeats, ...after]);
  return reshape(spread, [...before, size * repeats, ...after]);
}

// ---- moved round -------------------------------------------------------------------------------

/**
 * Moves elements by `shifts` along `dims`; those that leave come back at the other end. Without
 * `dims` the flat tensor is rolled. https://pytorch.org/docs/stable/generated/torch.roll.html
 */
export const roll = named(
  'roll',
  ['input', 'shifts', 'dims'],
  (
    input: Tensor,
    shifts: number | readonly number[],
    dims: number | readonly number[] | null = null,
  ): Tensor => {
    const by = [shifts].flat();
    const along = dims === null ? [] : [dims].flat();
    if (by.length === 0) throw opError(ArgumentError, 'roll', 'needs at least one shift');
    if (along.length === 0 && by.length === 1) {
      return reshape(rolled(flatten(input), by[0]!, 0), input.shape);
    }
    if (by.length !== along.length) {
      const message = `${by.length} shifts for ${along.length} dimensions`;
      throw opError(ArgumentError, 'roll', message);
    }
    if (input.ndim === 0)
      throw opError(ArgumentError, 'roll', 'a tensor without dimensions has no dims');
    return along.reduce(
      (x, dim, i) => rolled(x, by[i]!, normalizeDim('roll', dim, input.ndim)),
      same(input),
    );
  },
);

function rolled(x: Tensor, shift: number, dim: number): Tensor {
  const size = x.shape[dim]!;
  if (size === 0) return x;
  const split = size - (((shift % size) + size) % size);
  if (split === size) return x;
  return cat([narrow(x, dim, split, size - split), narrow(x, dim, 0, split)], dim);
}

/**
 * Turns the plane of two dimensions by `k` times 90 degrees, from the first towards the second.
 * https://pytorch.org/docs/stable/generated/torch.rot90.html
 */
export const rot90 = named(
  'rot90',
  ['input', 'k', 'dims'],
  (input: Tensor, k = 1, dims: readonly number[] = [0, 1]): Tensor => {
    const plane = dims.map((dim) => normalizeDim('rot90', dim, input.ndim));
    if (plane.length !== 2 || input.ndim < 2 || plane[0] === plane[1]) {
      const message = `dims [${dims.join(', ')}] are no plane of ${formatShape(input.shape)}`;
      throw opError(ArgumentError, 'rot90', message);
    }
    const [a, b] = plane as [number, number];
    const turns = ((k % 4) + 4) % 4;
    if (turns === 0) return same(input);
    if (turns === 2) return flip(input, [a, b]);
    return turns === 1 ? transpose(flip(input, b), a, b) : flip(transpose(input, a, b), b);
  },
);

const flipping = (op: string, dim: number) =>
  named(op, ['input'], (input: Tensor): Tensor => {
    if (input.ndim > dim) return flip(input, dim);
    const message = `needs at least ${dim + 1} dimensions, got ${formatShape(input.shape)}`;
    throw opError(ShapeError, op, message);
  });

/**
 * Reverses the rows: the second dimension.
 * https://pytorch.org/docs/stable/generated/torch.fliplr.html
 */
export const fliplr = flipping('fliplr', 1);
/**
 * Reverses the columns: the first dimension.
 * https://pytorch.org/docs/stable/generated/torch.flipud.html
 */
export const flipud = flipping('flipud', 0);
