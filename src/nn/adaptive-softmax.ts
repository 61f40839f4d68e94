/** Softmax over many classes, of which few are frequent (Grave et al. 2017). */

import { z } from 'zod';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { gather } from '../ops/indexing.ts';
import { cat } from '../ops/joining.ts';
import { squeeze, unsqueeze } from '../ops/movement.ts';
import { add, ge, logicalAnd, lt, neg, sub, where } from '../ops/pointwise.ts';
import { argmax, mean } from '../ops/reduction.ts';
import { narrow } from '../ops/slicing.ts';
import { logSoftmax } from '../ops/softmax.ts';
import { Sequential } from './container.ts';
import { needsValues } from './functional/loss.ts';
import { Linear } from './linear.ts';
import { Module } from './module.ts';
import { modules, schemas } from './registry.ts';

const NAME = 'AdaptiveLogSoftmaxWithLoss';

const options = strict({
  in_features: schemas.size,
  n_classes: schemas.size,
  cutoffs: z.array(schemas.size).min(1),
  div_value: z.number().positive().default(4),
  head_bias: z.boolean().default(false),
});

/**
 * Classes up to the first of `cutoffs` are scored by the head; those between two cutoffs by a
 * cluster of their own, of fewer features, which the head scores as a whole. `forward(input,
 * target)` of (N, in_features) and (N), or (in_features) and (), gives the targets'
 * log-probabilities and the mean loss.
 * https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html
 *
 * @throws ArgumentError unless `cutoffs` rise and stay below `n_classes`, and for targets that are
 *   no class (outside a compiled step); ShapeError when the sizes do not fit.
 */
export class AdaptiveLogSoftmaxWithLoss extends Module<
  [input: Tensor, target: Tensor],
  [output: Tensor, loss: Tensor]
> {
  readonly in_features: number;
  readonly n_classes: number;
  readonly cutoffs: readonly number[];
  readonly head: Linear;
  readonly tail: readonly Sequential[];

  constructor(given: z.input<typeof options>) {
    super();
    const parsed = parseOptions(NAME, options, given);
    const { in_features, n_classes, cutoffs, div_value, head_bias: bias } = parsed;
    const rises = cutoffs.every((cutoff, i) => cutoff > (cutoffs[i - 1] ?? 0));
    if (!rises || cutoffs.at(-1)! >= n_classes) {
      const message = `cutoffs [${cutoffs}] must rise and stay below n_classes ${n_classes}`;
      throw opError(ArgumentError, NAME, message);
    }
    this.in_features = in_features;
    this.n_classes = n_classes;
    this.cutoffs = [...cutoffs, n_classes];
    this.head = new Linear({ in_features, out_features: cutoffs[0]! + cutoffs.length, bias });
    this.tail = cutoffs.map((cutoff, i) => {
      const hidden = Math.floor(in_features / div_value ** (i + 1));
      const out_features = this.cutoffs[i + 1]! - cutoff;
      return new Sequential([
        new Linear({ in_features, out_features: hidden, bias: false }),
        new Linear({ in_features: hidden, out_features, bias: false }),
      ]);
    });
  }

  forward(input: Tensor, target: Tensor): [output: Tensor, loss: Tensor] {
    const isBatch = target.ndim === 1;
    const fits = input.ndim === target.ndim + 1 && (!isBatch || input.shape[0] === target.shape[0]);
    if (target.ndim > 1 || !fits) {
      const shapes = `input ${formatShape(input.shape)}, target ${formatShape(target.shape)}`;
      throw opError(ShapeError, NAME, `${shapes} do not fit: (N, in_features) and (N), or no N`);
    }
    const isClass = logicalAnd(ge(target, 0), lt(target, this.n_classes));
    needsValues(NAME, isClass, `targets must be below n_classes ${this.n_classes}`);
    const rows = isBatch ? input : unsqueeze(input, 0);
    const output = this.#targetScores(rows, isBatch ? target : unsqueeze(target, 0));
    return [isBatch ? output : squeeze(output, 0), neg(mean(output))];
  }

  /** The log-probabilities of all classes: (N, in_features) -> (N, n_classes). */
  logProb(input: Tensor): Tensor {
    const head = logSoftmax(this.head.call(input), 1);
    const frequent = this.cutoffs[0]!;
    const clusters = this.tail.map((layers, i) =>
      add(logSoftmax(layers.call(input), 1), narrow(head, 1, frequent + i, 1)),
    );
    return cat([narrow(head, 1, 0, frequent), ...clusters], 1);
  }

  /** The most likely class of each row. */
  predict(input: Tensor): Tensor {
    return argmax(this.logProb(input), 1);
  }

  /** log p(cluster) + log p(class in its cluster); every cluster is computed for every row. */
  #targetScores(input: Tensor, target: Tensor): Tensor {
    const head = logSoftmax(this.head.call(input), 1);
    const pick = (scores: Tensor, index: Tensor) =>
      squeeze(gather(scores, 1, unsqueeze(index, 1)), 1);
    const frequent = this.cutoffs[0]!;
    let total = pick(head, where(lt(target, frequent), target, 0));
    for (const [i, layers] of this.tail.entries()) {
      const [low, high] = [this.cutoffs[i]!, this.cutoffs[i + 1]!];
      const isHere = logicalAnd(ge(target, low), lt(target, high));
      const own = pick(logSoftmax(layers.call(input), 1), where(isHere, sub(target, low), 0));
      const cluster = squeeze(narrow(head, 1, frequent + i, 1), 1);
      total = where(isHere, add(own, cluster), total);
    }
    return total;
  }
}

modules.register(NAME, {
  schema: options,
  create: (given: z.output<typeof options>) => new AdaptiveLogSoftmaxWithLoss(given),
});
