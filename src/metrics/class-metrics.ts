/**
 * Accuracy, Precision, Recall, F1Score, Specificity: from how often each class was predicted, was
 * there, and was both. https://lightning.ai/docs/torchmetrics/stable/classification/accuracy.html
 */

import { z } from 'zod';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { classArguments, classCount, classPairs, hits, tally, topK } from './class-pairs.ts';
import {
  Metric,
  type MetricContext,
  type MetricState,
  type MetricValue,
  safeDivide,
  total,
} from './metric.ts';
import { metrics } from './registry.ts';

const average = z
  .enum(['micro', 'macro', 'weighted', 'none'])
  .default('micro')
  .describe(
    '`micro` counts over all classes; `macro` is the mean of the classes, `weighted` by how often ' +
      'each occurs; `none` gives a value a class.',
  );

const schema = z.strictObject({ ...classArguments, top_k: topK, average });

type Options = z.output<typeof schema>;

/** Of one class, or summed over all. */
interface Counts {
  readonly both: number;
  readonly predicted: number;
  readonly actual: number;
  /** Of all classes. */
  readonly all: number;
}

interface Kind {
  readonly type: string;
  readonly name: string;
  readonly score: (counts: Counts) => number;
  /** Among the k highest, whether a class that is only predicted has no part in `macro`. */
  readonly needsActual: boolean;
}

/** A score of counts by class. */
class ClassMetric extends Metric {
  readonly name: string;
  readonly higher_is_better = true;
  override readonly scalar: boolean;
  #counts!: Readonly<Record<'both' | 'predicted' | 'actual', Tensor>>;
  #classes = 0;

  constructor(
    readonly kind: Kind,
    readonly options: Options,
  ) {
    super();
    this.name = nameOf(kind.name, options);
    this.scalar = options.average !== 'none' || options.task === 'binary';
  }

  override prepare(context: MetricContext): void {
    this.#classes = classCount(this.kind.type, this.options, context);
    const begin = (name: string) => this.addState(name, zeros([this.#classes], { dtype: 'int64' }));
    this.#counts = {
      both: begin('both'),
      predicted: begin('predicted'),
      actual: begin('actual'),
    };
  }

  update(output: Tensor, target: Tensor): void {
    const pairs = classPairs(output, target, this.options);
    const { predicted, actual, counts } = pairs;
    this.#counts.both.add_(tally(this.#classes, actual, hits(pairs)));
    this.#counts.predicted.add_(tally(this.#classes, predicted, counts));
    this.#counts.actual.add_(tally(this.#classes, actual, counts));
  }

  compute({ both, predicted, actual }: MetricState): MetricValue {
    const { task, average } = this.options;
    const all = total(actual!);
    const classes = both!.map((count, i) => ({
      both: count,
      predicted: predicted![i]!,
      actual: actual![i]!,
      all,
    }));
    const { score } = this.kind;
    if (task === 'binary') return score(classes[1]!);
    if (average === 'none') return classes.map(score);
    if (average === 'micro') {
      const sum = (key: keyof Counts) => total(classes.map((counts) => counts[key]));
      return score({
        both: sum('both'),
        predicted: sum('predicted'),
        actual: sum('actual'),
        all: sum('all'),
      });
    }
    return averaged(classes, this.kind, this.options);
  }
}

/** Classes that were neither there nor predicted have no score; the rules are torchmetrics'. */
function averaged(
  classes: readonly Counts[],
  { score, needsActual }: Kind,
  { average, top_k }: Options,
): number {
  const weights = classes.map(({ actual, predicted }) => {
    if (average === 'weighted') return actual;
    const isThere = actual > 0 || (predicted > 0 && !(needsActual && top_k > 1));
    return isThere ? 1 : 0;
  });
  const scores = classes.map((counts, i) => weights[i]! * score(counts));
  return safeDivide(total(scores), total(weights));
}

function nameOf(name: string, { top_k }: Options): string {
  return top_k === 1 ? name : `top${top_k}_${name}`;
}

/** How many predictions are right: the plain accuracy, without counts by class. */
class OverallAccuracy extends Metric {
  readonly name: string;
  readonly higher_is_better = true;
  readonly correct = this.addState('correct', zeros([], { dtype: 'int64' }));
  readonly total = this.addState('total', zeros([], { dtype: 'int64' }));

  constructor(readonly options: Options) {
    super();
    this.name = nameOf('accuracy', options);
  }

  override prepare(context: MetricContext): void {
    classCount('Accuracy', this.options, context);
  }

  update(output: Tensor, target: Tensor): void {
    const pairs = classPairs(output, target, this.options);
    this.correct.add_(hits(pairs).sum());
    this.total.add_(pairs.counts === undefined ? target.numel() : pairs.counts.sum());
  }

  compute({ correct, total }: MetricState): number {
    return safeDivide(correct![0]!, total![0]!);
  }
}

metrics.register('Accuracy', {
  schema,
  create: (options: Options) => {
    const isOverall = options.average === 'micro' || options.task === 'binary';
    return isOverall ? new OverallAccuracy(options) : new ClassMetric(ACCURACY, options);
  },
});

const recall = ({ both, actual }: Counts) => safeDivide(both, actual);

const ACCURACY: Kind = { type: 'Accuracy', name: 'accuracy', score: recall, needsActual: true };

const KINDS: readonly Kind[] = [
  {
    type: 'Precision',
    name: 'precision',
    score: ({ both, predicted }) => safeDivide(both, predicted),
    needsActual: true,
  },
  { type: 'Recall', name: 'recall', score: recall, needsActual: true },
  {
    type: 'F1Score',
    name: 'f1_score',
    score: ({ both, predicted, actual }) => safeDivide(2 * both, predicted + actual),
    needsActual: false,
  },
  {
    type: 'Specificity',
    name: 'specificity',
    score: ({ both, predicted, actual, all }) =>
      safeDivide(all - predicted - actual + both, all - actual),
    needsActual: false,
  },
];

for (const kind of KINDS) {
  metrics.register(kind.type, {
    schema,
    create: (options: Options) => new ClassMetric(kind, options),
  });
}
