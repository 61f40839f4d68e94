/** `x.index([...])`, which is Python's `x[...]`, and what is put there. */

import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { broadcastShapes, contiguousStrides, formatShape, numel } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { full } from './constant.ts';
import { rowsAt } from './embedding.ts';
import { tensor } from './host-data.ts';
import { scatter, scatterAdd } from './indexing.ts';
import { nonzeroVectors } from './masking.ts';
import { expand, flatten, permute, reshape, same, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { add, cast, ge, logicalAnd, lt, mul, where } from './pointwise.ts';
import { arange } from './ranges.ts';
import { SliceRange } from './slice-range.ts';
import { select, slice } from './slicing.ts';

type NestedIntegers = readonly (number | NestedIntegers)[];
/**
 * What stands between the brackets: an integer, `Slice(start, stop, step)`, `null` for a new
 * dimension, `'...'` for all dimensions that are left, or indices: int64, int32 or bool tensors, or
 * nested arrays of integers.
 */
export type Subscript = number | boolean | SliceRange | null | '...' | Tensor | NestedIntegers;

/** A tensor of which dimension `dim` is still to be indexed by each tensor of `chosen`. */
interface Partial {
  x: Tensor;
  dim: number;
  readonly chosen: Map<number, Tensor>;
}

function indexTensor(op: string, item: Tensor | NestedIntegers): Tensor {
  const index = item instanceof Tensor ? item : tensor(item as never, { dtype: 'int64' });
  if (index.dtype === 'uint8') return cast(index, 'bool');
  if (index.dtype === 'bool' || index.dtype === 'int64') return index;
  if (index.dtype === 'int32') return cast(index, 'int64');
  const message = `indices must be int64, int32 or bool, got ${index.dtype}`;
  throw opError(DTypeError, op, message);
}

/** How many dimensions an item takes. */
function taken(item: Subscript | Tensor): number {
  if (item === null || item === '...' || typeof item === 'boolean') return 0;
  return item instanceof Tensor && item.dtype === 'bool' ? item.ndim : 1;
}

function resolved(op: string, indices: readonly Subscript[]): (Subscript | Tensor)[] {
  return indices.map((item) => {
    if (typeof item === 'boolean') return tensor(item);
    return item instanceof Tensor || Array.isArray(item) ? indexTensor(op, item as Tensor) : item;
  });
}

function apply(op: string, at: Partial, item: Subscript | Tensor): void {
  if (typeof item === 'number') at.x = select(at.x, at.dim, item);
  else if (item === null) at.x = unsqueeze(at.x, at.dim++);
  else if (item instanceof SliceRange) {
    const { start, stop, step } = item;
    at.x = slice(at.x, at.dim++, start, stop, step ?? 1);
  } else if (item instanceof Tensor) applyTensor(op, at, item);
  else throw opError(ArgumentError, op, `${String(item)} is no index`);
}

function applyTensor(op: string, at: Partial, index: Tensor): void {
  if (index.dtype !== 'bool') {
    at.chosen.set(at.dim++, index);
    return;
  }
  // A zero-dimensional mask chooses along a new dimension of size 1.
  if (index.ndim === 0) at.x = unsqueeze(at.x, at.dim);
  const mask = index.ndim === 0 ? reshape(index, [1]) : index;
  const there = at.x.shape.slice(at.dim, at.dim + mask.ndim);
  if (!mask.shape.every((size, i) => size === there[i])) {
    const message = `a mask of shape ${formatShape(index.shape)} does not fit ${formatShape(there)}`;
    throw opError(ShapeError, op, message);
  }
  for (const vector of nonzeroVectors(mask)) at.chosen.set(at.dim++, vector);
}

function subscripted(op: string, input: Tensor, indices: readonly Subscript[]): Tensor {
  const items = resolved(op, indices);
  const rest = input.ndim - items.reduce<number>((sum, item) => sum + taken(item), 0);
  const dots = items.filter((item) => item === '...').length;
  if (rest < 0 || dots > 1) {
    const message =
      rest < 0
        ? `too many indices for ${formatShape(input.shape)}`
        : 'there can be one ... at most';
    throw opError(ArgumentError, op, message);
  }
  const at: Partial = { x: input, dim: 0, chosen: new Map() };
  for (const item of items) {
    if (item === '...') at.dim += rest;
    else apply(op, at, item);
  }
  return at.chosen.size === 0 ? same(at.x) : chooseElements(op, at);
}

/** x at places of the dimensions in `chosen`, whose tensors broadcast. */
function chooseElements(op: string, { x, chosen }: Partial): Tensor {
  const dims = [...chosen.keys()];
  const shape = broadcastShapes(op, ...[...chosen.values()].map((index) => index.shape));
  const others = x.shape.map((_, i) => i).filter((dim) => !chosen.has(dim));
  const sizes = dims.map((dim) => x.shape[dim]!);
  const rest = others.map((dim) => x.shape[dim]!);
  const table = reshape(permute(x, [...dims, ...others]), [numel(sizes), ...rest]);
  const rows = rowsAt(table, flatPlaces([...chosen.values()], sizes, shape));
  const adjacent = dims.every((dim, i) => dim === dims[0]! + i);
  if (!adjacent) return rows;
  // Indices that stand together leave their dimensions where they stood.
  const before = others.filter((dim) => dim < dims[0]!).length;
  const order = Array.from({ length: rows.ndim }, (_, i) => i);
  const moved = order.splice(0, shape.length);
  order.splice(before, 0, ...moved);
  return permute(rows, order);
}

/**
 * Where the indices lead in a table of `sizes`; -1, which no table has, where one is out of range.
 */
function flatPlaces(
  indices: readonly Tensor[],
  sizes: readonly number[],
  shape: readonly number[],
) {
  const strides = contiguousStrides(sizes);
  const parts = indices.map((index, i) => {
    const whole = where(lt(index, 0), add(index, sizes[i]!), index);
    return {
      place: mul(whole, strides[i]!),
      isThere: logicalAnd(ge(whole, 0), lt(whole, sizes[i]!)),
    };
  });
  const place = parts.map((part) => part.place).reduce((a, b) => add(a, b));
  const isThere = parts.map((part) => part.isThere).reduce((a, b) => logicalAnd(a, b));
  return expand(where(isThere, place, full([], -1, 'int64')), shape);
}

/** One subscript, or several in an array. */
type Subscripts = Subscript | readonly Subscript[];
const listOf = (indices: Subscripts): readonly Subscript[] =>
  Array.isArray(indices) ? indices : [indices as Subscript];

/**
 * Python's `input[indices]`: `x.index([0, Slice(1, 3), null])` is `x[0, 1:3, None]`. Masks are
 * read. An index in a tensor that is out of range makes the computation fail; everything else that
 * does not fit throws ArgumentError or ShapeError.
 * https://pytorch.org/cppdocs/notes/tensor_indexing.html
 */
export const index = named(
  'index',
  ['input', 'indices'],
  (input: Tensor, indices: Subscripts): Tensor => subscripted('index', input, listOf(indices)),
);

/**
 * `input` with `values`, which broadcast, at `input[indices]`, or added there if `accumulate`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html
 */
export const indexPut = named(
  'index_put',
  ['input', 'indices', 'values', 'accumulate'],
  (input: Tensor, indices: Subscripts, values: Tensor | number, accumulate = false): Tensor => {
    const from = typeof values === 'number' ? full([], values, input.dtype) : values;
    if (from.dtype !== input.dtype) {
      const message = `values must be ${input.dtype} as the input, got ${from.dtype}`;
      throw opError(DTypeError, 'index_put', message);
    }
    const all = reshape(arange(input.numel()), input.shape);
    const places = subscripted('index_put', all, listOf(indices));
    const [x, at, spread] = [input, places, expand(from, places.shape)].map((part) =>
      flatten(part),
    ) as [Tensor, Tensor, Tensor];
    return reshape(
      accumulate ? scatterAdd(x, 0, at, spread) : scatter(x, 0, at, spread),
      input.shape,
    );
  },
);
