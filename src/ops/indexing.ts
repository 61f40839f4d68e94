/** Reading and adding at places given by index tensors. */

import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim, type Shape, sameShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import type { ValueType } from '../engine/program.ts';
import { arange } from './creation.ts';
import { defineOp } from './define.ts';
import { unsqueeze } from './movement.ts';
import { cast, eq } from './pointwise.ts';

function checkIndex(op: string, index: ValueType): void {
  if (index.dtype === 'int64' || index.dtype === 'int32') return;
  throw opError(DTypeError, op, `index must be int64 or int32, got ${index.dtype}`);
}

/** Has `index` the dimensions of `shape`, and no size larger outside `dim`? */
function indexFits(index: Shape, shape: Shape, dim: number): boolean {
  return index.length === shape.length && index.every((size, d) => d === dim || size <= shape[d]!);
}

const GATHER = defineOp<{ dim: number }>({
  name: 'gather',
  kind: 'indexing',
  vjp: ({ grads, inputs, attrs: { dim } }) => [
    scatterSum(inputs[0]!.shape, dim, inputs[1]!, grads[0]!),
    null,
  ],
  infer([input, index], { dim }) {
    checkIndex('gather', index!);
    if (!indexFits(index!.shape, input!.shape, dim)) {
      throw opError(
        ShapeError,
        'gather',
        `index ${formatShape(index!.shape)} does not fit input ${formatShape(input!.shape)}: ` +
          `same number of dimensions, no size larger outside dim ${dim}`,
      );
    }
    return [{ dtype: input!.dtype, shape: index!.shape }];
  },
  lower: ({ attrs }) => ({ kernel: 'gather', attrs }),
});

const SCATTER_SUM = defineOp<{ dim: number; shape: Shape }>({
  name: 'scatter_sum',
  kind: 'indexing',
  vjp: ({ grads, inputs, attrs: { dim } }) => [gather(grads[0]!, dim, inputs[1]!), null],
  infer([src], { shape }) {
    return [{ dtype: src!.dtype, shape }];
  },
  lower: ({ attrs: { dim } }) => ({ kernel: 'scatter_add', attrs: { dim } }),
});

/**
 * out[i][j][k] = x[i][index[i][j][k]][k] for dim 1.
 * https://pytorch.org/docs/stable/generated/torch.gather.html
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  if (x.ndim === 0 && index.ndim === 0) {
    return gather(x.reshape([1]), dim, index.reshape([1])).reshape([]);
  }
  return apply(GATHER, [x, index], { dim: normalizeDim('gather', dim, x.ndim) });
}

/** A tensor of `shape`, zero but for `src` added at `index` along `dim`: the gradient of gather. */
export function scatterSum(shape: Shape, dim: number, index: Tensor, src: Tensor): Tensor {
  return apply(SCATTER_SUM, [src, index], { dim, shape });
}

/**
 * `x` plus `src` added at the places `index` names along `dim`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_add.html
 */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  checkIndex('scatter_add', { dtype: index.dtype, shape: index.shape });
  const at = normalizeDim('scatter_add', dim, x.ndim);
  if (!(sameShape(src.shape, index.shape) && indexFits(index.shape, x.shape, at))) {
    throw opError(
      ShapeError,
      'scatter_add',
      `index ${formatShape(index.shape)} and src ${formatShape(src.shape)} must have one shape ` +
        `that fits ${formatShape(x.shape)} outside dim ${at}`,
    );
  }
  const flat = (t: Tensor) => (x.ndim === 0 ? t.reshape([1]) : t);
  const sums = scatterSum(flat(x).shape, at, flat(index), flat(cast(src, x.dtype)));
  return x.add(sums.reshape(x.shape));
}

/** int64 0 or 1: a last dimension of `num_classes`, 1 at the index each element names. */
export function oneHot(index: Tensor, num_classes: number): Tensor {
  checkIndex('one_hot', { dtype: index.dtype, shape: index.shape });
  return cast(eq(unsqueeze(index, -1), arange(num_classes)), 'int64');
}
