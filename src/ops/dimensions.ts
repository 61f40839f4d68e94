/** Other names for, and combinations of, the movements of dimensions. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import {
  broadcastShapes as commonShape,
  formatShape,
  normalizeDim,
  type Shape,
  sameShape,
} from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { expand, flatten, inferSizes, permute, reshape, same, transpose } from './movement.ts';
import { named } from './named.ts';
import { cast } from './pointwise.ts';
import { sumTo } from './reduction.ts';

// ---- order -------------------------------------------------------------------------------------

const moving = (op: string) =>
  named(
    op,
    ['input', 'source', 'destination'],
    (
      input: Tensor,
      source: number | readonly number[],
      destination: number | readonly number[],
    ): Tensor => {
      const dims = (given: number | readonly number[]) =>
        [given].flat().map((dim) => normalizeDim(op, dim, input.ndim));
      const [from, to] = [dims(source), dims(destination)];
      if (from.length !== to.length || [from, to].some((d) => new Set(d).size !== d.length)) {
        const message = `source [${from}] and destination [${to}] must be as many distinct dimensions`;
        throw opError(ArgumentError, op, message);
      }
      const order = input.shape.map((_, i) => i).filter((dim) => !from.includes(dim));
      const moves = to.map((at, i) => [at, from[i]!] as const).sort(([a], [b]) => a - b);
      for (const [at, dim] of moves) order.splice(at, 0, dim);
      return input.ndim === 0 ? same(input) : permute(input, order);
    },
  );

/**
 * Moves the dimensions `source` to the places `destination`; the others keep their order.
 * https://pytorch.org/docs/stable/generated/torch.movedim.html
 */
export const movedim = moving('movedim');
/** `movedim`. https://pytorch.org/docs/stable/generated/torch.moveaxis.html */
export const moveaxis = moving('moveaxis');

/**
 * The matrix transposed; two dimensions at most.
 * https://pytorch.org/docs/stable/generated/torch.t.html
 */
export const t = named('t', ['input'], (input: Tensor): Tensor => {
  if (input.ndim <= 2) return reversed(input);
  const message = `needs at most two dimensions, got ${formatShape(input.shape)}`;
  throw opError(ShapeError, 't', message);
});

/** All dimensions in reverse order: `x.T`. */
export function reversed(x: Tensor): Tensor {
  return permute(x, x.shape.map((_, i) => i).reverse());
}

/** The last two dimensions exchanged: `x.mT`. */
export function matrixTranspose(op: string, x: Tensor): Tensor {
  if (x.ndim === 0) return same(x);
  if (x.ndim >= 2) return transpose(x, -2, -1);
  throw opError(ShapeError, op, `needs matrices or batches of them, got ${formatShape(x.shape)}`);
}

/** `x.H`: a matrix transposed, for real numbers. */
export function hermitian(x: Tensor): Tensor {
  if (x.ndim === 0 || x.ndim === 2) return matrixTranspose('H', x);
  throw opError(ShapeError, 'H', `needs a matrix, got ${formatShape(x.shape)}`);
}

/** Matrices transposed. https://pytorch.org/docs/stable/generated/torch.adjoint.html */
export const adjoint = named('adjoint', ['input'], (input: Tensor) =>
  matrixTranspose('adjoint', input),
);

// ---- shape -------------------------------------------------------------------------------------

/** All elements in one dimension. https://pytorch.org/docs/stable/generated/torch.ravel.html */
export const ravel = named('ravel', ['input'], (input: Tensor): Tensor => flatten(input));

/**
 * Dimension `dim` as several of `sizes`, one of which may be -1.
 * https://pytorch.org/docs/stable/generated/torch.unflatten.html
 */
export const unflatten = named(
  'unflatten',
  ['input', 'dim', 'sizes'],
  (input: Tensor, dim: number, sizes: Shape): Tensor => {
    const at = normalizeDim('unflatten', dim, input.ndim);
    if (input.ndim === 0 || sizes.length === 0) {
      const message = `dimension ${dim} of ${formatShape(input.shape)} needs at least one size`;
      throw opError(ShapeError, 'unflatten', message);
    }
    const inner = inferSizes('unflatten', [input.shape[at]!], sizes);
    return reshape(input, [...input.shape.slice(0, at), ...inner, ...input.shape.slice(at + 1)]);
  },
);

/**
 * `reshape` to the shape of another.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.reshape_as.html
 */
export const reshapeAs = named('reshape_as', ['input', 'other'], (input: Tensor, other: Tensor) =>
  reshape(input, other.shape),
);
/**
 * `view` in the shape of another.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.view_as.html
 */
export const viewAs = named('view_as', ['input', 'other'], (input: Tensor, other: Tensor) =>
  reshape(input, other.shape),
);
/**
 * `expand` to the shape of another.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.expand_as.html
 */
export const expandAs = named('expand_as', ['input', 'other'], (input: Tensor, other: Tensor) =>
  expand(input, other.shape),
);

/**
 * The common shape of tensors of these shapes, of which a number stands for one dimension.
 * https://pytorch.org/docs/stable/generated/torch.broadcast_shapes.html
 */
export const broadcastShapes = named(
  'broadcast_shapes',
  ['*shapes'],
  (shapes: readonly (number | Shape)[]): Shape =>
    commonShape('broadcast_shapes', ...shapes.map((shape) => [shape].flat())),
);

/**
 * All tensors in their common shape.
 * https://pytorch.org/docs/stable/generated/torch.broadcast_tensors.html
 */
export const broadcastTensors = named(
  'broadcast_tensors',
  ['*tensors'],
  (tensors: readonly Tensor[]): Tensor[] => {
    const shape = commonShape('broadcast_tensors', ...tensors.map((tensor) => tensor.shape));
    return tensors.map((tensor) => expand(tensor, shape));
  },
);

/**
 * Sums over the dimensions in which a tensor of shape `size` would have been broadcast.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.sum_to_size.html
 */
export const sumToSize = named(
  'sum_to_size',
  ['input', '*size'],
  (input: Tensor, size: Shape): Tensor => {
    const lead = input.ndim - size.length;
    if (lead >= 0 && size.every((n, i) => n === 1 || n === input.shape[lead + i])) {
      if (size.length > 0 && sameShape(input.shape, size)) return same(input);
      // What is summed is summed as `sum` does: integers and truth values as int64.
      return sumTo(isFloating(input.dtype) ? input : cast(input, 'int64'), size);
    }
    const message = `size ${formatShape(size)} cannot be expanded to ${formatShape(input.shape)}`;
    throw opError(ShapeError, 'sum_to_size', message);
  },
);

// ---- the same ----------------------------------------------------------------------------------

const identity = (op: string) => named(op, ['input'], (input: Tensor): Tensor => same(input));

/**
 * The same values as a tensor of their own, with gradients.
 * https://pytorch.org/docs/stable/generated/torch.clone.html
 */
export const clone = identity('clone');
/**
 * Values are always contiguous here.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.contiguous.html
 */
export const contiguous = identity('contiguous');

/** The same numbers; not of bool. https://pytorch.org/docs/stable/generated/torch.positive.html */
export const positive = named('positive', ['input'], (input: Tensor): Tensor => {
  if (input.dtype !== 'bool') return same(input);
  throw opError(DTypeError, 'positive', 'is not defined for bool tensors');
});

/**
 * The same value, cut off from the graph.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.detach.html
 */
export const detach = named('detach', ['input'], (input: Tensor): Tensor => input.detach());

/** The number of elements. https://pytorch.org/docs/stable/generated/torch.numel.html */
export const numel = named('numel', ['input'], (input: Tensor): number => input.numel());
