/** Matrix products. */

import { isFloating, promoteTypes } from '../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { broadcastShapes, formatShape, numel, type Shape, sameShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import { full } from './constant.ts';
import { defineOp } from './define.ts';
import { matrixOperand } from './mixed.ts';
import { expand, reshape, squeeze, transpose, unsqueeze } from './movement.ts';
import { named, requireTensors } from './named.ts';
import { add, cast, mul } from './pointwise.ts';
import { sum } from './reduction.ts';
import { slice } from './slicing.ts';

interface MatmulAttrs {
  readonly transpose_a: boolean;
  readonly transpose_b: boolean;
}

const MATMUL = defineOp<MatmulAttrs>({
  name: 'matmul',
  kind: 'matmul',
  vjp({ grads, inputs, attrs: { transpose_a, transpose_b } }) {
    const g = grads[0]!;
    const [a, b] = inputs as [Tensor, Tensor];
    return [
      transpose_a ? product(b, g, transpose_b, true) : product(g, b, false, !transpose_b),
      transpose_b ? product(g, a, true, transpose_a) : product(a, g, !transpose_a, false),
    ];
  },
  infer([a, b], { transpose_a, transpose_b }) {
    const batch = a!.shape.slice(0, -2);
    const [m, ka] = matrixSizes(a!.shape, transpose_a);
    const [kb, n] = matrixSizes(b!.shape, transpose_b);
    if (ka !== kb) throw innerSizes(a!.shape, b!.shape, transpose_a, transpose_b);
    return [{ dtype: a!.dtype, shape: [...batch, m, n] }];
  },
  lower: ({ attrs }) => ({ kernel: 'matmul', attrs: { ...attrs } }),
  flops([a], [out], { transpose_a }) {
    return 2 * numel(out!.shape) * matrixSizes(a!.shape, transpose_a)[1];
  },
});

function matrixSizes(shape: Shape, transposed: boolean): [number, number] {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

function innerSizes(a: Shape, b: Shape, transpose_a: boolean, transpose_b: boolean) {
  const inA = a.length - (transpose_a ? 2 : 1);
  const inB = b.length - (transpose_b ? 1 : 2);
  return opError(
    ShapeError,
    'matmul',
    `inner sizes differ: a ${formatShape(a)}, b ${formatShape(b)}; ` +
      `a.shape[${inA}] must equal b.shape[${Math.max(inB, 0)}]`,
  );
}

/** The product of two stacks of matrices of equal rank, either one transposed. */
function product(a: Tensor, b: Tensor, transpose_a: boolean, transpose_b: boolean): Tensor {
  return apply(MATMUL, [a, b], { transpose_a, transpose_b });
}

/**
 * The matrix product. Vectors are taken as rows (left) and columns (right); leading dimensions
 * broadcast. https://pytorch.org/docs/stable/generated/torch.matmul.html
 *
 * @throws ShapeError when the sizes do not fit; DTypeError for truth values.
 */
export const matmul = named('matmul', ['input', 'other'], (a: Tensor, b: Tensor): Tensor => {
  requireTensors('matmul', { input: a, other: b });
  if (a.ndim === 0 || b.ndim === 0) {
    throw opError(
      ShapeError,
      'matmul',
      `needs at least one dimension: a ${formatShape(a.shape)}, b ${formatShape(b.shape)}`,
    );
  }
  const left = a.ndim === 1 ? unsqueeze(a, 0) : a;
  const right = b.ndim === 1 ? unsqueeze(b, 1) : b;
  const out = multiply(matrixOperand(left), matrixOperand(right), false);
  const removed = [a.ndim === 1 ? -2 : 0, b.ndim === 1 ? -1 : 0].filter((dim) => dim !== 0);
  return removed.length === 0 ? out : squeeze(out, removed);
});

/**
 * x Wᵀ + b: input (..., in), weight (out, in), bias (out) -> (..., out); or weight (in) -> (...).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.linear.html
 *
 * @throws ShapeError when the sizes do not fit.
 */
export const linear = named(
  'linear',
  ['input', 'weight', 'bias'],
  (input: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor => {
    checkLinear(input, weight, bias);
    if (weight.ndim === 1) return matmul(input, weight);
    const rows = input.ndim === 1 ? unsqueeze(input, 0) : input;
    const out = multiply(matrixOperand(rows), matrixOperand(weight), true);
    const shaped = input.ndim === 1 ? squeeze(out, 0) : out;
    return bias ? add(shaped, matrixOperand(bias)) : shaped;
  },
);

function checkLinear(input: Tensor, weight: Tensor, bias: Tensor | null): void {
  const inputs = weight.shape.at(-1);
  const isMatrix = weight.ndim === 2 || (weight.ndim === 1 && bias === null);
  if (!isMatrix || input.ndim === 0 || input.shape.at(-1) !== inputs) {
    throw opError(
      ShapeError,
      'linear',
      `input ${formatShape(input.shape)} does not fit weight ${formatShape(weight.shape)}: ` +
        `the input's last size must be ${inputs}`,
    );
  }
  if (bias === null) return;
  const out = [...input.shape.slice(0, -1), weight.shape[0]!];
  if (sameShape(broadcastShapes('linear', out, bias.shape), out)) return;
  const message = `bias ${formatShape(bias.shape)} does not fit the output ${formatShape(out)}`;
  throw opError(ShapeError, 'linear', message);
}

/** Broadcasts the leading dimensions; one matrix for all rows becomes a single large product. */
function multiply(left: Tensor, right: Tensor, transpose_b: boolean): Tensor {
  const dtype = promoteTypes(left.dtype, right.dtype);
  if (dtype === 'bool') throw opError(DTypeError, 'matmul', 'needs numbers, got bool');
  const a = cast(left, dtype);
  const b = cast(right, dtype);
  const [k] = matrixSizes(b.shape, transpose_b);
  if (a.shape.at(-1) !== k) throw innerSizes(a.shape, b.shape, false, transpose_b);
  if (!isFloating(dtype)) return wholeProduct(a, transpose_b ? transpose(b, -1, -2) : b);
  if (b.ndim === 2 && a.ndim > 2) {
    const rows = numel(a.shape.slice(0, -1));
    const flat = product(reshape(a, [rows, k]), b, false, transpose_b);
    return reshape(flat, [...a.shape.slice(0, -1), flat.shape[1]!]);
  }
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const whole = (x: Tensor) => expand(x, [...batch, ...x.shape.slice(-2)]);
  return product(whole(a), whole(b), false, transpose_b);
}

/** How many products of single elements are there at once. */
const PRODUCTS = 2 ** 22;

/**
 * The product of integers, which wraps as sums of them do: outer products of a few columns and rows
 * at a time.
 */
function wholeProduct(a: Tensor, b: Tensor): Tensor {
  const batch = broadcastShapes('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, a.shape.at(-2)!, b.shape.at(-1)!];
  const [inner] = a.shape.slice(-1) as [number];
  const width = Math.max(1, Math.floor(PRODUCTS / Math.max(1, numel(shape))));
  let total = full(shape, 0, a.dtype);
  for (let from = 0; from < inner; from += width) {
    const columns = slice(a, -1, from, from + width);
    const rows = slice(b, -2, from, from + width);
    const products = mul(unsqueeze(columns, -1), unsqueeze(rows, -3));
    total = add(total, sum(products, -2, false, a.dtype));
  }
  return total;
}
