/** Metrics of numbers: errors of predictions, summed in float64. */

import { z } from 'zod';
import type { Tensor } from '../core/tensor.ts';
import { full, zeros } from '../ops/creation.ts';
import { abs, cast, div, maximum, mul, sub } from '../ops/pointwise.ts';
import { sum } from '../ops/reduction.ts';
import {
  checkSameShape,
  Metric,
  type MetricContext,
  type MetricState,
  type MetricValue,
  total,
} from './metric.ts';
import { metrics } from './registry.ts';

/** The mean over all numbers of an error of each. */
class MeanError extends Metric {
  readonly higher_is_better = false;
  readonly sum = this.addState('sum', zeros([], { dtype: 'float64' }));
  readonly total = this.addState('total', zeros([], { dtype: 'int64' }));

  constructor(
    readonly type: string,
    readonly name: string,
    /** Of predictions and targets in float64. */
    readonly error: (output: Tensor, target: Tensor) => Tensor,
    readonly finish: (mean: number) => number = (mean) => mean,
  ) {
    super();
  }

  override prepare(context: MetricContext): void {
    checkSameShape(this.type, context);
  }

  update(output: Tensor, target: Tensor): void {
    this.sum.add_(sum(this.error(cast(output, 'float64'), cast(target, 'float64'))));
    this.total.add_(target.numel());
  }

  compute({ sum, total }: MetricState): number {
    return this.finish(sum![0]! / total![0]!);
  }
}

const squared = (output: Tensor, target: Tensor) => {
  const error = sub(output, target);
  return mul(error, error);
};

metrics.register('MeanSquaredError', {
  schema: z.strictObject({
    squared: z.boolean().default(true).describe('False: the root of the mean.'),
  }),
  create: (options: { squared: boolean }) =>
    options.squared
      ? new MeanError('MeanSquaredError', 'mean_squared_error', squared)
      : new MeanError('MeanSquaredError', 'root_mean_squared_error', squared, Math.sqrt),
});

metrics.register('MeanAbsoluteError', {
  schema: z.strictObject({}),
  create: () =>
    new MeanError('MeanAbsoluteError', 'mean_absolute_error', (output, target) =>
      abs(sub(output, target)),
    ),
});

/** Targets nearer to 0 than this count as this far, as in torchmetrics. */
const LEAST_TARGET = 1.17e-6;

metrics.register('MeanAbsolutePercentageError', {
  schema: z.strictObject({}),
  create: () =>
    new MeanError(
      'MeanAbsolutePercentageError',
      'mean_absolute_percentage_error',
      (output, target) => {
        const size = maximum(abs(target), full([], LEAST_TARGET, 'float64'));
        return div(abs(sub(output, target)), size);
      },
    ),
});

// ---- R2Score -----------------------------------------------------------------------------------

const r2Score = z.strictObject({
  multioutput: z
    .enum(['uniform_average', 'raw_values', 'variance_weighted'])
    .default('uniform_average')
    .describe('How the scores of several outputs become one.'),
});

/**
 * The share of the targets' variance that is explained; outputs (N) or (N, outputs).
 * https://lightning.ai/docs/torchmetrics/stable/regression/r2_score.html
 */
class R2Score extends Metric {
  readonly name = 'r2_score';
  readonly higher_is_better = true;
  override readonly scalar: boolean;
  #outputs = 1;
  #sums!: Readonly<Record<'target' | 'squared_target' | 'squared_error' | 'total', Tensor>>;

  constructor(readonly options: z.output<typeof r2Score>) {
    super();
    this.scalar = options.multioutput !== 'raw_values';
  }

  override prepare(context: MetricContext): void {
    checkSameShape('R2Score', context);
    this.#outputs = context.target.shape.slice(1).reduce((a, b) => a * b, 1);
    const begin = (name: string) =>
      this.addState(name, zeros([this.#outputs], { dtype: 'float64' }));
    this.#sums = {
      target: begin('target'),
      squared_target: begin('squared_target'),
      squared_error: begin('squared_error'),
      total: this.addState('total', zeros([], { dtype: 'int64' })),
    };
  }

  update(output: Tensor, target: Tensor): void {
    const rows = (x: Tensor) => cast(x, 'float64').reshape([x.shape[0]!, this.#outputs]);
    const [predicted, actual] = [rows(output), rows(target)];
    this.#sums.target.add_(sum(actual, 0));
    this.#sums.squared_target.add_(sum(mul(actual, actual), 0));
    this.#sums.squared_error.add_(sum(squared(predicted, actual), 0));
    this.#sums.total.add_(target.shape[0]!);
  }

  compute(state: MetricState): MetricValue {
    const count = state.total![0]!;
    const variances = state.squared_target!.map((s, i) => s - state.target![i]! ** 2 / count);
    const scores = variances.map((variance, i) => scoreOf(state.squared_error![i]!, variance));
    const { multioutput } = this.options;
    if (multioutput === 'raw_values') return scores;
    if (multioutput === 'uniform_average') return total(scores) / scores.length;
    const whole = total(variances);
    return total(scores.map((score, i) => (score * variances[i]!) / whole));
  }
}

/** A constant target is explained by its own value alone, as in scikit-learn. */
function scoreOf(error: number, variance: number): number {
  if (variance !== 0) return 1 - error / variance;
  return error === 0 ? 1 : 0;
}

metrics.register('R2Score', {
  schema: r2Score,
  create: (options: z.output<typeof r2Score>) => new R2Score(options),
});
