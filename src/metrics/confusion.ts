/** ConfusionMatrix, and what is computed from one: JaccardIndex, CohenKappa, MatthewsCorrCoef. */

import { z } from 'zod';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { add, mul } from '../ops/pointwise.ts';
import { type ClassOptions, classArguments, classCount, classPairs, tally } from './class-pairs.ts';
import {
  Metric,
  type MetricContext,
  type MetricState,
  type MetricValue,
  safeDivide,
  total,
} from './metric.ts';
import { metrics } from './registry.ts';

/** Rows are the actual classes, columns the predicted ones. */
type Matrix = readonly (readonly number[])[];

abstract class OfConfusion extends Metric {
  readonly higher_is_better = true;
  #matrix!: Tensor;
  #classes = 0;

  constructor(
    readonly type: string,
    readonly options: ClassOptions,
  ) {
    super();
  }

  override prepare(context: MetricContext): void {
    this.#classes = classCount(this.type, this.options, context);
    this.#matrix = this.addState('matrix', zeros([this.#classes ** 2], { dtype: 'int64' }));
  }

  update(output: Tensor, target: Tensor): void {
    const { predicted, actual, counts } = classPairs(output, target, this.options);
    const cell = add(mul(actual, this.#classes), predicted);
    this.#matrix.add_(tally(this.#classes ** 2, cell, counts));
  }

  compute({ matrix }: MetricState): MetricValue {
    const rows = Array.from({ length: this.#classes }, (_, i) =>
      matrix!.slice(i * this.#classes, (i + 1) * this.#classes),
    );
    return this.score(rows);
  }

  abstract score(matrix: Matrix): MetricValue;
}

const rowSums = (matrix: Matrix): number[] => matrix.map(total);
const columnSums = (matrix: Matrix): number[] =>
  matrix.map((_, j) => total(matrix.map((row) => row[j]!)));
const diagonal = (matrix: Matrix): number[] => matrix.map((row, i) => row[i]!);
const dot = (a: readonly number[], b: readonly number[]): number =>
  total(a.map((value, i) => value * b[i]!));

// ---- ConfusionMatrix ---------------------------------------------------------------------------

const confusionMatrix = z.strictObject({
  ...classArguments,
  normalize: z
    .enum(['none', 'true', 'pred', 'all'])
    .default('none')
    .describe('Over what shares are taken: the actual classes, the predicted ones, everything.'),
});

/** https://lightning.ai/docs/torchmetrics/stable/classification/confusion_matrix.html */
class ConfusionMatrix extends OfConfusion {
  readonly name = 'confusion_matrix';
  override readonly scalar = false;

  constructor(override readonly options: z.output<typeof confusionMatrix>) {
    super('ConfusionMatrix', options);
  }

  score(matrix: Matrix): Matrix {
    const { normalize } = this.options;
    if (normalize === 'none') return matrix;
    const [rows, columns] = [rowSums(matrix), columnSums(matrix)];
    const all = total(rows);
    return matrix.map((row, i) =>
      row.map((count, j) => {
        const of = { true: rows[i]!, pred: columns[j]!, all };
        return safeDivide(count, of[normalize]);
      }),
    );
  }
}

metrics.register('ConfusionMatrix', {
  schema: confusionMatrix,
  create: (options: z.output<typeof confusionMatrix>) => new ConfusionMatrix(options),
});

// ---- numbers -----------------------------------------------------------------------------------

const jaccardIndex = z.strictObject({
  ...classArguments,
  average: z
    .enum(['micro', 'macro', 'weighted', 'none'])
    .default('macro')
    .describe('`macro` is the mean of the classes, which segmentation calls mIoU.'),
});

/** Intersection over union. */
class JaccardIndex extends OfConfusion {
  readonly name = 'jaccard_index';
  override readonly scalar: boolean;

  constructor(override readonly options: z.output<typeof jaccardIndex>) {
    super('JaccardIndex', options);
    this.scalar = options.average !== 'none' || options.task === 'binary';
  }

  score(matrix: Matrix): MetricValue {
    const { average, task, ignore_index } = this.options;
    const [actual, predicted, both] = [rowSums(matrix), columnSums(matrix), diagonal(matrix)];
    const union = both.map((count, i) => actual[i]! + predicted[i]! - count);
    const scores = both.map((count, i) => safeDivide(count, union[i]!));
    if (task === 'binary') return scores[1]!;
    if (average === 'none') return scores;
    if (average === 'micro') return safeDivide(total(both), total(union));
    const weights =
      average === 'weighted'
        ? actual
        : union.map((count, i) => (count > 0 && i !== ignore_index ? 1 : 0));
    return safeDivide(dot(weights, scores), total(weights));
  }
}

metrics.register('JaccardIndex', {
  schema: jaccardIndex,
  create: (options: z.output<typeof jaccardIndex>) => new JaccardIndex(options),
});

const plain = z.strictObject(classArguments);

/** Agreement beyond chance. */
class CohenKappa extends OfConfusion {
  readonly name = 'cohen_kappa';

  score(matrix: Matrix): number {
    const [actual, predicted] = [rowSums(matrix), columnSums(matrix)];
    const all = total(actual);
    const chance = dot(actual, predicted) / all;
    return safeDivide(total(diagonal(matrix)) - chance, all - chance);
  }
}

/** The correlation of the predicted and the actual classes. */
class MatthewsCorrCoef extends OfConfusion {
  readonly name = 'matthews_corrcoef';

  score(matrix: Matrix): number {
    const [actual, predicted] = [rowSums(matrix), columnSums(matrix)];
    const all = total(actual);
    const covariance = (a: readonly number[], b: readonly number[]) => all * all - dot(a, b);
    const both = total(diagonal(matrix)) * all - dot(actual, predicted);
    return safeDivide(
      both,
      Math.sqrt(covariance(predicted, predicted) * covariance(actual, actual)),
    );
  }
}

metrics.register('CohenKappa', {
  schema: plain,
  create: (options: ClassOptions) => new CohenKappa('CohenKappa', options),
});
metrics.register('MatthewsCorrCoef', {
  schema: plain,
  create: (options: ClassOptions) => new MatthewsCorrCoef('MatthewsCorrCoef', options),
});
