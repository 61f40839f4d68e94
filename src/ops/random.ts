/** Random numbers of other distributions, and random choices. */

import { isFloating, needsFloating } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { broadcastShapes, formatShape, type Shape } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { currentTrace, forbidReading } from '../core/trace.ts';
import { rand, randLike, randn, randnLike, randomWords } from './draws.ts';
import { reshape } from './movement.ts';
import { named } from './named.ts';
import {
  add,
  cast,
  ceil,
  cos,
  div,
  exp,
  floor,
  log1p,
  logicalAnd,
  lt,
  mul,
  neg,
  type Operand,
  sin,
} from './pointwise.ts';
import { arange } from './ranges.ts';
import { sum } from './reduction.ts';
import { cumsum } from './scanning.ts';
import { searchsorted } from './searching.ts';
import { argsort, topk } from './sorting.ts';

function needs(op: string, isRight: boolean, what: string): void {
  if (!isRight) throw opError(ArgumentError, op, what);
}

/**
 * Normal random numbers: `mean` and `std` are tensors that broadcast, or numbers with a `size`.
 * https://pytorch.org/docs/stable/generated/torch.normal.html
 */
export const normal = named(
  'normal',
  ['mean', 'std', 'size', 'dtype'],
  (
    mean: Operand,
    std: Operand = 1,
    size: Shape | null = null,
    dtype: 'float32' | 'float64' | null = null,
  ) => {
    if (typeof std === 'number') needs('normal', std >= 0, `std must not be negative, got ${std}`);
    const shapes = [mean, std].flatMap((x) => (x instanceof Tensor ? [x.shape] : []));
    const type = [mean, std].find((x): x is Tensor => x instanceof Tensor)?.dtype;
    if (type !== undefined && !isFloating(type)) {
      throw opError(DTypeError, 'normal', `needs floating point tensors, got ${type}`);
    }
    const shape = size ?? broadcastShapes('normal', ...shapes);
    return add(mul(randn(shape, { dtype: dtype ?? type ?? 'float32' }), std), mean);
  },
);

/**
 * 1 with the probability that each element, or `p`, gives, else 0.
 * https://pytorch.org/docs/stable/generated/torch.bernoulli.html
 */
export const bernoulli = named(
  'bernoulli',
  ['input', 'p'],
  (input: Tensor, p: number | null = null) => {
    if (p !== null) needs('bernoulli', p >= 0 && p <= 1, `p must be between 0 and 1, got ${p}`);
    if (p === null) needsFloating('bernoulli', input);
    return cast(lt(rand(input.shape), p ?? input), input.dtype);
  },
);

/**
 * The number of successes in `count` trials, each of probability `prob`; the shapes broadcast. The
 * counts are read: there is a draw for each trial.
 * https://pytorch.org/docs/stable/generated/torch.binomial.html
 */
export const binomial = named('binomial', ['count', 'prob'], (count: Tensor, prob: Tensor) => {
  needsFloating('binomial', count);
  if (prob.dtype !== count.dtype) {
    const dtypes = `${count.dtype} and ${prob.dtype}`;
    throw opError(DTypeError, 'binomial', `needs tensors of one dtype, got ${dtypes}`);
  }
  const shape = broadcastShapes('binomial', count.shape, prob.shape);
  forbidReading('binomial');
  const most = Array.from(count.dataSync(), Number).reduce((a, b) => Math.max(a, Math.floor(b)), 0);
  const draws = rand([most, ...shape], { dtype: count.dtype });
  const trial = reshape(arange(most), [most, ...shape.map(() => 1)]);
  return cast(sum(logicalAnd(lt(draws, prob), lt(trial, floor(count))), 0), count.dtype);
});

/** 0 to n - 1 in random order. https://pytorch.org/docs/stable/generated/torch.randperm.html */
export const randperm = named('randperm', ['n'], (n: number): Tensor => argsort(randomWords([n])));

/**
 * Indices drawn from each row of weights, without replacement unless said otherwise. The weights
 * are read to be checked, but in a step that is being compiled.
 * https://pytorch.org/docs/stable/generated/torch.multinomial.html
 */
export const multinomial = named(
  'multinomial',
  ['input', 'num_samples', 'replacement'],
  (input: Tensor, num_samples: number, replacement = false): Tensor => {
    checkWeights(input, num_samples, replacement);
    if (!replacement) {
      // The largest of w / e, e exponential, are drawn without replacement (Efraimidis, Spirakis
      // 2006).
      return topk(div(input, exponential(input, 1)), num_samples)[1];
    }
    const sums = cumsum(cast(input, 'float64'), -1);
    const total = sum(cast(input, 'float64'), -1, true);
    const shape = [...input.shape.slice(0, -1), num_samples];
    return searchsorted(sums, mul(rand(shape, { dtype: 'float64' }), total), { right: true });
  },
);

function checkWeights(input: Tensor, num_samples: number, replacement: boolean): void {
  const [size = 0] = input.shape.slice(-1);
  if (input.ndim < 1 || input.ndim > 2) {
    const message = `needs a vector or a matrix, got ${formatShape(input.shape)}`;
    throw opError(ShapeError, 'multinomial', message);
  }
  if (!isFloating(input.dtype)) {
    throw opError(DTypeError, 'multinomial', `needs floating point weights, got ${input.dtype}`);
  }
  const isCount = Number.isInteger(num_samples) && num_samples > 0;
  needs('multinomial', isCount, `num_samples must be positive, got ${num_samples}`);
  const isEnough = replacement || num_samples <= size;
  needs('multinomial', isEnough, `${num_samples} samples of ${size} without replacement`);
  if (currentTrace() !== undefined) return;
  const weights = Array.from(input.dataSync(), Number);
  const areWeights = weights.every((weight) => weight >= 0 && Number.isFinite(weight));
  needs('multinomial', areWeights, 'weights must be finite and not negative');
  for (let row = 0; row < weights.length; row += size) {
    const isSome = weights.slice(row, row + size).some((weight) => weight > 0);
    needs('multinomial', isSome, 'a row of weights is zero');
  }
}

// ---- what the in-place methods fill with
// ------------------------------------------------------------

/** Uniform in [0, 1), of which no float32 logarithm of 1 - u is infinite. */
const uniformLike = (x: Tensor) => randLike(x, isFloating(x.dtype) ? x.dtype : 'float32');

/**
 * Uniform from `from` to below `to`.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.uniform_.html
 */
export const uniform = named(
  'uniform',
  ['input', 'from', 'to'],
  (input: Tensor, from = 0, to = 1) => {
    needs('uniform_', from <= to, `from ${from} must not be above to ${to}`);
    return add(mul(randLike(input), to - from), from);
  },
);

/** Normal. https://pytorch.org/docs/stable/generated/torch.Tensor.normal_.html */
export const normalLike = named(
  'normal',
  ['input', 'mean', 'std'],
  (input: Tensor, mean = 0, std = 1) => {
    needs('normal_', std >= 0, `std must not be negative, got ${std}`);
    return add(mul(randnLike(input), std), mean);
  },
);

/**
 * Density lambd exp(-lambd x).
 * https://pytorch.org/docs/stable/generated/torch.Tensor.exponential_.html
 */
export const exponential = named('exponential', ['input', 'lambd'], (input: Tensor, lambd = 1) => {
  needs('exponential_', lambd > 0, `lambd must be positive, got ${lambd}`);
  return div(neg(log1p(neg(randLike(input)))), lambd);
});

/**
 * The number of trials up to the first success.
 * https://pytorch.org/docs/stable/generated/torch.Tensor.geometric_.html
 */
export const geometric = named('geometric', ['input', 'p'], (input: Tensor, p: number) => {
  needs('geometric_', p > 0 && p < 1, `p must be between 0 and 1, got ${p}`);
  const trials = ceil(div(log1p(neg(uniformLike(input))), Math.log1p(-p)));
  // A draw of 0 counts as the first trial.
  return cast(trials.clamp(1), input.dtype);
});

/** Cauchy. https://pytorch.org/docs/stable/generated/torch.Tensor.cauchy_.html */
export const cauchy = named(
  'cauchy',
  ['input', 'median', 'sigma'],
  (input: Tensor, median = 0, sigma = 1) => {
    needs('cauchy_', sigma > 0, `sigma must be positive, got ${sigma}`);
    const angle = mul(add(randLike(input), -0.5), Math.PI);
    return add(mul(div(sin(angle), cos(angle)), sigma), median);
  },
);

/**
 * exp of a normal number. https://pytorch.org/docs/stable/generated/torch.Tensor.log_normal_.html
 */
export const logNormal = named(
  'log_normal',
  ['input', 'mean', 'std'],
  (input: Tensor, mean = 1, std = 2) => {
    needs('log_normal_', std > 0, `std must be positive, got ${std}`);
    return exp(add(mul(randnLike(input), std), mean));
  },
);
