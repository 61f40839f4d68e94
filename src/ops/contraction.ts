/** Sums of products over several dimensions of two tensors: one matrix product each. */

import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim, numel, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { matmul } from './matmul.ts';
import { expand, permute, reshape } from './movement.ts';
import { named, requireTensors } from './named.ts';
import { mul } from './pointwise.ts';

/** Throws, naming both shapes, unless `fits`. */
export function checkSizes(op: string, fits: boolean, a: Tensor, b: Tensor): void {
  if (fits) return;
  const shapes = `${formatShape(a.shape)} and ${formatShape(b.shape)}`;
  throw opError(ShapeError, op, `sizes of ${shapes} do not fit together`);
}

/**
 * Sums products over dimensions `ofA` of `a` and `ofB` of `b`, in pairs; the others stay in order.
 */
export function contract(
  op: string,
  a: Tensor,
  b: Tensor,
  ofA: readonly number[],
  ofB: readonly number[],
): Tensor {
  const keptA = a.shape.map((_, i) => i).filter((i) => !ofA.includes(i));
  const keptB = b.shape.map((_, i) => i).filter((i) => !ofB.includes(i));
  const sizes = ofA.map((dim, i) => Math.max(a.shape[dim]!, b.shape[ofB[i]!]!));
  const fits = (x: Tensor, dims: readonly number[]) =>
    dims.every((dim, i) => x.shape[dim] === sizes[i] || x.shape[dim] === 1);
  checkSizes(op, fits(a, ofA) && fits(b, ofB), a, b);
  const rows = keptA.map((dim) => a.shape[dim]!);
  const columns = keptB.map((dim) => b.shape[dim]!);
  const left = reshape(widened(permute(a, [...keptA, ...ofA]), [...rows, ...sizes]), [
    numel(rows),
    numel(sizes),
  ]);
  const right = reshape(widened(permute(b, [...ofB, ...keptB]), [...sizes, ...columns]), [
    numel(sizes),
    numel(columns),
  ]);
  return reshape(matmul(left, right), [...rows, ...columns]);
}

/** Sizes of 1 repeated, as broadcasting does. */
const widened = (x: Tensor, shape: readonly number[]) =>
  sameShape(x.shape, shape) ? x : expand(x, shape);

/**
 * A number of dimensions, the last of one tensor and the first of the other; or a list for each.
 */
export type ContractedDims = number | readonly [readonly number[], readonly number[]];

/**
 * The sum of products over `dims` of both tensors.
 * https://pytorch.org/docs/stable/generated/torch.tensordot.html
 */
export const tensordot = named(
  'tensordot',
  ['a', 'b', 'dims'],
  (a: Tensor, b: Tensor, dims: ContractedDims = 2): Tensor => {
    requireTensors('tensordot', { a, b });
    if (a.dtype !== b.dtype) {
      throw opError(DTypeError, 'tensordot', `got ${a.dtype} and ${b.dtype}`);
    }
    const [ofA, ofB] = contractedDims(a, b, dims);
    if (ofA.length !== ofB.length) {
      const counts = `${ofA.length} and ${ofB.length}`;
      throw opError(ArgumentError, 'tensordot', `dims must be of one length, got ${counts}`);
    }
    return contract('tensordot', a, b, ofA, ofB);
  },
);

function contractedDims(a: Tensor, b: Tensor, dims: ContractedDims): [number[], number[]] {
  if (typeof dims !== 'number') {
    const [ofA, ofB] = dims;
    return [
      ofA.map((dim) => normalizeDim('tensordot', dim, a.ndim)),
      ofB.map((dim) => normalizeDim('tensordot', dim, b.ndim)),
    ];
  }
  if (!Number.isInteger(dims) || dims < 0 || dims > Math.min(a.ndim, b.ndim)) {
    const ranks = `${a.ndim} and ${b.ndim}`;
    throw opError(ArgumentError, 'tensordot', `cannot sum over ${dims} of ${ranks} dimensions`);
  }
  const range = Array.from({ length: dims }, (_, i) => i);
  return [range.map((i) => a.ndim - dims + i), range];
}

/**
 * The Kronecker product: each element of `input` times all of `other`.
 * https://pytorch.org/docs/stable/generated/torch.kron.html
 */
export const kron = named('kron', ['input', 'other'], (input: Tensor, other: Tensor): Tensor => {
  requireTensors('kron', { input, other });
  const rank = Math.max(input.ndim, other.ndim);
  const padded = (x: Tensor) => [...new Array<number>(rank - x.ndim).fill(1), ...x.shape];
  const [outerSizes, innerSizes] = [padded(input), padded(other)];
  const spread = reshape(
    input,
    outerSizes.flatMap((size) => [size, 1]),
  );
  const tile = reshape(
    other,
    innerSizes.flatMap((size) => [1, size]),
  );
  return reshape(
    mul(spread, tile),
    outerSizes.map((size, i) => size * innerSizes[i]!),
  );
});

/**
 * Products along the last dimension of both: (..., m), (..., m) -> their other sizes joined.
 * https://pytorch.org/docs/stable/generated/torch.inner.html
 */
export const inner = named('inner', ['input', 'other'], (input: Tensor, other: Tensor): Tensor => {
  requireTensors('inner', { input, other });
  if (input.ndim === 0 || other.ndim === 0) return mul(input, other);
  checkSizes('inner', input.shape.at(-1) === other.shape.at(-1), input, other);
  return contract('inner', input, other, [input.ndim - 1], [other.ndim - 1]);
});
