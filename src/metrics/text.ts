/** Metrics of text. */

import { z } from 'zod';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { gather } from '../ops/indexing.ts';
import { cast, ne, neg, where } from '../ops/pointwise.ts';
import { sum } from '../ops/reduction.ts';
import { logSoftmax } from '../ops/softmax.ts';
import { classCount } from './class-pairs.ts';
import { Metric, type MetricContext, type MetricState } from './metric.ts';
import { metrics } from './registry.ts';

const perplexity = z.strictObject({
  ignore_index: z
    .int()
    .optional()
    .describe(
      'A target that is left out, such as padding. Default: that of the loss, where it has one.',
    ),
});

/**
 * exp of the mean negative log-likelihood of the targets; logits are (N, classes, ...), as the
 * loss takes them. https://lightning.ai/docs/torchmetrics/stable/text/perplexity.html
 */
class Perplexity extends Metric {
  readonly name = 'perplexity';
  readonly higher_is_better = false;
  readonly sum = this.addState('sum', zeros([], { dtype: 'float64' }));
  readonly total = this.addState('total', zeros([], { dtype: 'int64' }));

  constructor(readonly options: z.output<typeof perplexity>) {
    super();
  }

  override prepare(context: MetricContext): void {
    classCount('Perplexity', { task: 'multiclass', threshold: 0 }, context);
  }

  update(output: Tensor, target: Tensor): void {
    const { ignore_index } = this.options;
    const counts = ignore_index === undefined ? undefined : ne(target, ignore_index);
    const known = counts === undefined ? target : where(counts, target, 0);
    const logits = cast(output, 'float32');
    const surprise = neg(gather(logSoftmax(logits, 1), 1, known.unsqueeze(1))).squeeze(1);
    const counted = counts === undefined ? surprise : where(counts, surprise, 0);
    this.sum.add_(sum(cast(counted, 'float64')));
    this.total.add_(counts === undefined ? target.numel() : counts.sum());
  }

  compute({ sum, total }: MetricState): number {
    return Math.exp(sum![0]! / total![0]!);
  }
}

metrics.register('Perplexity', {
  schema: perplexity,
  create: (options: z.output<typeof perplexity>) => new Perplexity(options),
});
