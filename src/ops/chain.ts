/** Products of several matrices in the order of least work. */

import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkSizes } from './contraction.ts';
import { matmul } from './matmul.ts';
import { reshape, same, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { checkRanks } from './products.ts';

/**
 * The product of several matrices, multiplied in the order of least work; the first and the last
 * may be vectors.
 * https://pytorch.org/docs/stable/generated/torch.linalg.multi_dot.html
 */
export const multiDot = named(
  'linalg.multi_dot',
  ['tensors'],
  (tensors: readonly Tensor[]): Tensor => productOf('linalg.multi_dot', tensors),
);

/**
 * `linalg.multi_dot` of matrices. https://pytorch.org/docs/stable/generated/torch.chain_matmul.html
 */
export const chainMatmul = named(
  'chain_matmul',
  ['*matrices'],
  (matrices: readonly Tensor[]): Tensor => {
    checkRanks(
      'chain_matmul',
      Object.fromEntries(matrices.map((x, i) => [`matrix ${i}`, [x, 2] as const])),
    );
    return matrices.length === 1 ? same(matrices[0]!) : productOf('chain_matmul', matrices);
  },
);

function productOf(op: string, tensors: readonly Tensor[]): Tensor {
  if (tensors.length < 2) throw opError(ArgumentError, op, 'needs at least two tensors');
  const last = tensors.length - 1;
  const matrices = tensors.map((x, i) => {
    if (x.dtype !== tensors[0]!.dtype) {
      throw opError(DTypeError, op, `got ${tensors[0]!.dtype} and ${x.dtype}`);
    }
    if (x.ndim === 1 && i === 0) return unsqueeze(x, 0);
    if (x.ndim === 1 && i === last) return unsqueeze(x, 1);
    if (x.ndim !== 2) throw opError(ShapeError, op, `tensor ${i} is ${formatShape(x.shape)}`);
    return x;
  });
  matrices.forEach((x, i) => {
    if (i > 0) checkSizes(op, matrices[i - 1]!.shape[1] === x.shape[0], matrices[i - 1]!, x);
  });
  const whole = multiplyInOrder(matrices, cheapestSplits(matrices), 0, last);
  const rows = tensors[0]!.ndim === 1 ? [] : [whole.shape[0]!];
  const columns = tensors[last]!.ndim === 1 ? [] : [whole.shape[1]!];
  return reshape(whole, [...rows, ...columns]);
}

/** Where to split matrices i to j first: the classic dynamic program over chains. */
function cheapestSplits(matrices: readonly Tensor[]): number[][] {
  const n = matrices.length;
  const sizes = [matrices[0]!.shape[0]!, ...matrices.map((x) => x.shape[1]!)];
  const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const split = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  for (let span = 1; span < n; span++) {
    for (let i = 0; i + span < n; i++) {
      const j = i + span;
      cost[i]![j] = Infinity;
      for (let k = i; k < j; k++) {
        const work = cost[i]![k]! + cost[k + 1]![j]! + sizes[i]! * sizes[k + 1]! * sizes[j + 1]!;
        if (work < cost[i]![j]!) [cost[i]![j], split[i]![j]] = [work, k];
      }
    }
  }
  return split;
}

function multiplyInOrder(
  matrices: readonly Tensor[],
  splits: readonly (readonly number[])[],
  from: number,
  to: number,
): Tensor {
  if (from === to) return matrices[from]!;
  const k = splits[from]![to]!;
  return matmul(
    multiplyInOrder(matrices, splits, from, k),
    multiplyInOrder(matrices, splits, k + 1, to),
  );
}
