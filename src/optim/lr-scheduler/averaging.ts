/** The schedule for the time in which weights are averaged. */

import { z } from 'zod';
import { parseOptions, strict } from '../../base/registry.ts';
import type { Optimizer } from '../optimizer.ts';
import { LRScheduler, register } from './scheduler.ts';

const options = strict({
  /** The rate in the end: of all groups, or one for each. */
  swa_lr: z.union([z.number(), z.array(z.number())]),
  anneal_epochs: z.int().min(0).default(10),
  anneal_strategy: z.enum(['cos', 'linear']).default('cos'),
  last_epoch: z.int().min(-1).default(-1),
});

/**
 * Brings the rates to `swa_lr` in `anneal_epochs` epochs, from what they are at each step; then
 * they stay there. https://pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.SWALR
 */
export class SWALR extends LRScheduler<z.output<typeof options>> {
  constructor(optimizer: Optimizer, given: z.input<typeof options>) {
    super(optimizer, parseOptions('SWALR', options, given));
  }

  /** The part of the way that is behind at `step`. */
  private alpha(step: number): number {
    const { anneal_epochs, anneal_strategy } = this.options;
    const t = Math.max(0, Math.min(1, step / Math.max(1, anneal_epochs)));
    return anneal_strategy === 'linear' ? t : (1 - Math.cos(Math.PI * t)) / 2;
  }

  protected rates(): number[] {
    const { anneal_epochs, swa_lr } = this.options;
    const step = Math.max(anneal_epochs === 0 ? 1 : 0, this.count - 1);
    const [before, now] = [this.alpha(step - 1), this.alpha(step)];
    const targets = this.each('swa_lr', swa_lr);
    return this.current().map((lr, i) => {
      const target = targets[i]!;
      const first = before === 1 ? target : (lr - before * target) / (1 - before);
      return target * now + first * (1 - now);
    });
  }
}

register(SWALR, options, 'https://pytorch.org/docs/stable/optim.html#stochastic-weight-averaging');
