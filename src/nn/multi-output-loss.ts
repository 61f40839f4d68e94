/** MultiOutputLoss: a loss for each output of a model with several. */

import { z } from 'zod';
import { ArgumentError, opError } from '../base/errors.ts';
import { type Spec, strict } from '../base/registry.ts';
import { Tensor } from '../core/tensor.ts';
import { firstOutput, Module, tensorOutputs } from './module.ts';
import { losses } from './registry.ts';

/** A loss that compares all outputs of a model, not the first alone, with the targets. */
export interface AllOutputsLoss {
  readonly all_outputs: true;
}

/**
 * The value of a loss for what a model gave: most losses look at its first output; one that has
 * `all_outputs` gets an array of all of them. A model with auxiliary heads, such as GoogLeNet,
 * gives one tensor alone in evaluation; then MultiOutputLoss is its first loss.
 */
export function lossOfOutput(
  loss: Module,
  output: Tensor | readonly [Tensor, ...unknown[]],
  target: Tensor,
): Tensor {
  const { all_outputs } = loss as Partial<AllOutputsLoss>;
  // The two kinds differ in what they take; the flag is what tells them apart.
  const isMain = output instanceof Tensor && loss instanceof MultiOutputLoss;
  const taken = all_outputs && !isMain ? tensorOutputs(output) : firstOutput(output);
  return loss.call(taken as Tensor, target);
}

/**
 * The sum of `weights[i] * losses[i](outputs[i], target)`: what an auxiliary head adds to the loss,
 * as in GoogLeNet (Szegedy et al. 2014, https://arxiv.org/abs/1409.4842).
 */
export class MultiOutputLoss
  extends Module<[outputs: Tensor | readonly Tensor[], target: Tensor]>
  implements AllOutputsLoss
{
  readonly all_outputs = true;
  readonly losses: readonly Module[];
  readonly weights: readonly number[];

  /**
   * @param losses one for each output.
   * @param weights one for each loss; 1 unless given.
   */
  constructor(losses: readonly Module[], weights: readonly number[] = losses.map(() => 1)) {
    super();
    if (losses.length !== weights.length) {
      const counts = `${weights.length} for ${losses.length}`;
      throw new ArgumentError(`[MultiOutputLoss] needs a weight for each loss, has ${counts}`);
    }
    this.losses = losses;
    this.weights = weights;
  }

  /**
   * @param outputs the main one first; a tensor that is not in an array is the main one alone.
   * @throws ArgumentError unless an array has as many outputs as there are losses.
   */
  forward(outputs: Tensor | readonly Tensor[], target: Tensor): Tensor {
    if (outputs instanceof Tensor) {
      return this.losses[0]!.call(outputs, target).mul(this.weights[0]!);
    }
    if (outputs.length !== this.losses.length) {
      const counts = `${this.losses.length} for ${outputs.length}`;
      const message = `needs a loss for each output of the model, has ${counts}`;
      throw opError(ArgumentError, 'MultiOutputLoss', message);
    }
    return this.losses
      .map((loss, i) => loss.call(outputs[i]!, target).mul(this.weights[i]!))
      .reduce((sum, value) => sum.add(value));
  }

  override extraRepr(): string {
    return `weights=[${this.weights.join(', ')}]`;
  }
}

const options = strict({
  losses: z
    .array(z.lazy(() => losses.spec()))
    .min(1)
    .describe('A loss for each output of the model, in order; all get the same targets.'),
  weights: z.array(z.number()).optional().describe('What each counts in the sum. Default: 1 each.'),
}).check(({ value: { losses, weights = losses }, issues }) => {
  const fault = (path: (string | number)[], message: string) =>
    issues.push({ code: 'custom', input: losses, path, message });
  if (weights.length !== losses.length) {
    fault(['weights'], `needs one for each loss, has ${weights.length} for ${losses.length}`);
  }
  const [first] = losses.map(isSummed);
  const other = losses.findIndex((loss) => isSummed(loss) !== first);
  if (other >= 0) fault(['losses', other], 'sums, but the first loss does not, or the reverse');
});

/** Whether the loss of a batch is the sum over its samples, not their mean. */
export function isSummed(spec: Spec): boolean {
  return mainLoss(spec).reduction === 'sum';
}

/** The target that the loss of the main output leaves out, where it leaves one out. */
export function ignoredTarget(spec: Spec): number | undefined {
  const { ignore_index } = mainLoss(spec);
  return typeof ignore_index === 'number' ? ignore_index : undefined;
}

function mainLoss(spec: Spec): Spec {
  return spec.type === 'MultiOutputLoss' ? (spec.losses as Spec[])[0]! : spec;
}

losses.register('MultiOutputLoss', {
  schema: options,
  summary: 'A weighted sum of one loss for each output of a model: auxiliary heads.',
  // A loss of a model's outputs stands where a loss of its output may.
  create: (given: z.output<typeof options>) =>
    new MultiOutputLoss(
      given.losses.map((loss) => losses.build(loss)),
      given.weights,
    ) as unknown as Module,
});
