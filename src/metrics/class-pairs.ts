/** Predicted and actual classes, from what a model gives and what it should have given. */

import { z } from 'zod';
import { ArgumentError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { full } from '../ops/creation.ts';
import { gather, scatterSum } from '../ops/indexing.ts';
import {
  cast,
  eq,
  ge,
  gt,
  logicalAnd,
  logicalNot,
  logicalOr,
  lt,
  ne,
  sigmoid,
  where,
} from '../ops/pointwise.ts';
import { arange } from '../ops/ranges.ts';
import { argmax } from '../ops/reduction.ts';
import { checkSameShape, type MetricContext } from './metric.ts';

/** Arguments that all metrics of classes have. */
export const classArguments = {
  task: z
    .enum(['multiclass', 'binary'])
    .default('multiclass')
    .describe('`binary`: one output a prediction, with targets of 0 and 1.'),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Of `task: binary`: the probability above which a prediction is 1.'),
  ignore_index: z
    .int()
    .optional()
    .describe("A target that is left out. Default: the loss's `ignore_index`, where it has one."),
};

export const topK = z
  .int()
  .positive()
  .default(1)
  .describe('How many of the highest scores may hold the right class.');

export interface ClassOptions {
  readonly task: 'multiclass' | 'binary';
  readonly threshold: number;
  readonly ignore_index?: number | undefined;
  readonly top_k?: number;
}

/** The classes of a batch's predictions, all in one row. */
export interface ClassPairs {
  /** int64 (predictions). */
  readonly predicted: Tensor;
  readonly actual: Tensor;
  /** bool, where some are left out: whether this one counts. */
  readonly counts: Tensor | undefined;
}

/**
 * How many classes there are to predict.
 *
 * @throws ArgumentError when the task has no such classes, or fewer than `top_k`.
 */
export function classCount(type: string, options: ClassOptions, context: MetricContext): number {
  const { task, top_k = 1 } = options;
  if (task === 'binary') {
    checkSameShape(type, context);
    if (context.classes.length === 0) return 2;
  } else if (context.classes.length === 0) {
    throw new ArgumentError(
      `[${type}] the targets are numbers, not classes; task: binary is for numbers of 0 and 1`,
    );
  }
  const scores = task === 'binary' ? 2 : (context.output.shape[1] ?? 0);
  if (top_k > scores) {
    throw new ArgumentError(`[${type}] top_k is ${top_k}, but there are ${scores} classes`);
  }
  return scores;
}

/** Of `output` (N, classes, ...) and `target` (N, ...); `binary`: both (N, ...). */
export function classPairs(output: Tensor, target: Tensor, options: ClassOptions): ClassPairs {
  const { task, threshold, ignore_index, top_k = 1 } = options;
  const counts = ignore_index === undefined ? undefined : ne(target, ignore_index);
  // What is left out need not be a class: any will do in its place.
  const known = counts === undefined ? target : where(counts, target, 0);
  const actual = cast(known, 'int64');
  const predicted = task === 'binary' ? above(output, threshold) : withTopK(output, actual, top_k);
  return { predicted: predicted.flatten(), actual: actual.flatten(), counts: counts?.flatten() };
}

/** Outputs beyond [0, 1] are logits, as in torchmetrics. */
function above(output: Tensor, threshold: number): Tensor {
  const isLogits = logicalOr(lt(output, 0), gt(output, 1)).any();
  return cast(gt(where(isLogits, sigmoid(output), output), threshold), 'int64');
}

/** The class of the highest score; the right one, where its score is among the `k` highest. */
function withTopK(output: Tensor, actual: Tensor, k: number): Tensor {
  const highest = argmax(output, 1);
  if (k === 1) return highest;
  const classes = output.shape[1]!;
  const at = actual.unsqueeze(1);
  const score = gather(output, 1, at);
  const index = arange(classes).reshape([1, classes, ...output.shape.slice(2).map(() => 1)]);
  // Of equal scores the first is the higher, as in argmax.
  const isLaterTie = logicalAnd(eq(output, score), ge(index, at));
  const isHigher = logicalAnd(ge(output, score), logicalNot(isLaterTie));
  return where(lt(isHigher.sum(1), k), actual, highest);
}

/** How often each of `classes` occurs in `index`: int64 (classes). */
export function tally(classes: number, index: Tensor, counts: Tensor | undefined): Tensor {
  const ones = counts === undefined ? full(index.shape, 1, 'int64') : cast(counts, 'int64');
  return scatterSum([classes], 0, index, ones);
}

/** Whether each prediction is right, and counts. */
export function hits({ predicted, actual, counts }: ClassPairs): Tensor {
  const right = eq(predicted, actual);
  return counts === undefined ? right : logicalAnd(right, counts);
}
