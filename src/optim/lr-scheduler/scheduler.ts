/** What all schedulers share: the rates of an optimizer's groups change from step to step. */

import { z } from 'zod';
import { adoptClass } from '../../base/adopt.ts';
import { ArgumentError } from '../../base/errors.ts';
import { Registry } from '../../base/registry.ts';
import { Tensor } from '../../core/tensor.ts';
import { afterCall } from '../../core/trace.ts';
import { Optimizer } from '../optimizer.ts';
import { rateOf } from '../options.ts';

/** Numbers, texts and lists: what a scheduler remembers, ready for JSON. */
export type SchedulerState = Record<string, unknown>;

/** One number for all parameter groups, or one for each. */
export type PerGroup = number | readonly number[];

/** `interval` and `monitor` are for who steps it: see `ScheduleOptions`. */
export const schedulers = new Registry<Scheduler, Optimizer>(
  'lr_scheduler',
  {
    interval: z
      .enum(['step', 'epoch'])
      .optional()
      .describe(
        'When it steps. Default: epoch; step for OneCycleLR and CyclicLR, as PyTorch has them.',
      ),
    monitor: z
      .string()
      .optional()
      .describe('The metric that ReduceLROnPlateau looks at. Default: val_loss, else train_loss.'),
  },
  'https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.*.html',
);

/** What may stand beside a schedule's own options in a config. */
export interface ScheduleOptions {
  /** When it steps: after every optimizer step, or after every epoch. */
  readonly interval?: 'step' | 'epoch';
  /** The metric that ReduceLROnPlateau looks at, such as `val_loss`. */
  readonly monitor?: string;
}

/** Lets `type` stand in a config. */
export function register(
  type: new (optimizer: Optimizer, options: never) => Scheduler,
  schema: z.ZodObject,
  page?: string,
): void {
  schedulers.register(type.name, {
    schema,
    page,
    create: (options, optimizer) => new type(optimizer, options as never),
  });
}

/** A scheduler from the object a config would hold: `{ type: 'StepLR', step_size: 30 }`. */
export function buildScheduler(spec: unknown, optimizer: Optimizer): Scheduler {
  return schedulers.build(spec, optimizer);
}

/** What a scheduler is whatever its step takes. */
export abstract class Scheduler {
  /** The step or epoch that the rates are for, counted from 0. */
  last_epoch: number;
  /** What changes beside `last_epoch`; there before the first step, unlike fields of a subclass. */
  protected readonly state: Record<string, number> = {};
  protected lastLr: number[] = [];

  constructor(
    readonly optimizer: Optimizer,
    last_epoch: number,
  ) {
    if (!(optimizer instanceof Optimizer)) throw this.refusal('the first argument is no optimizer');
    if (!Number.isInteger(last_epoch) || last_epoch < -1) {
      throw this.refusal(`last_epoch must be a whole number of at least -1, got ${last_epoch}`);
    }
    this.last_epoch = last_epoch;
  }

  /** The rates that this scheduler set last, one for each group. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** Everything but the optimizer and functions, by PyTorch's names. */
  stateDict(): SchedulerState {
    const { last_epoch, lastLr, state } = this;
    return { last_epoch, ...state, _last_lr: [...lastLr] };
  }

  /** Goes on from a saved state. The optimizer's rates are part of its own state. */
  loadStateDict(saved: SchedulerState): void {
    if (typeof saved.last_epoch !== 'number' || !Array.isArray(saved._last_lr)) {
      throw this.refusal('the saved state has no last_epoch or no _last_lr');
    }
    this.last_epoch = saved.last_epoch;
    this.lastLr = [...saved._last_lr];
    for (const key of Object.keys(this.state)) {
      const value = saved[key];
      // What JSON writes instead of an infinity.
      this.state[key] = typeof value === 'number' ? value : this.state[key]!;
    }
  }

  protected refusal(problem: string): ArgumentError {
    return new ArgumentError(`[${this.constructor.name}] ${problem}`);
  }

  /** The rates of the groups now. */
  protected current(): number[] {
    return this.optimizer.param_groups.map(({ lr }) => rateOf(lr));
  }

  protected setRates(rates: readonly number[]): void {
    for (const [i, group] of this.optimizer.param_groups.entries()) setRate(group, rates[i]!);
    this.lastLr = this.current();
  }

  /** A number for each group. */
  protected each(name: string, value: PerGroup): number[] {
    const { length } = this.optimizer.param_groups;
    if (typeof value === 'number') return Array.from({ length }, () => value);
    if (value.length === length) return [...value];
    throw this.refusal(`${name} has ${value.length} numbers for ${length} parameter groups`);
  }
}

export function setRate(group: { lr: number | Tensor }, rate: number): void {
  if (group.lr instanceof Tensor) group.lr.fill_(rate);
  else group.lr = rate;
}

/**
 * A schedule by the number of the step. Making it takes the first step, which sets the first rates:
 * before the fields and #methods of a subclass are there, so subclasses have none.
 * `step()` is called after the optimizer's.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LRScheduler.html
 */
export abstract class LRScheduler<Options extends { last_epoch: number }> extends Scheduler {
  protected readonly options: Options;
  /** The rates at the beginning. */
  base_lrs: number[];
  /** Steps of the schedule so far; the one at its making is the first. */
  protected count = 0;
  protected isInitial = false;

  constructor(optimizer: Optimizer, options: Options) {
    super(optimizer, options.last_epoch);
    this.options = options;
    this.begin();
    for (const [i, group] of optimizer.param_groups.entries()) {
      if (this.last_epoch === -1) group.initial_lr ??= rateOf(group.lr);
      else if (group.initial_lr === undefined) {
        throw this.refusal(`group ${i} has no initial_lr, from which last_epoch could go on`);
      }
    }
    this.base_lrs = optimizer.param_groups.map((group) => group.initial_lr!);
    this.firstStep();
  }

  /** Checks and prepares what the first step needs. */
  protected begin(): void {}

  /** The rates of `last_epoch`, from those of the step before. */
  protected abstract rates(): number[];

  /** The rates of `last_epoch` from the first ones; where there is no such formula, `rates`. */
  protected closedForm(): number[] {
    return this.rates();
  }

  /** The step that making a scheduler takes; a sequence takes it anew. */
  firstStep(): void {
    this.count = 0;
    this.isInitial = true;
    this.step();
    this.isInitial = false;
  }

  /** Sets the next rates; in a compiled step, after every call of it. */
  step(): void {
    afterCall(() => {
      this.count++;
      this.moveTo();
    });
  }

  /** Sets the rates of the next epoch, or those of `epoch`, without counting a step. */
  moveTo(epoch?: number): void {
    this.last_epoch = epoch ?? this.last_epoch + 1;
    this.setRates(epoch === undefined ? this.rates() : this.closedForm());
  }

  /** Takes back the step that making it took. */
  undo(): void {
    this.last_epoch--;
  }

  override stateDict(): SchedulerState {
    const { last_epoch: _, ...options } = this.options;
    const plain = Object.entries(options).filter(([, value]) => isPlain(value));
    const counted = { _step_count: this.count, base_lrs: [...this.base_lrs] };
    return { ...Object.fromEntries(plain), ...counted, ...super.stateDict() };
  }

  override loadStateDict(saved: SchedulerState): void {
    super.loadStateDict(saved);
    this.count = saved._step_count as number;
    this.base_lrs = [...(saved.base_lrs as number[])];
    for (const key of Object.keys(this.options)) {
      const value = saved[key];
      if (key !== 'last_epoch' && isPlain(value)) Object.assign(this.options, { [key]: value });
    }
  }
}

schedulers.adopt(
  adoptClass(
    LRScheduler<{ last_epoch: number }>,
    'optim.lrScheduler.LRScheduler',
    (type, options, optimizer) => new type(optimizer, { last_epoch: -1, ...options }),
  ),
);

function isPlain(value: unknown): boolean {
  return [value].flat().every((part) => part !== undefined && typeof part !== 'function');
}
