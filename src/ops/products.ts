/** Products of vectors and matrices under PyTorch's many names, all made of `matmul`. */

import { isFloating } from '../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { checkSizes, contract } from './contraction.ts';
import { matmul } from './matmul.ts';
import { unsqueeze } from './movement.ts';
import { named, requireTensors } from './named.ts';
import { add, cast, mul } from './pointwise.ts';
import { sum } from './reduction.ts';

/** Throws unless each tensor has its number of dimensions. */
export function checkRanks(
  op: string,
  ranks: Readonly<Record<string, readonly [Tensor, number]>>,
): void {
  const tensors = Object.entries(ranks).map(([name, [tensor]]) => [name, tensor] as const);
  requireTensors(op, Object.fromEntries(tensors));
  for (const [name, [tensor, rank]] of Object.entries(ranks)) {
    if (tensor.ndim === rank) continue;
    const given = formatShape(tensor.shape);
    throw opError(ShapeError, op, `${name} must have ${rank} dimensions, got ${given}`);
  }
  const [first, ...others] = tensors.map(([, tensor]) => tensor.dtype);
  const other = others.find((dtype) => dtype !== first);
  if (other !== undefined) throw opError(DTypeError, op, `got ${first} and ${other}`);
}

/**
 * The product of two matrices: (n, m), (m, p) -> (n, p).
 * https://pytorch.org/docs/stable/generated/torch.mm.html
 */
export const mm = named('mm', ['input', 'mat2'], (input: Tensor, mat2: Tensor): Tensor => {
  checkRanks('mm', { input: [input, 2], mat2: [mat2, 2] });
  checkSizes('mm', input.shape[1] === mat2.shape[0], input, mat2);
  return matmul(input, mat2);
});

/**
 * The products of two stacks of matrices: (b, n, m), (b, m, p) -> (b, n, p).
 * https://pytorch.org/docs/stable/generated/torch.bmm.html
 */
export const bmm = named('bmm', ['input', 'mat2'], (input: Tensor, mat2: Tensor): Tensor => {
  checkRanks('bmm', { input: [input, 3], mat2: [mat2, 3] });
  const [batch, , inner] = input.shape;
  checkSizes('bmm', mat2.shape[0] === batch && mat2.shape[1] === inner, input, mat2);
  return matmul(input, mat2);
});

/**
 * The product of a matrix and a vector: (n, m), (m) -> (n).
 * https://pytorch.org/docs/stable/generated/torch.mv.html
 */
export const mv = named('mv', ['input', 'vec'], (input: Tensor, vec: Tensor): Tensor => {
  checkRanks('mv', { input: [input, 2], vec: [vec, 1] });
  checkSizes('mv', input.shape[1] === vec.shape[0], input, vec);
  return matmul(input, vec);
});

function dotProduct(op: string, input: Tensor, other: Tensor): Tensor {
  checkRanks(op, { input: [input, 1], other: [other, 1] });
  checkSizes(op, sameShape(input.shape, other.shape), input, other);
  return sum(mul(input, other));
}

/**
 * The sum of the products of two vectors' elements: (n), (n) -> ().
 * https://pytorch.org/docs/stable/generated/torch.dot.html
 */
export const dot = named(
  'dot',
  ['input', 'tensor'],
  (input: Tensor, tensor: Tensor): Tensor => dotProduct('dot', input, tensor),
);

/** `dot`: PyTorch's name that also conjugates complex numbers. */
export const vdot = named(
  'vdot',
  ['input', 'other'],
  (input: Tensor, other: Tensor): Tensor => dotProduct('vdot', input, other),
);

/**
 * Every element of one vector times every one of the other: (n), (m) -> (n, m).
 * https://pytorch.org/docs/stable/generated/torch.outer.html
 */
export const outer = named('outer', ['input', 'vec2'], (input: Tensor, vec2: Tensor): Tensor => {
  requireTensors('outer', { input, vec2 });
  if (input.ndim !== 1 || vec2.ndim !== 1) {
    const shapes = `${formatShape(input.shape)} and ${formatShape(vec2.shape)}`;
    throw opError(ShapeError, 'outer', `needs two vectors, got ${shapes}`);
  }
  return mul(unsqueeze(input, 1), unsqueeze(vec2, 0));
});

// ---- products that add -------------------------------------------------------------------------

/**
 * beta * input + alpha * product. With a `beta` of 0 NaN and infinities of `input` count for
 * nothing.
 */
function addProduct(
  op: string,
  input: Tensor,
  product: Tensor,
  { beta, alpha }: { beta: number; alpha: number },
): Tensor {
  requireTensors(op, { input });
  if (input.dtype !== product.dtype) {
    throw opError(DTypeError, op, `input is ${input.dtype}, the product ${product.dtype}`);
  }
  const lead = product.ndim - input.ndim;
  const fits = lead >= 0 && input.shape.every((n, i) => n === 1 || n === product.shape[i + lead]);
  if (!fits) {
    const given = formatShape(input.shape);
    const wanted = formatShape(product.shape);
    throw opError(ShapeError, op, `input ${given} cannot be expanded to ${wanted}`);
  }
  // Of integers PyTorch takes whole multiples.
  const [a, b] = isFloating(input.dtype)
    ? [alpha, beta]
    : [Math.trunc(Number(alpha)), Math.trunc(Number(beta))];
  if (input.dtype === 'bool') {
    const both = add(mul(cast(input, 'int64'), b), mul(cast(product, 'int64'), a));
    return cast(both, 'bool');
  }
  const scaled = a === 1 ? product : mul(product, a);
  if (b === 0) return scaled;
  return add(b === 1 ? input : mul(input, b), scaled);
}

/**
 * beta * input + alpha * (mat1 @ mat2): (n, m), (m, p) -> (n, p).
 * https://pytorch.org/docs/stable/generated/torch.addmm.html
 */
export const addmm = named(
  'addmm',
  ['input', 'mat1', 'mat2', 'beta', 'alpha'],
  (input: Tensor, mat1: Tensor, mat2: Tensor, beta = 1, alpha = 1): Tensor => {
    checkRanks('addmm', { mat1: [mat1, 2], mat2: [mat2, 2] });
    checkSizes('addmm', mat1.shape[1] === mat2.shape[0], mat1, mat2);
    return addProduct('addmm', input, matmul(mat1, mat2), { beta, alpha });
  },
);

/**
 * beta * input + alpha * (mat @ vec): (n, m), (m) -> (n).
 * https://pytorch.org/docs/stable/generated/torch.addmv.html
 */
export const addmv = named(
  'addmv',
  ['input', 'mat', 'vec', 'beta', 'alpha'],
  (input: Tensor, mat: Tensor, vec: Tensor, beta = 1, alpha = 1): Tensor => {
    checkRanks('addmv', { mat: [mat, 2], vec: [vec, 1] });
    checkSizes('addmv', mat.shape[1] === vec.shape[0], mat, vec);
    return addProduct('addmv', input, matmul(mat, vec), { beta, alpha });
  },
);

/**
 * beta * input + alpha * outer(vec1, vec2): (n), (m) -> (n, m).
 * https://pytorch.org/docs/stable/generated/torch.addr.html
 */
export const addr = named(
  'addr',
  ['input', 'vec1', 'vec2', 'beta', 'alpha'],
  (input: Tensor, vec1: Tensor, vec2: Tensor, beta = 1, alpha = 1): Tensor => {
    checkRanks('addr', { vec1: [vec1, 1], vec2: [vec2, 1] });
    return addProduct('addr', input, outer(vec1, vec2), { beta, alpha });
  },
);

function checkBatches(op: string, batch1: Tensor, batch2: Tensor): void {
  checkRanks(op, { batch1: [batch1, 3], batch2: [batch2, 3] });
  const [batch, , inner] = batch1.shape;
  checkSizes(op, batch2.shape[0] === batch && batch2.shape[1] === inner, batch1, batch2);
}

/**
 * beta * input + alpha * (batch1 @ batch2): (b, n, m), (b, m, p) -> (b, n, p).
 * https://pytorch.org/docs/stable/generated/torch.baddbmm.html
 */
export const baddbmm = named(
  'baddbmm',
  ['input', 'batch1', 'batch2', 'beta', 'alpha'],
  (input: Tensor, batch1: Tensor, batch2: Tensor, beta = 1, alpha = 1): Tensor => {
    checkBatches('baddbmm', batch1, batch2);
    return addProduct('baddbmm', input, matmul(batch1, batch2), { beta, alpha });
  },
);

/**
 * beta * input + alpha * the sum of batch1 @ batch2: (b, n, m), (b, m, p) -> (n, p).
 * https://pytorch.org/docs/stable/generated/torch.addbmm.html
 */
export const addbmm = named(
  'addbmm',
  ['input', 'batch1', 'batch2', 'beta', 'alpha'],
  (input: Tensor, batch1: Tensor, batch2: Tensor, beta = 1, alpha = 1): Tensor => {
    checkBatches('addbmm', batch1, batch2);
    return addProduct('addbmm', input, contract('addbmm', batch1, batch2, [0, 2], [0, 1]), {
      beta,
      alpha,
    });
  },
);
