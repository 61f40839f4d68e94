/** Several tensors made one. */

import { promoteTypes } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim, sameShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { reshape, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { cast } from './pointwise.ts';
import { narrow } from './slicing.ts';

const CAT = defineOp<{ dim: number }>({
  name: 'cat',
  kind: 'movement',
  vjp({ grads, inputs, attrs: { dim } }) {
    let start = 0;
    return inputs.map((input) => {
      const length = input.shape[dim]!;
      start += length;
      return narrow(grads[0]!, dim, start - length, length);
    });
  },
  infer(inputs, { dim }) {
    const first = inputs[0]!;
    for (const [i, { dtype, shape }] of inputs.entries()) {
      const fits =
        shape.length === first.shape.length &&
        shape.every((size, d) => d === dim || size === first.shape[d]);
      if (!fits) {
        throw opError(
          ShapeError,
          'cat',
          `tensor ${i} has shape ${formatShape(shape)}, tensor 0 ${formatShape(first.shape)}; ` +
            `they may differ only in dimension ${dim}`,
        );
      }
      if (dtype !== first.dtype) {
        throw opError(DTypeError, 'cat', `tensor ${i} is ${dtype}, tensor 0 is ${first.dtype}`);
      }
    }
    const joined = inputs.reduce((sum, { shape }) => sum + shape[dim]!, 0);
    return [{ dtype: first.dtype, shape: first.shape.map((n, d) => (d === dim ? joined : n)) }];
  },
  lower: ({ attrs }) => ({ kernel: 'cat', attrs }),
});

type Tensors = readonly Tensor[];

/** The tensors of `tensors`, which must be at least one. */
function tensorsOf(op: string, tensors: Tensors): Tensors {
  const isList = Array.isArray(tensors) && tensors.every((tensor) => tensor instanceof Tensor);
  if (isList && tensors.length > 0) return tensors;
  throw opError(ArgumentError, op, 'needs a list of at least one tensor');
}

function promoted(tensors: Tensors): Tensors {
  const dtype = tensors.map((tensor) => tensor.dtype).reduce(promoteTypes);
  return tensors.map((tensor) => cast(tensor, dtype));
}

const joining = (op: string) =>
  named(op, ['tensors', 'dim'], (tensors: Tensors, dim = 0): Tensor => {
    const all = tensorsOf(op, tensors);
    // As in PyTorch, a tensor of shape (0,) may stand among others of any rank.
    const solid = all.filter((tensor) => tensor.ndim !== 1 || tensor.numel() > 0);
    const joined = promoted(all).filter((_, i) => solid.length === 0 || solid.includes(all[i]!));
    if (joined.some((tensor) => tensor.ndim === 0)) {
      throw opError(ShapeError, op, 'zero-dimensional tensors: use stack');
    }
    return apply(CAT, joined, { dim: normalizeDim(op, dim, joined[0]!.ndim) });
  });

/**
 * Joins tensors along `dim`; all other sizes are equal. Their dtypes are promoted.
 * https://pytorch.org/docs/stable/generated/torch.cat.html
 */
export const cat = joining('cat');
/** `cat`. https://pytorch.org/docs/stable/generated/torch.concat.html */
export const concat = joining('concat');
/** `cat`. https://pytorch.org/docs/stable/generated/torch.concatenate.html */
export const concatenate = joining('concatenate');

/**
 * Joins tensors of one shape along a new dimension.
 * https://pytorch.org/docs/stable/generated/torch.stack.html
 */
export const stack = named('stack', ['tensors', 'dim'], (tensors: Tensors, dim = 0): Tensor => {
  const [first, ...others] = tensorsOf('stack', tensors) as [Tensor, ...Tensor[]];
  const at = normalizeDim('stack', dim, first.ndim + 1);
  const other = others.find((tensor) => !sameShape(tensor.shape, first.shape));
  if (other !== undefined) {
    throw opError(
      ShapeError,
      'stack',
      `tensors must have one shape, got ${formatShape(first.shape)} and ${formatShape(other.shape)}`,
    );
  }
  return cat(
    tensors.map((tensor) => unsqueeze(tensor, at)),
    at,
  );
});

/** Each tensor raised to some rank, then joined along the dimension that this rank gives. */
const stacking = (op: string, raise: (x: Tensor) => Tensor, dimOf: (x: Tensor) => number) =>
  named(op, ['tensors'], (tensors: Tensors): Tensor => {
    const raised = tensorsOf(op, tensors).map(raise);
    return cat(raised, dimOf(raised[0]!));
  });

/**
 * Joins along the second dimension, vectors along the first.
 * https://pytorch.org/docs/stable/generated/torch.hstack.html
 */
export const hstack = stacking('hstack', raise1d, (x) => (x.ndim === 1 ? 0 : 1));
/**
 * Joins along the first dimension, vectors as rows.
 * https://pytorch.org/docs/stable/generated/torch.vstack.html
 */
export const vstack = stacking('vstack', raise2d, () => 0);
/** `vstack`. https://pytorch.org/docs/stable/generated/torch.row_stack.html */
export const rowStack = stacking('row_stack', raise2d, () => 0);
/** Joins along the third dimension. https://pytorch.org/docs/stable/generated/torch.dstack.html */
export const dstack = stacking('dstack', raise3d, () => 2);
/**
 * Joins along the second dimension, vectors as columns.
 * https://pytorch.org/docs/stable/generated/torch.column_stack.html
 */
export const columnStack = stacking(
  'column_stack',
  (x) => (x.ndim < 2 ? reshape(x, [x.numel(), 1]) : x),
  () => 1,
);

// ---- rank --------------------------------------------------------------------------------------

function raise1d(x: Tensor): Tensor {
  return x.ndim === 0 ? reshape(x, [1]) : x;
}

function raise2d(x: Tensor): Tensor {
  return x.ndim < 2 ? reshape(x, [1, x.numel()]) : x;
}

function raise3d(x: Tensor): Tensor {
  return x.ndim < 3 ? unsqueeze(raise2d(x), -1) : x;
}

interface AtLeast {
  (tensor: Tensor): Tensor;
  (tensors: Tensors): Tensor[];
  (...tensors: Tensor[]): Tensor[];
}

/** One tensor gives one, several or a list of them give a list. */
function atLeast(raise: (x: Tensor) => Tensor): AtLeast {
  const call = (...given: (Tensor | Tensors)[]) => {
    const [first] = given;
    if (given.length === 1 && first instanceof Tensor) return raise(first);
    return (given.length === 1 ? (first as Tensors) : (given as Tensors)).map(raise);
  };
  return call as AtLeast;
}

/**
 * As they are, numbers as vectors. https://pytorch.org/docs/stable/generated/torch.atleast_1d.html
 */
export const atleast1d = atLeast(raise1d);
/** Vectors as rows. https://pytorch.org/docs/stable/generated/torch.atleast_2d.html */
export const atleast2d = atLeast(raise2d);
/**
 * Matrices with a third dimension of 1.
 * https://pytorch.org/docs/stable/generated/torch.atleast_3d.html
 */
export const atleast3d = atLeast(raise3d);
