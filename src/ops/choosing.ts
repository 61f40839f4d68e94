/**
 * Parts of a tensor chosen, and replaced, by indices along one dimension or into the flat tensor.
 */

import type { DType } from '../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import {
  broadcastShapes,
  formatShape,
  normalizeDim,
  type Shape,
  sameShape,
} from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { full } from './constant.ts';
import { rowsAt } from './embedding.ts';
import { gather, reduceInto, type ScatterReduction, scatter, scatterAdd } from './indexing.ts';
import { expand, flatten, reshape, transpose } from './movement.ts';
import { named } from './named.ts';
import { add, cast, lt, mul, where } from './pointwise.ts';

/** An index of one dimension; a number counts as one. */
function indexVector(op: string, index: Tensor): Tensor {
  if (index.dtype !== 'int64' && index.dtype !== 'int32') {
    throw opError(DTypeError, op, `index must be int64 or int32, got ${index.dtype}`);
  }
  if (index.ndim <= 1) return reshape(index, [index.numel()]);
  const shape = formatShape(index.shape);
  throw opError(ShapeError, op, `index must have at most one dimension, got ${shape}`);
}

/**
 * The elements `index` along `dim`. An index out of range makes the computation fail.
 * https://pytorch.org/docs/stable/generated/torch.index_select.html
 */
export const indexSelect = named(
  'index_select',
  ['input', 'dim', 'index'],
  (input: Tensor, dim: number, index: Tensor): Tensor => {
    const at = normalizeDim('index_select', dim, input.ndim);
    const places = indexVector('index_select', index);
    if (input.ndim === 0) {
      if (places.numel() === 1) return reshape(rowsAt(reshape(input, [1]), places), []);
      throw opError(ShapeError, 'index_select', 'a number has one element to choose');
    }
    return transpose(rowsAt(transpose(input, 0, at), places), 0, at);
  },
);

/** `index` seen along dimension `dim` of `shape`. */
function alongDim(index: Tensor, shape: Shape, dim: number): Tensor {
  const lifted = reshape(
    index,
    shape.map((_, i) => (i === dim ? index.numel() : 1)),
  );
  return expand(
    lifted,
    shape.map((size, i) => (i === dim ? index.numel() : size)),
  );
}

interface Placed {
  readonly dim: number;
  readonly index: Tensor;
  readonly input: Tensor;
  readonly source: Tensor;
}

/**
 * The operands of a function that sends the parts of `source` to `index` along `dim` of `input`.
 */
function placed(op: string, input: Tensor, dim: number, index: Tensor, source: Tensor): Placed {
  const at = normalizeDim(op, dim, input.ndim);
  const places = indexVector(op, index);
  const lift = (t: Tensor) => (t.ndim === 0 ? reshape(t, [1]) : t);
  const [x, from] = [lift(input), lift(source)];
  const expected = x.shape.map((size, i) => (i === at ? places.numel() : size));
  if (!sameShape(from.shape, expected)) {
    const message = `source must have shape ${formatShape(expected)}, got ${formatShape(source.shape)}`;
    throw opError(ShapeError, op, message);
  }
  if (source.dtype !== input.dtype) {
    const message = `source must be ${input.dtype} as the input, got ${source.dtype}`;
    throw opError(DTypeError, op, message);
  }
  return { dim: at, index: alongDim(places, x.shape, at), input: x, source: from };
}

/**
 * `input` with `alpha` times the parts of `source` added at `index` along `dim`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.index_add_.html
 */
export const indexAdd = named(
  'index_add',
  ['input', 'dim', 'index', 'source', 'alpha'],
  (input: Tensor, dim: number, index: Tensor, source: Tensor, alpha = 1): Tensor => {
    const call = placed('index_add', input, dim, index, source);
    const from = alpha === 1 ? call.source : cast(mul(call.source, Number(alpha)), input.dtype);
    return reshape(scatterAdd(call.input, call.dim, call.index, from), input.shape);
  },
);

/**
 * `input` with the parts of `source` at `index` along `dim`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.index_copy_.html
 */
export const indexCopy = named(
  'index_copy',
  ['input', 'dim', 'index', 'source'],
  (input: Tensor, dim: number, index: Tensor, source: Tensor): Tensor => {
    const call = placed('index_copy', input, dim, index, source);
    return reshape(scatter(call.input, call.dim, call.index, call.source), input.shape);
  },
);

/**
 * `input` with `value`, a number or a zero-dimensional tensor, at `index` along `dim`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.index_fill_.html
 */
export const indexFill = named(
  'index_fill',
  ['input', 'dim', 'index', 'value'],
  (input: Tensor, dim: number, index: Tensor, value: Tensor | number): Tensor => {
    const at = normalizeDim('index_fill', dim, input.ndim);
    const size = input.shape[at] ?? 1;
    const places = fromEnd(indexVector('index_fill', index), size);
    const here = full([places.numel()], 1, 'bool');
    const mask = scatter(full([size], 0, 'bool'), 0, places, here);
    const shape = input.shape.map((_, i) => (i === at ? size : 1));
    return where(reshape(mask, shape), scalarOf('index_fill', value, input.dtype), input);
  },
);

/** A number or a zero-dimensional tensor as one of `dtype`. */
export function scalarOf(op: string, value: Tensor | number | boolean, dtype: DType): Tensor {
  if (!(value instanceof Tensor)) return full([], Number(value), dtype);
  if (value.ndim === 0) return cast(value, dtype);
  const message = `value must be a number or a zero-dimensional tensor, got ${formatShape(value.shape)}`;
  throw opError(ShapeError, op, message);
}

/**
 * `input` reduced with the parts of `source` sent to `index` along `dim`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.index_reduce_.html
 */
export const indexReduce = named(
  'index_reduce',
  ['input', 'dim', 'index', 'source', 'reduce', 'include_self'],
  (
    input: Tensor,
    dim: number,
    index: Tensor,
    source: Tensor,
    reduce: ScatterReduction,
    include_self = true,
  ): Tensor => {
    const call = placed('index_reduce', input, dim, index, source);
    const result = reduceInto('index_reduce', { ...call, src: call.source, reduce, include_self });
    return reshape(result, input.shape);
  },
);

// ---- the flat tensor ---------------------------------------------------------------------------

/** Indices that may count from the end of `size` elements. */
export function fromEnd(index: Tensor, size: number): Tensor {
  return where(lt(index, 0), add(index, size), index);
}

function flatIndex(op: string, input: Tensor, index: Tensor): Tensor {
  if (index.dtype === 'int64' || index.dtype === 'int32') {
    return reshape(fromEnd(index, input.numel()), [index.numel()]);
  }
  throw opError(DTypeError, op, `index must be int64 or int32, got ${index.dtype}`);
}

/**
 * The elements of the flat tensor at `index`, in the index's shape.
 * https://pytorch.org/docs/stable/generated/torch.take.html
 */
export const take = named('take', ['input', 'index'], (input: Tensor, index: Tensor): Tensor => {
  const chosen = rowsAt(flatten(input), flatIndex('take', input, index));
  return reshape(chosen, index.shape);
});

/**
 * `input` with the elements of `source` at `index` of the flat tensor, or added there if
 * `accumulate`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.put_.html
 */
export const put = named(
  'put',
  ['input', 'index', 'source', 'accumulate'],
  (input: Tensor, index: Tensor, source: Tensor, accumulate = false): Tensor => {
    if (index.numel() !== source.numel()) {
      const message = `index ${formatShape(index.shape)} and source ${formatShape(source.shape)} must have as many elements`;
      throw opError(ShapeError, 'put', message);
    }
    const places = flatIndex('put', input, index);
    const [x, from] = [flatten(input), flatten(source)];
    return reshape(
      accumulate ? scatterAdd(x, 0, places, from) : scatter(x, 0, places, from),
      input.shape,
    );
  },
);

/**
 * `gather` along `dim` with an index that broadcasts in the other dimensions; without `dim` of the
 * flat tensor. https://pytorch.org/docs/stable/generated/torch.take_along_dim.html
 */
export const takeAlongDim = named(
  'take_along_dim',
  ['input', 'indices', 'dim'],
  (input: Tensor, indices: Tensor, dim: number | null = null): Tensor => {
    if (dim === null) return gather(flatten(input), 0, fromEnd(flatten(indices), input.numel()));
    const at = normalizeDim('take_along_dim', dim, input.ndim);
    if (input.ndim !== indices.ndim) {
      const message = `indices ${formatShape(indices.shape)} must have the dimensions of the input ${formatShape(input.shape)}`;
      throw opError(ShapeError, 'take_along_dim', message);
    }
    const others = (t: Tensor) => t.shape.map((size, i) => (i === at ? 1 : size));
    const common = broadcastShapes('take_along_dim', others(input), others(indices));
    const spread = (t: Tensor) =>
      expand(
        t,
        common.map((size, i) => (i === at ? t.shape[i]! : size)),
      );
    return gather(spread(input), at, fromEnd(spread(indices), input.shape[at]!));
  },
);
