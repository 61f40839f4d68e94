/**
 * Sums over many steps, kept where the steps run: a step adds to them, and nothing is read back
 * until someone asks. Part of a compiled step's state, and of a checkpoint.
 */

import type { Stateful } from '../core/compile.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';

/** What was measured, as means over the samples. */
export interface Means {
  readonly samples: number;
  /** NaN when there were no samples. */
  readonly loss: number;
  /** In [0, 1], over all predictions; only where targets are classes. */
  readonly accuracy?: number;
}

export interface TotalsOptions {
  /** Class predictions a sample: one an image, one a token. Undefined: targets are no classes. */
  readonly predictions: number | undefined;
  /** The loss of a batch is the sum over its samples, not their mean. */
  readonly summed: boolean;
}

export class Totals implements Stateful {
  /** Loss times samples: each product is exact in float64. */
  readonly loss = zeros([], { dtype: 'float64' });
  readonly samples = zeros([], { dtype: 'int64' });
  readonly correct = zeros([], { dtype: 'int64' });

  constructor(readonly options: TotalsOptions) {}

  /**
   * Adds one batch; part of a traced step. Where targets are classes, `output` is
   * (N, classes, ...) and `target` (N, ...).
   */
  add(loss: Tensor, output: Tensor, target: Tensor): void {
    const { predictions, summed } = this.options;
    const count = target.shape[0]!;
    noGrad(() => {
      this.loss.copy_(this.loss.add(loss.to('float64').mul(summed ? 1 : count)));
      this.samples.copy_(this.samples.add(count));
      if (predictions === undefined) return;
      this.correct.copy_(this.correct.add(output.argmax(1).eq(target).sum()));
    });
  }

  /** Starts over; eager or part of a traced step. */
  clear(): undefined {
    for (const tensor of this.stateTensors()) tensor.zero_();
  }

  /** The means as of the runs queued before this call. */
  async read(): Promise<Means> {
    const contents = await Promise.all(this.stateTensors().map((tensor) => tensor.data()));
    const [loss, samples, correct] = contents.map((data) => Number(data[0])) as [
      number,
      number,
      number,
    ];
    const means = { samples, loss: loss / samples };
    const { predictions } = this.options;
    if (predictions === undefined) return means;
    return { ...means, accuracy: correct / (samples * predictions) };
  }

  /** The tensors by name, as a checkpoint keeps them. */
  named(): Map<string, Tensor> {
    const { loss, samples, correct } = this;
    return new Map(Object.entries({ loss, samples, correct }));
  }

  stateTensors(): Tensor[] {
    return [this.loss, this.samples, this.correct];
  }
}
