/** How variables, one a row, vary together: covariances and correlations. */

import { category, isFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';
import { clamp } from './arithmetic.ts';
import { diag } from './diagonals.ts';
import { matmul } from './matmul.ts';
import { reshape, squeeze, transpose, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { cast, div, le, mul, sqrt, sub, where } from './pointwise.ts';
import { sum } from './reduction.ts';

/** `input` as variables x observations. */
function observations(op: string, input: Tensor): Tensor {
  if (input.ndim > 2) {
    const given = formatShape(input.shape);
    throw opError(ShapeError, op, `needs a vector or a matrix, got ${given}`);
  }
  if (input.dtype === 'bool') throw opError(DTypeError, op, 'bool cannot be averaged');
  return input.ndim < 2 ? reshape(input, [1, input.numel()]) : input;
}

function checkWeights(name: string, weights: Tensor | null, count: number): void {
  if (weights === null) return;
  const op = 'cov';
  const isRight = name === 'aweights' ? isFloating(weights.dtype) : isWhole(weights);
  if (!isRight) {
    const kind = name === 'aweights' ? 'floating point' : 'integers';
    throw opError(DTypeError, op, `${name} must be ${kind}, got ${weights.dtype}`);
  }
  if (weights.ndim > 1 || weights.numel() !== count) {
    const given = formatShape(weights.shape);
    throw opError(ShapeError, op, `needs a vector of ${count} ${name}, got ${given}`);
  }
  if (currentTrace() !== undefined) return;
  if (Array.from(weights.dataSync(), Number).some((weight) => weight < 0)) {
    throw opError(ArgumentError, op, `${name} must not be negative`);
  }
}

const isWhole = ({ dtype }: Tensor) => category(dtype) === 'integer';

/**
 * The covariances of the variables, the rows of `input` (one, if it is a vector): (variables,
 * variables), or a number for one variable. `fweights` count observations, `aweights` weigh them;
 * the sums are divided by the number of observations less `correction`. Weights are read to be
 * checked, but in a step that is being compiled.
 * https://pytorch.org/docs/stable/generated/torch.cov.html
 */
export const cov = named(
  'cov',
  ['input', 'correction', 'fweights', 'aweights'],
  (
    input: Tensor,
    correction = 1,
    fweights: Tensor | null = null,
    aweights: Tensor | null = null,
  ): Tensor => {
    const rows = observations('cov', input);
    const x = isFloating(rows.dtype) ? rows : cast(rows, 'float32');
    const count = x.shape[1]!;
    checkWeights('fweights', fweights, count);
    checkWeights('aweights', aweights, count);
    const given = [fweights, aweights].filter((weights) => weights !== null);
    const [first, second] = given.map((weights) => reshape(weights, [count]));
    const weights = first && (second === undefined ? first : mul(first, second));
    const weighted = (t: Tensor) => (weights === undefined ? t : mul(t, weights));
    const total = weights === undefined ? count : sum(weights);
    const centered = sub(x, unsqueeze(div(sum(weighted(x), 1), total), 1));
    const products = matmul(centered, transpose(weighted(centered), 0, 1));
    const degrees = degreesOfFreedom(total, correction, weights, aweights);
    return squeeze(div(cast(products, x.dtype), degrees));
  },
);

function degreesOfFreedom(
  total: Tensor | number,
  correction: number,
  weights: Tensor | undefined,
  aweights: Tensor | null,
): Tensor | number {
  if (typeof total === 'number') return Math.max(0, total - correction);
  const off =
    aweights !== null && correction !== 0
      ? div(mul(sum(mul(weights!, reshape(aweights, [-1]))), correction), total)
      : correction;
  const degrees = sub(total, off);
  return where(le(degrees, 0), 0, degrees);
}

/**
 * The correlation coefficients of the variables, the rows of `input`: (variables, variables), or a
 * number for one variable. https://pytorch.org/docs/stable/generated/torch.corrcoef.html
 */
export const corrcoef = named('corrcoef', ['input'], (input: Tensor): Tensor => {
  observations('corrcoef', input);
  const covariances = cov(input);
  if (covariances.ndim === 0) return div(covariances, covariances);
  const deviations = sqrt(diag(covariances));
  const scaled = div(div(covariances, unsqueeze(deviations, 1)), unsqueeze(deviations, 0));
  return clamp(scaled, -1, 1);
});
