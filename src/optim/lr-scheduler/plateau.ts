/** A schedule that waits for a metric to stop improving. */

import { z } from 'zod';
import { parseOptions, strict } from '../../base/registry.ts';
import { Tensor } from '../../core/tensor.ts';
import { forbidReading } from '../../core/trace.ts';
import type { Optimizer } from '../optimizer.ts';
import { register, Scheduler, type SchedulerState } from './scheduler.ts';

const options = strict({
  mode: z.enum(['min', 'max']).default('min'),
  factor: z.number().lt(1).default(0.1),
  /** Epochs without improvement that are put up with. */
  patience: z.int().min(0).default(10),
  threshold: z.number().default(1e-4),
  threshold_mode: z.enum(['rel', 'abs']).default('rel'),
  /** Epochs after a reduction that do not count. */
  cooldown: z.int().min(0).default(0),
  min_lr: z.union([z.number(), z.array(z.number())]).default(0),
  /** A smaller change is not made. */
  eps: z.number().default(1e-8),
});

type PlateauOptions = z.output<typeof options>;

/**
 * Multiplies the rates with `factor` when a metric has not improved for more than `patience`
 * epochs.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
 */
export class ReduceLROnPlateau extends Scheduler {
  readonly #options: PlateauOptions;

  constructor(optimizer: Optimizer, given: z.input<typeof options> = {}) {
    super(optimizer, 0);
    this.#options = parseOptions('ReduceLROnPlateau', options, given);
    this.each('min_lr', this.#options.min_lr);
    const best = this.#options.mode === 'min' ? Infinity : -Infinity;
    Object.assign(this.state, { best, cooldown_counter: 0, num_bad_epochs: 0 });
    this.lastLr = this.current();
  }

  /**
   * Looks at the metric of an epoch, such as a validation loss. Not to be called in a compiled
   * step.
   */
  step(metrics: number | Tensor): void {
    forbidReading('ReduceLROnPlateau');
    const value = metrics instanceof Tensor ? metrics.item() : metrics;
    const { state } = this;
    this.last_epoch++;
    const improves = this.#isBetter(value);
    if (improves) state.best = value;
    state.num_bad_epochs = improves ? 0 : state.num_bad_epochs! + 1;
    if (state.cooldown_counter! > 0) {
      state.cooldown_counter!--;
      state.num_bad_epochs = 0;
    }
    if (state.num_bad_epochs > this.#options.patience) {
      this.#reduce();
      state.cooldown_counter = this.#options.cooldown;
      state.num_bad_epochs = 0;
    }
    this.lastLr = this.current();
  }

  #reduce(): void {
    const { factor, eps, min_lr } = this.#options;
    const least = this.each('min_lr', min_lr);
    const next = this.current().map((lr, i) => {
      const reduced = Math.max(lr * factor, least[i]!);
      return lr - reduced > eps ? reduced : lr;
    });
    this.setRates(next);
  }

  #isBetter(value: number): boolean {
    const { mode, threshold, threshold_mode } = this.#options;
    const best = this.state.best!;
    const sign = mode === 'min' ? -1 : 1;
    const bound =
      threshold_mode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold;
    return mode === 'min' ? value < bound : value > bound;
  }

  override stateDict(): SchedulerState {
    return { ...this.#options, ...super.stateDict() };
  }

  override loadStateDict(saved: SchedulerState): void {
    super.loadStateDict(saved);
    for (const key of Object.keys(this.#options)) {
      if (saved[key] !== undefined) Object.assign(this.#options, { [key]: saved[key] });
    }
  }
}

register(ReduceLROnPlateau, options);
