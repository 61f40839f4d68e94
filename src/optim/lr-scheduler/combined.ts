/** Schedules made of schedules. */

import { z } from 'zod';
import { parseOptions, strict } from '../../base/registry.ts';
import { afterCall } from '../../core/trace.ts';
import type { Optimizer } from '../optimizer.ts';
import { LRScheduler, Scheduler, type SchedulerState, schedulers, setRate } from './scheduler.ts';

// biome-ignore lint/suspicious/noExplicitAny: each schedule has options of its own
type Part = LRScheduler<any> | SequentialLR | ChainedScheduler;

abstract class Combined extends Scheduler {
  readonly schedulers: readonly Part[];

  constructor(optimizer: Optimizer, parts: readonly Scheduler[], last_epoch: number) {
    super(optimizer, last_epoch);
    for (const [i, part] of parts.entries()) {
      if (!(part instanceof LRScheduler || part instanceof Combined)) {
        throw this.refusal(`scheduler ${i} needs more than a step: ${part?.constructor.name}`);
      }
      if (part.optimizer !== optimizer) throw this.refusal(`scheduler ${i} has another optimizer`);
    }
    if (parts.length === 0) throw this.refusal('there are no schedulers');
    this.schedulers = parts as readonly Part[];
  }

  override stateDict(): SchedulerState {
    const parts = this.schedulers.map((part) => part.stateDict());
    return { ...super.stateDict(), _schedulers: parts };
  }

  override loadStateDict(saved: SchedulerState): void {
    const parts = saved._schedulers as SchedulerState[] | undefined;
    if (parts?.length !== this.schedulers.length) {
      throw this.refusal(`the saved state has not ${this.schedulers.length} schedulers`);
    }
    super.loadStateDict(saved);
    for (const [i, part] of this.schedulers.entries()) part.loadStateDict(parts[i]!);
  }
}

const anyScheduler = z.custom<Scheduler>((value) => value instanceof Scheduler, {
  error: 'must be a scheduler',
});

const sequential = strict({
  schedulers: z.array(anyScheduler),
  /** The epochs at which the next scheduler takes over. */
  milestones: z.array(z.int()),
  last_epoch: z.int().min(-1).default(-1),
});

/**
 * One scheduler after the other, such as a warm-up and then a decay.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
 */
export class SequentialLR extends Combined {
  milestones: readonly number[];

  constructor(optimizer: Optimizer, given: z.input<typeof sequential>) {
    const options = parseOptions('SequentialLR', sequential, given);
    super(optimizer, options.schedulers, options.last_epoch);
    const { length } = this.schedulers;
    this.milestones = options.milestones;
    if (this.milestones.length !== length - 1) {
      throw this.refusal(
        `${length} schedulers need ${length - 1} milestones, got ${this.milestones.length}`,
      );
    }
    this.last_epoch = options.last_epoch + 1;
    // Making the schedulers took a step of each: only the first one's is to count.
    for (const group of optimizer.param_groups) setRate(group, group.initial_lr!);
    for (const scheduler of this.schedulers) scheduler.undo();
    const first = this.#at(0);
    first.firstStep();
    this.lastLr = first.getLastLr();
  }

  #at(epoch: number): Part {
    return this.schedulers[this.milestones.filter((milestone) => milestone <= epoch).length]!;
  }

  /** Sets the next rates; in a compiled step, after every call of it. */
  step(): void {
    afterCall(() => {
      this.last_epoch++;
      const scheduler = this.#at(this.last_epoch);
      if (this.milestones.includes(this.last_epoch)) scheduler.moveTo(0);
      else scheduler.step();
      this.lastLr = scheduler.getLastLr();
    });
  }

  firstStep(): void {
    this.#at(0).firstStep();
  }

  moveTo(): void {
    throw this.refusal('cannot begin in the middle of another sequence');
  }

  undo(): void {
    for (const scheduler of this.schedulers) scheduler.undo();
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), _milestones: [...this.milestones] };
  }

  override loadStateDict(saved: SchedulerState): void {
    super.loadStateDict(saved);
    this.milestones = [...(saved._milestones as number[])];
  }
}

const chained = strict({ schedulers: z.array(anyScheduler) });

/**
 * Several schedulers, all of which step at every step.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html
 */
export class ChainedScheduler extends Combined {
  constructor(optimizer: Optimizer, given: z.input<typeof chained>) {
    const options = parseOptions('ChainedScheduler', chained, given);
    super(optimizer, options.schedulers, 0);
    this.lastLr = this.current();
  }

  /** Sets the next rates; in a compiled step, after every call of it. */
  step(): void {
    afterCall(() => {
      for (const scheduler of this.schedulers) scheduler.step();
      this.lastLr = this.current();
    });
  }

  firstStep(): void {
    for (const scheduler of this.schedulers) scheduler.firstStep();
  }

  moveTo(): void {
    throw this.refusal('cannot begin in the middle of a sequence');
  }

  undo(): void {
    for (const scheduler of this.schedulers) scheduler.undo();
  }
}

const specs = z
  .array(z.lazy(() => schedulers.spec()))
  .min(1)
  .refine((parts) => parts.every((part) => !part.interval && !part.monitor), {
    error: 'interval and monitor are of the whole schedule, not of its parts',
  });

schedulers.register('SequentialLR', {
  schema: strict({ ...sequential.shape, schedulers: specs }),
  create: ({ schedulers: parts, ...options }, optimizer) =>
    new SequentialLR(optimizer, { ...options, schedulers: built(parts, optimizer) }),
});
schedulers.register('ChainedScheduler', {
  schema: strict({ schedulers: specs }),
  create: ({ schedulers: parts }, optimizer) =>
    new ChainedScheduler(optimizer, { schedulers: built(parts, optimizer) }),
});

function built(parts: z.output<typeof specs>, optimizer: Optimizer): Scheduler[] {
  return parts.map((spec) => schedulers.build(spec, optimizer));
}
