/** Schedules that shrink or grow a rate step by step. */

import { z } from 'zod';
import { parseOptions, strict } from '../../base/registry.ts';
import type { Optimizer } from '../optimizer.ts';
import { LRScheduler, register } from './scheduler.ts';

const last_epoch = z.int().min(-1).default(-1);
const count = z.int().min(0);

const step = strict({ step_size: z.int().min(1), gamma: z.number().default(0.1), last_epoch });

/**
 * Multiplies the rates with `gamma` every `step_size` epochs.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html
 */
export class StepLR extends LRScheduler<z.output<typeof step>> {
  constructor(optimizer: Optimizer, options: z.input<typeof step>) {
    super(optimizer, parseOptions('StepLR', step, options));
  }

  protected rates(): number[] {
    const { step_size, gamma } = this.options;
    const isDue = this.last_epoch !== 0 && this.last_epoch % step_size === 0;
    return this.current().map((lr) => (isDue ? lr * gamma : lr));
  }

  protected override closedForm(): number[] {
    const { step_size, gamma } = this.options;
    return this.base_lrs.map((lr) => lr * gamma ** Math.floor(this.last_epoch / step_size));
  }
}

const multiStep = strict({
  milestones: z.array(z.int()),
  gamma: z.number().default(0.1),
  last_epoch,
});

/**
 * Multiplies the rates with `gamma` at every milestone; one that stands twice counts twice.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
 */
export class MultiStepLR extends LRScheduler<z.output<typeof multiStep>> {
  constructor(optimizer: Optimizer, options: z.input<typeof multiStep>) {
    super(optimizer, parseOptions('MultiStepLR', multiStep, options));
  }

  private reached(isReached: (milestone: number) => boolean): number {
    return this.options.milestones.filter(isReached).length;
  }

  protected rates(): number[] {
    const times = this.reached((milestone) => milestone === this.last_epoch);
    return this.current().map((lr) => lr * this.options.gamma ** times);
  }

  protected override closedForm(): number[] {
    const times = this.reached((milestone) => milestone <= this.last_epoch);
    return this.base_lrs.map((lr) => lr * this.options.gamma ** times);
  }
}

const constant = strict({
  factor: z
    .number()
    .min(0)
    .max(1)
    .default(1 / 3),
  total_iters: count.default(5),
  last_epoch,
});

/**
 * Multiplies the rates with `factor` for the first `total_iters` epochs.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ConstantLR.html
 */
export class ConstantLR extends LRScheduler<z.output<typeof constant>> {
  constructor(optimizer: Optimizer, options: z.input<typeof constant> = {}) {
    super(optimizer, parseOptions('ConstantLR', constant, options));
  }

  protected rates(): number[] {
    const { factor, total_iters } = this.options;
    if (this.last_epoch === 0) return this.current().map((lr) => lr * factor);
    if (this.last_epoch !== total_iters) return this.current();
    return this.current().map((lr) => lr * (1 / factor));
  }

  protected override closedForm(): number[] {
    const { factor, total_iters } = this.options;
    return this.base_lrs.map((lr) => lr * (this.last_epoch >= total_iters ? 1 : factor));
  }
}

const linear = strict({
  start_factor: z
    .number()
    .gt(0)
    .max(1)
    .default(1 / 3),
  end_factor: z.number().min(0).max(1).default(1),
  total_iters: count.default(5),
  last_epoch,
});

/**
 * Goes from `start_factor` to `end_factor` times the rates in equal steps: a warm-up.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html
 */
export class LinearLR extends LRScheduler<z.output<typeof linear>> {
  constructor(optimizer: Optimizer, options: z.input<typeof linear> = {}) {
    super(optimizer, parseOptions('LinearLR', linear, options));
  }

  protected rates(): number[] {
    const { start_factor, end_factor, total_iters } = this.options;
    if (this.last_epoch === 0) return this.current().map((lr) => lr * start_factor);
    if (this.isInitial || this.last_epoch > total_iters) return this.current();
    const change = end_factor - start_factor;
    const before = total_iters * start_factor + (this.last_epoch - 1) * change;
    return this.current().map((lr) => lr * (1 + change / before));
  }

  protected override closedForm(): number[] {
    const { start_factor, end_factor, total_iters } = this.options;
    const done = Math.min(total_iters, this.last_epoch);
    const factor = start_factor + ((end_factor - start_factor) * done) / total_iters;
    return this.base_lrs.map((lr) => lr * factor);
  }
}

const exponential = strict({ gamma: z.number(), last_epoch });

/**
 * Multiplies the rates with `gamma` at every step.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html
 */
export class ExponentialLR extends LRScheduler<z.output<typeof exponential>> {
  constructor(optimizer: Optimizer, options: z.input<typeof exponential>) {
    super(optimizer, parseOptions('ExponentialLR', exponential, options));
  }

  protected rates(): number[] {
    return this.isInitial ? this.current() : this.current().map((lr) => lr * this.options.gamma);
  }

  protected override closedForm(): number[] {
    return this.base_lrs.map((lr) => lr * this.options.gamma ** this.last_epoch);
  }
}

const polynomial = strict({
  total_iters: count.default(5),
  power: z.number().default(1),
  last_epoch,
});

/**
 * Goes to 0 in `total_iters` steps as (1 - t / total_iters)^power.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.PolynomialLR.html
 */
export class PolynomialLR extends LRScheduler<z.output<typeof polynomial>> {
  constructor(optimizer: Optimizer, options: z.input<typeof polynomial> = {}) {
    super(optimizer, parseOptions('PolynomialLR', polynomial, options));
  }

  protected rates(): number[] {
    const { total_iters, power } = this.options;
    if (this.isInitial || this.last_epoch > total_iters) return this.current();
    const left = (epoch: number) => 1 - epoch / total_iters;
    const factor = (left(this.last_epoch) / left(this.last_epoch - 1)) ** power;
    return this.current().map((lr) => lr * factor);
  }

  protected override closedForm(): number[] {
    const { total_iters, power } = this.options;
    const done = Math.min(total_iters, this.last_epoch) / total_iters;
    return this.base_lrs.map((lr) => lr * (1 - done) ** power);
  }
}

type Lambda = (epoch: number) => number;

const lambda = strict({
  /** A function of the epoch, or one for each parameter group. */
  lr_lambda: z.custom<Lambda | readonly Lambda[]>(
    (value) => [value].flat().every((fn) => typeof fn === 'function'),
    { error: 'must be a function or a list of functions' },
  ),
  last_epoch,
});

abstract class ByFunction extends LRScheduler<z.output<typeof lambda>> {
  protected override begin(): void {
    const { lr_lambda } = this.options;
    const { length } = this.optimizer.param_groups;
    if (typeof lr_lambda === 'function' || lr_lambda.length === length) return;
    throw this.refusal(`${lr_lambda.length} functions for ${length} parameter groups`);
  }

  /** `rates`, each times what the group's function gives for this epoch. */
  protected scaled(rates: readonly number[]): number[] {
    const { lr_lambda } = this.options;
    return rates.map((lr, i) => {
      const fn = typeof lr_lambda === 'function' ? lr_lambda : lr_lambda[i]!;
      return lr * fn(this.last_epoch);
    });
  }
}

/**
 * The first rates times a function of the epoch.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html
 */
export class LambdaLR extends ByFunction {
  constructor(optimizer: Optimizer, options: z.input<typeof lambda>) {
    super(optimizer, parseOptions('LambdaLR', lambda, options));
  }

  protected rates(): number[] {
    return this.scaled(this.base_lrs);
  }
}

/**
 * The rates times a function of the epoch at every step.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiplicativeLR.html
 */
export class MultiplicativeLR extends ByFunction {
  constructor(optimizer: Optimizer, options: z.input<typeof lambda>) {
    super(optimizer, parseOptions('MultiplicativeLR', lambda, options));
  }

  protected rates(): number[] {
    return this.isInitial ? this.current() : this.scaled(this.current());
  }
}

register(StepLR, step);
register(MultiStepLR, multiStep);
register(ConstantLR, constant);
register(LinearLR, linear);
register(ExponentialLR, exponential);
register(PolynomialLR, polynomial);
register(LambdaLR, lambda);
register(MultiplicativeLR, lambda);
