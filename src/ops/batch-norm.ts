/** Batch normalisation, by the statistics of the batch or by given ones. */

import { type DType, needsFloating } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import type { ValueType } from '../engine/program.ts';
import { full } from './constant.ts';
import { defineFused } from './fused.ts';
import { reshape } from './movement.ts';
import { add, cast, mul, rsqrt, sub } from './pointwise.ts';
import { mean } from './reduction.ts';

interface BatchNormAttrs {
  readonly eps: number;
}

/** x (N, C, ...), weight (C), bias (C) -> y, mean (C), biased variance (C). */
const batchNormOfBatch = defineFused<BatchNormAttrs>({
  name: 'batch_norm',
  kind: 'normalization',
  results: 3,
  differentiable: 1,
  infer: ([x, weight]) => [x!, weight!, weight!],
  composite: ([x, weight, bias], { eps }) => composite(x!, weight!, bias!, eps),
  forward: ({ attrs: { eps } }) => ({ kernel: 'batch_norm_fwd', attrs: { eps } }),
  backward: ({ attrs: { eps } }) => ({ kernel: 'batch_norm_bwd', attrs: { eps, prologue: [] } }),
  reads: ([x, weight], [, average, variance]) => [x, weight, average, variance],
});

function composite(x: Tensor, weight: Tensor, bias: Tensor, eps: number): Tensor[] {
  const wide = cast(x, weight.dtype);
  const others = x.shape.flatMap((_, dim) => (dim === 1 ? [] : [dim]));
  const average = mean(wide, others, true);
  const centred = sub(wide, average);
  const variance = mean(mul(centred, centred), others, true);
  const normalized = mul(centred, rsqrt(add(variance, eps)));
  const y = add(mul(normalized, perChannel(weight, x)), perChannel(bias, x));
  const flat = [average, variance].map((t) => reshape(t, weight.shape));
  return [cast(y, x.dtype), ...flat];
}

/** (C) seen as (1, C, 1, ...), to be broadcast over x. */
function perChannel(values: Tensor, x: Tensor): Tensor {
  return reshape(
    values,
    x.shape.map((size, dim) => (dim === 1 ? size : 1)),
  );
}

export interface BatchNormOptions {
  /** (C); by default 1. */
  readonly weight?: Tensor | null;
  /** (C); by default 0. */
  readonly bias?: Tensor | null;
  readonly eps?: number;
}

export interface BatchNormResult {
  readonly output: Tensor;
  /** (C), of the batch. Passes no gradient. */
  readonly mean: Tensor;
  /** (C), biased: divided by the number of elements. Passes no gradient. */
  readonly variance: Tensor;
}

/**
 * (x - mean) / sqrt(variance + eps) * weight + bias with the mean and the biased variance of each
 * channel of x (N, C, ...). Statistics and parameters are float64 where x is, else float32.
 * Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
 * @throws ArgumentError when a channel has one element, so that nothing would be left of it.
 */
export function batchNormTrain(x: Tensor, options: BatchNormOptions = {}): BatchNormResult {
  const { weight, bias } = parameters(x, options);
  if (numel(x.shape) === x.shape[1]) {
    throw opError(
      ArgumentError,
      'batch_norm',
      `needs more than one value per channel in training, got input ${formatShape(x.shape)}`,
    );
  }
  const { eps = 1e-5 } = options;
  const [output, average, variance] = batchNormOfBatch([x, weight, bias], { eps });
  return { output: output!, mean: average!.detach(), variance: variance!.detach() };
}

/** The same with the given mean (C) and variance (C): pointwise, one scale and shift a channel. */
export function batchNormEval(
  x: Tensor,
  average: Tensor,
  variance: Tensor,
  options: BatchNormOptions = {},
): Tensor {
  const { weight, bias, dtype } = parameters(x, options);
  checkPerChannel('running_mean', average, x);
  checkPerChannel('running_var', variance, x);
  const { eps = 1e-5 } = options;
  const scale = mul(rsqrt(add(cast(variance, dtype), eps)), weight);
  const centred = sub(cast(x, dtype), perChannel(cast(average, dtype), x));
  return cast(add(mul(centred, perChannel(scale, x)), perChannel(bias, x)), x.dtype);
}

/** Weight and bias in the dtype statistics have; checks all shapes. */
function parameters(x: Tensor, { weight, bias }: BatchNormOptions) {
  needsFloating('batch_norm', x);
  if (x.ndim < 2) {
    throw opError(
      ShapeError,
      'batch_norm',
      `input must be (N, C, ...), got ${formatShape(x.shape)}`,
    );
  }
  const dtype: DType = x.dtype === 'float64' ? 'float64' : 'float32';
  const given = (name: string, values: Tensor | null | undefined, missing: number) => {
    if (values == null) return full([x.shape[1]!], missing, dtype);
    checkPerChannel(name, values, x);
    return cast(values, dtype);
  };
  return { weight: given('weight', weight, 1), bias: given('bias', bias, 0), dtype };
}

function checkPerChannel(name: string, { shape }: ValueType, x: Tensor): void {
  if (shape.length === 1 && shape[0] === x.shape[1]) return;
  throw opError(
    ShapeError,
    'batch_norm',
    `${name} ${formatShape(shape)} does not fit the ${x.shape[1]} channels of input ` +
      formatShape(x.shape),
  );
}
