/** The learning rate over a run: which rate each step had, and when the schedule moves on. */

import { afterCall } from '../../core/trace.ts';
import { type AnyOptimizer, lrScheduler, rateOf } from '../../optim/index.ts';
import type { Position } from '../checkpoint/checkpoint.ts';
import type { RunLength } from './run-length.ts';

/** What ReduceLROnPlateau remembers beside its options. */
const REMEMBERED = ['last_epoch', '_last_lr', 'best', 'cooldown_counter', 'num_bad_epochs'];

/** The rate of the first group, and `lr_NAME` of those that have names, as records have them. */
export type Rates = Readonly<Record<string, number>> & { readonly lr: number };

/** A schedule that needs nothing to move on. */
type Stepped = lrScheduler.Scheduler & { step(): void };

export class Schedule {
  readonly #optimizer: AnyOptimizer;
  readonly #stepped: Stepped | undefined;
  readonly #plateau: lrScheduler.ReduceLROnPlateau | undefined;
  /** The rate of each group before any step. */
  readonly #initial: readonly number[];
  #rates: Rates;

  /**
   * @param scheduler of the optimizer; nothing where rates stay as they are.
   * @param interval when it moves on.
   * @param monitor the metric that ReduceLROnPlateau looks at.
   */
  constructor(
    optimizer: AnyOptimizer,
    scheduler: lrScheduler.Scheduler | undefined,
    readonly interval: 'step' | 'epoch',
    readonly monitor: string,
  ) {
    this.#optimizer = optimizer;
    if (scheduler instanceof lrScheduler.ReduceLROnPlateau) this.#plateau = scheduler;
    else this.#stepped = scheduler as Stepped | undefined;
    this.#initial = optimizer.param_groups.map(({ lr }) => rateOf(lr));
    this.#rates = this.#present;
  }

  /** The rates in the newest step; before any step, in the next one. */
  get rates(): Rates {
    return this.#rates;
  }

  get #present(): Rates {
    const { param_groups } = this.#optimizer;
    const named = param_groups.flatMap(({ name, lr }): [string, number][] =>
      name === undefined ? [] : [[`lr_${name}`, rateOf(lr)]],
    );
    return { lr: rateOf(param_groups[0]!.lr), ...Object.fromEntries(named) };
  }

  /** What is wrong with a schedule that ends before a run of this length does. */
  lengthFault({ steps, epochs }: RunLength): string | undefined {
    if (!(this.#stepped instanceof lrScheduler.OneCycleLR)) return undefined;
    const { total_steps } = this.#stepped;
    const moves = this.interval === 'step' ? steps : epochs;
    if (moves <= total_steps) return undefined;
    return `the cycle has ${total_steps} moves, but the run makes ${moves}, one every ${this.interval}`;
  }

  /** What follows the optimizer's step; part of a traced step. */
  afterStep(): void {
    afterCall(() => {
      this.#rates = this.#present;
    });
    if (this.interval === 'step') this.#stepped?.step();
  }

  /** @param evaluated whether the metrics of the validation data are of this epoch. */
  afterEpoch(metrics: Readonly<Record<string, number>>, evaluated: boolean): void {
    if (this.interval === 'epoch') this.#stepped?.step();
    const metric = metrics[this.monitor];
    const isNew = evaluated || this.monitor.startsWith('train_');
    if (metric !== undefined && isNew) this.#plateau?.step(metric);
  }

  /** What does not follow from the position; null where everything does. */
  state(): Readonly<Record<string, unknown>> | null {
    if (this.#plateau === undefined) return null;
    return { ...this.#plateau.stateDict(), initial_lr: this.#initial };
  }

  /**
   * Goes on from `position`, in a schedule that has not moved yet. The rates are those the present
   * config would have led to, whatever it was when the run began.
   */
  restore({ step, epoch }: Position, state: Readonly<Record<string, unknown>> | null): void {
    const moves = this.interval === 'step' ? step : epoch;
    for (let i = 0; i < moves; i++) this.#stepped?.step();
    if (this.#plateau !== undefined && state !== null) this.#goOn(this.#plateau, state);
    this.#rates = this.#present;
  }

  /** What was remembered is the run's; options, and the rate that was begun with, the config's. */
  #goOn(plateau: lrScheduler.ReduceLROnPlateau, saved: Readonly<Record<string, unknown>>): void {
    const fresh = plateau.stateDict();
    // The best of a metric that had to fall says nothing of one that has to rise.
    const kept = saved.mode === fresh.mode ? REMEMBERED : [];
    const remembered = Object.fromEntries(kept.map((key) => [key, saved[key]]));
    plateau.loadStateDict({ ...fresh, ...remembered });
    const rates = saved._last_lr as number[];
    const before = (saved.initial_lr ?? this.#initial) as number[];
    for (const [i, group] of this.#optimizer.param_groups.entries()) {
      const [was, is] = [before[i]!, this.#initial[i]!];
      group.lr = was === is ? rates[i]! : rates[i]! * (is / was);
    }
  }
}
