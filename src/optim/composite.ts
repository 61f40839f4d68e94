/** Optimizers whose update is written in ordinary ops, one parameter after the other. */

import type { Tensor } from '../core/tensor.ts';
import { zerosLike } from '../ops/creation.ts';
import { stepGradient } from '../ops/optimizer.ts';
import { cast } from '../ops/pointwise.ts';
import {
  type InitialState,
  Optimizer,
  type ParamState,
  type Update,
  type UpdateBatch,
} from './optimizer.ts';
import type { GroupOptions, ParamGroup } from './param-groups.ts';

/** Zero-dimensional tensors of a step by name, the same for all parameters of a batch. */
export type Factors<Name extends string> = Readonly<Record<Name, Tensor>>;

/** The next values of a parameter, as `parameter`, and of its state. */
export type Next = { parameter: Tensor } & ParamState;

export abstract class CompositeOptimizer<
  Options extends GroupOptions,
  Name extends string,
> extends Optimizer<Options> {
  /** The numbers of this step. What changes from step to step must be among them. */
  protected abstract factors(
    batch: Pick<UpdateBatch, 'scalar' | 'step'>,
    group: Options,
  ): Factors<Name>;

  /**
   * What follows from one gradient, which is scaled, in the direction of descent and with the decay
   * that is part of it.
   */
  protected abstract next(update: Update, factors: Factors<Name>, group: Options): Next;

  /** The decay that is part of the gradient; 0 for an optimizer that decays by itself. */
  protected gradientDecay(group: Options): number {
    return (group as { weight_decay?: number }).weight_decay ?? 0;
  }

  protected update(batch: UpdateBatch, group: ParamGroup<Options>): void {
    const factors = this.factors(batch, group);
    const { maximize = false } = group as { maximize?: boolean };
    const weight_decay = this.gradientDecay(group);
    for (const { parameter, gradient: given, state } of batch.updates) {
      const operands = { parameter, gradient: given };
      const gradient = stepGradient(operands, batch.scale, { maximize, weight_decay });
      const { parameter: next, ...kept } = this.next(
        { parameter, gradient, state },
        factors,
        group,
      );
      parameter.copy_(cast(next, parameter.dtype));
      for (const [name, value] of Object.entries(kept)) state[name]!.copy_(value);
    }
  }
}

/** State that begins with zeros, shaped as the parameter. */
export function zeroState(parameter: Tensor, ...names: string[]): InitialState {
  return Object.fromEntries(names.map((name) => [name, () => zerosLike(parameter)]));
}
