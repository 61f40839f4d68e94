/**
 * Sums over many steps, kept where the steps run: a step adds to them, and nothing is read back
 * until someone asks. Part of a compiled step's state, and of a checkpoint.
 */

import type { Stateful } from '../../core/compile.ts';
import { noGrad } from '../../core/grad-mode.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { MetricValue, NamedMetric } from '../../metrics/index.ts';
import { zeros } from '../../ops/creation.ts';

/** What was measured. */
export interface Measurement {
  readonly samples: number;
  /** By name: `loss`, the mean over the samples (NaN without any), and each metric that is one. */
  readonly values: { readonly loss: number; readonly [name: string]: number };
  /** Metrics that are lists or matrices, by name. */
  readonly arrays: Readonly<Record<string, Exclude<MetricValue, number>>>;
}

export interface TotalsOptions {
  readonly metrics: readonly NamedMetric[];
  /** The loss of a batch is the sum over its samples, not their mean. */
  readonly summed: boolean;
}

export class Totals implements Stateful {
  /** Loss times samples: each product is exact in float64. */
  readonly loss = zeros([], { dtype: 'float64' });
  readonly samples = zeros([], { dtype: 'int64' });

  constructor(readonly options: TotalsOptions) {}

  /** Adds one batch; part of a traced step. */
  add(loss: Tensor, output: Tensor, target: Tensor): void {
    const { metrics, summed } = this.options;
    const count = target.shape[0]!;
    noGrad(() => {
      this.loss.copy_(this.loss.add(loss.to('float64').mul(summed ? 1 : count)));
      this.samples.copy_(this.samples.add(count));
      for (const { metric } of metrics) metric.update(output, target);
    });
  }

  /** Starts over; eager or part of a traced step. */
  clear(): undefined {
    this.loss.zero_();
    this.samples.zero_();
    for (const { metric } of this.options.metrics) metric.reset();
  }

  /** What was measured, as of the runs queued before this call. */
  async read(): Promise<Measurement> {
    const entries = [...this.named()];
    const contents = await Promise.all(entries.map(([, tensor]) => tensor.data()));
    const numbers = new Map(entries.map(([name], i) => [name, Array.from(contents[i]!, Number)]));
    const samples = numbers.get('samples')![0]!;
    const values: Record<string, number> & { loss: number } = {
      loss: numbers.get('loss')![0]! / samples,
    };
    const arrays: Record<string, Exclude<MetricValue, number>> = {};
    for (const { name, metric } of this.options.metrics) {
      const state = [...metric.namedState().keys()].map((key) => [
        key,
        numbers.get(stateName(name, key))!,
      ]);
      const value = metric.compute(Object.fromEntries(state));
      if (typeof value === 'number') values[name] = value;
      else arrays[name] = value;
    }
    return { samples, values, arrays };
  }

  /** The tensors by name, as a checkpoint keeps them: `loss`, `samples`, `METRIC.NAME`. */
  named(): Map<string, Tensor> {
    const { loss, samples } = this;
    const named = new Map(Object.entries({ loss, samples }));
    for (const { name, metric } of this.options.metrics) {
      for (const [key, tensor] of metric.namedState()) named.set(stateName(name, key), tensor);
    }
    return named;
  }

  stateTensors(): Tensor[] {
    return [...this.named().values()];
  }
}

const stateName = (metric: string, key: string): string => `${metric}.${key}`;
