/** Orthogonal matrices as a parametrization. */

import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { Tensor } from '../../core/tensor.ts';
import { eye, zeros } from '../../ops/creation.ts';
import { diagonal, tril } from '../../ops/diagonals.ts';
import { randn } from '../../ops/draws.ts';
import { cat } from '../../ops/joining.ts';
import { matrixExp } from '../../ops/linalg/functions.ts';
import { householderProduct, qr } from '../../ops/linalg/qr.ts';
import { solve } from '../../ops/linalg/solve.ts';
import { matmul } from '../../ops/matmul.ts';
import { expand, transpose, unsqueeze } from '../../ops/movement.ts';
import { add, cast, div, mul, neg, sign, sub } from '../../ops/pointwise.ts';
import { sum } from '../../ops/reduction.ts';
import { narrow } from '../../ops/slicing.ts';
import { type AnyModule, Buffer, Module } from '../module.ts';
import { moduleFunction, registerParametrization } from './parametrize.ts';

const OP = 'orthogonal';
const MAPS = ['matrix_exp', 'cayley', 'householder'] as const;
export type OrthogonalMap = (typeof MAPS)[number];

const flipped = (x: Tensor) => transpose(x, -2, -1);

/** (..., n, k), of any numbers, -> the same, of orthonormal columns, or rows where n < k. */
class Orthogonal extends Module<[x: Tensor]> {
  /** What the result is multiplied with, so that training begins at it; null where it is not. */
  base: Buffer | null = null;
  readonly map: OrthogonalMap;
  readonly rightInverse?: (value: Tensor) => Tensor;

  constructor(shape: readonly number[], map: OrthogonalMap, use_trivialization: boolean) {
    super();
    this.map = map;
    if (use_trivialization) this.rightInverse = (value) => this.#begin(value, shape);
  }

  forward(x: Tensor): Tensor {
    const [n, k] = x.shape.slice(-2) as [number, number];
    const wide = n < k;
    const tall = wide ? flipped(x) : x;
    const q = this.map === 'householder' ? reflected(tall) : rotated(tall, this.map);
    const based = this.base === null ? q : matmul(this.base, q);
    return wide ? flipped(based) : based;
  }

  /** Takes `value`, made orthogonal, as the base; the original that leaves it as it is. */
  #begin(value: Tensor, shape: readonly number[]): Tensor {
    if (!sameShape(value.shape, shape)) {
      const shapes = `${formatShape(value.shape)}, needs ${formatShape(shape)}`;
      throw opError(ShapeError, OP, `the value has shape ${shapes}`);
    }
    const [rows, columns] = shape.slice(-2) as [number, number];
    const tall = rows < columns ? flipped(value) : value;
    const [n, k] = tall.shape.slice(-2) as [number, number];
    const { dtype } = value;
    const rest = n === k ? [] : [randn([...shape.slice(0, -2), n, n - k], { dtype })];
    noGrad(() => {
      const [q, r] = qr(cat([tall, ...rest], -1));
      this.base = new Buffer(mul(q, unsqueeze(sign(diagonal(r, 0, -2, -1)), -2)));
      this.base.realize();
    });
    // Householder's diagonal holds signs; -1 is the identity.
    const identity = narrow(eye(Math.max(rows, columns), { dtype }), 0, 0, rows);
    return neg(expand(narrow(identity, 1, 0, columns), [...shape]));
  }
}

/** The exponential, or the Cayley map, of the skew-symmetric matrix that has this lower half. */
function rotated(x: Tensor, map: OrthogonalMap): Tensor {
  const [n, k] = x.shape.slice(-2) as [number, number];
  const { dtype } = x;
  const lower = tril(x);
  const rest = n === k ? [] : [zeros([...x.shape.slice(0, -1), n - k], { dtype })];
  const square = cat([lower, ...rest], -1);
  const skew = sub(square, flipped(square));
  const identity = eye(n, { dtype });
  const half = div(skew, 2);
  const q = map === 'cayley' ? solve(sub(identity, half), add(identity, half)) : matrixExp(skew);
  return narrow(q, -1, 0, k);
}

/** The product of the reflections whose vectors stand below the diagonal. */
function reflected(x: Tensor): Tensor {
  const vectors = tril(x, -1);
  const tau = div(2, add(sum(mul(vectors, vectors), -2), 1));
  const signs = cast(cast(diagonal(x, 0, -2, -1).detach(), 'int32'), x.dtype);
  return mul(householderProduct(vectors, tau), unsqueeze(signs, -2));
}

/**
 * Keeps a weight (..., m, n) orthogonal: its columns orthonormal, or its rows where m < n. It
 * starts with the weight made orthogonal, `parametrizations.weight.0.base`.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.parametrizations.orthogonal.html
 *
 * @param orthogonal_map how: matrix_exp where the matrix is square, else householder.
 * @param use_trivialization without it there is no base, and training starts at the map of the
 *   weight.
 * @throws ArgumentError when there is no such parameter, for an unknown map, and for householder
 *   without trivialization, which would need the reflectors of the weight.
 */
export const orthogonal = moduleFunction(
  OP,
  ['module', 'name', 'orthogonal_map', 'use_trivialization'],
  (
    module: AnyModule,
    name = 'weight',
    orthogonal_map: OrthogonalMap | null = null,
    use_trivialization = true,
  ): AnyModule => {
    const weight = (module as unknown as Record<string, unknown>)[name];
    if (!(weight instanceof Tensor)) {
      const message = `${module.constructor.name} has no parameter or buffer ${name}`;
      throw opError(ArgumentError, OP, message);
    }
    const { shape } = weight;
    if (shape.length < 2) {
      throw opError(ShapeError, OP, `${name} must be a matrix, got ${formatShape(shape)}`);
    }
    const map = orthogonal_map ?? (shape.at(-2) === shape.at(-1) ? 'matrix_exp' : 'householder');
    if (!MAPS.includes(map)) {
      const message = `orthogonal_map must be one of ${MAPS.join(', ')}, got ${map}`;
      throw opError(ArgumentError, OP, message);
    }
    if (map === 'householder' && !use_trivialization) {
      throw opError(ArgumentError, OP, 'householder needs use_trivialization');
    }
    const made = new Orthogonal(shape, map, use_trivialization);
    return registerParametrization(module, name, made, true);
  },
);
