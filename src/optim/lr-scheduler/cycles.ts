/** Schedules that follow a curve: cosines, one cycle, many cycles. */

import { z } from 'zod';
import { parseOptions, strict } from '../../base/registry.ts';
import type { Optimizer } from '../optimizer.ts';
import { LRScheduler, register, setRate } from './scheduler.ts';

const last_epoch = z.int().min(-1).default(-1);
const perGroup = z.union([z.number(), z.array(z.number())]);

const cosine = strict({ T_max: z.int().min(1), eta_min: z.number().default(0), last_epoch });

/**
 * Follows half a cosine from the rates down to `eta_min` in `T_max` steps, and back.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html
 */
export class CosineAnnealingLR extends LRScheduler<z.output<typeof cosine>> {
  constructor(optimizer: Optimizer, options: z.input<typeof cosine>) {
    super(optimizer, parseOptions('CosineAnnealingLR', cosine, options));
  }

  protected rates(): number[] {
    const { T_max, eta_min } = this.options;
    if (this.isInitial) return this.current();
    if (this.count === 1 && this.last_epoch > 0) return this.closedForm();
    const up = (epoch: number) => 1 + Math.cos((Math.PI * epoch) / T_max);
    // At the lowest point the ratio of two cosines says nothing.
    if ((this.last_epoch - 1 - T_max) % (2 * T_max) === 0) {
      const rise = (1 - Math.cos(Math.PI / T_max)) / 2;
      return this.current().map((lr, i) => lr + (this.base_lrs[i]! - eta_min) * rise);
    }
    const ratio = up(this.last_epoch) / up(this.last_epoch - 1);
    return this.current().map((lr) => ratio * (lr - eta_min) + eta_min);
  }

  protected override closedForm(): number[] {
    const { T_max, eta_min } = this.options;
    return this.base_lrs.map((lr) => annealed(lr, eta_min, this.last_epoch / T_max));
  }
}

/** From `start` to `end` along half a cosine. */
function annealed(start: number, end: number, part: number): number {
  return end + ((start - end) * (1 + Math.cos(Math.PI * part))) / 2;
}

const restarts = strict({
  T_0: z.int().min(1),
  T_mult: z.int().min(1).default(1),
  eta_min: z.number().default(0),
  last_epoch,
});

/**
 * Follows half a cosine down in `T_0` steps, begins anew, and takes `T_mult` times as long each
 * time.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html
 */
export class CosineAnnealingWarmRestarts extends LRScheduler<z.output<typeof restarts>> {
  constructor(optimizer: Optimizer, options: z.input<typeof restarts>) {
    super(optimizer, parseOptions('CosineAnnealingWarmRestarts', restarts, options));
  }

  protected override begin(): void {
    this.state.T_i = this.options.T_0;
    this.state.T_cur = this.last_epoch;
  }

  protected rates(): number[] {
    const part = this.state.T_cur! / this.state.T_i!;
    return this.base_lrs.map((lr) => annealed(lr, this.options.eta_min, part));
  }

  /** Sets the next rates, or those of `epoch`, which need not be whole. */
  override step(epoch?: number): void {
    const given = epoch ?? (this.last_epoch < 0 ? 0 : undefined);
    if (given === undefined) this.next();
    else this.jumpTo(given);
    this.last_epoch = Math.floor(given ?? this.last_epoch + 1);
    this.setRates(this.rates());
  }

  private next(): void {
    const { state } = this;
    state.T_cur = state.T_cur! + 1;
    if (state.T_cur < state.T_i!) return;
    state.T_cur %= state.T_i!;
    state.T_i = state.T_i! * this.options.T_mult;
  }

  private jumpTo(epoch: number): void {
    const { T_0, T_mult } = this.options;
    if (epoch < 0) throw this.refusal(`the epoch must not be negative, got ${epoch}`);
    if (epoch < T_0) {
      this.state.T_i = T_0;
      this.state.T_cur = epoch;
    } else if (T_mult === 1) {
      this.state.T_cur = epoch % T_0;
    } else {
      const cycles = Math.log((epoch / T_0) * (T_mult - 1) + 1) / Math.log(T_mult);
      const n = Math.trunc(cycles);
      this.state.T_cur = epoch - (T_0 * (T_mult ** n - 1)) / (T_mult - 1);
      this.state.T_i = T_0 * T_mult ** n;
    }
  }
}

const momentumOptions = {
  /** Moves momentum, or Adam's first beta, against the rate. */
  cycle_momentum: z.boolean().default(true),
};

/** What a schedule that moves momentum too keeps of it. */
abstract class WithMomentum<
  Options extends { last_epoch: number; cycle_momentum: boolean },
> extends LRScheduler<Options> {
  private get option(): 'betas' | 'momentum' {
    return 'betas' in this.optimizer.defaults ? 'betas' : 'momentum';
  }

  protected beginMomentum(least: readonly number[], most: readonly number[]): void {
    if (!this.options.cycle_momentum) return;
    if (!('betas' in this.optimizer.defaults) && !('momentum' in this.optimizer.defaults)) {
      throw this.refusal(
        'the optimizer has neither momentum nor betas: set cycle_momentum to false',
      );
    }
    this.optimizer.vary(this.option);
    if (this.last_epoch !== -1) return;
    this.setMomentum(most);
    for (const [i, group] of this.optimizer.param_groups.entries()) {
      group.max_momentum = most[i]!;
      group.base_momentum = least[i]!;
    }
  }

  protected setMomentum(values: readonly number[]): void {
    for (const [i, group] of this.optimizer.param_groups.entries()) {
      if (this.option === 'momentum') group.momentum = values[i]!;
      else group.betas = [values[i]!, ...group.betas.slice(1)];
    }
  }
}

type Scale = (x: number) => number;

const cyclic = strict({
  base_lr: perGroup,
  max_lr: perGroup,
  step_size_up: z.number().positive().default(2000),
  step_size_down: z.number().positive().nullable().default(null),
  mode: z.enum(['triangular', 'triangular2', 'exp_range']).default('triangular'),
  gamma: z.number().default(1),
  /** Instead of `mode`: the height by the number of the cycle or of the iteration. */
  scale_fn: z
    .custom<Scale | null>((value) => value === null || typeof value === 'function', {
      error: 'must be a function',
    })
    .default(null),
  scale_mode: z.enum(['cycle', 'iterations']).default('cycle'),
  ...momentumOptions,
  base_momentum: perGroup.default(0.8),
  max_momentum: perGroup.default(0.9),
  last_epoch,
});

/**
 * Goes from `base_lr` to `max_lr` and back, again and again; how high depends on `mode`.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html
 */
export class CyclicLR extends WithMomentum<z.output<typeof cyclic>> {
  constructor(optimizer: Optimizer, options: z.input<typeof cyclic>) {
    super(optimizer, parseOptions('CyclicLR', cyclic, options));
    this.base_lrs = this.each('base_lr', this.options.base_lr);
  }

  protected override begin(): void {
    const { base_lr, base_momentum, max_momentum } = this.options;
    const rates = this.each('base_lr', base_lr);
    if (this.last_epoch === -1) {
      for (const [i, group] of this.optimizer.param_groups.entries()) setRate(group, rates[i]!);
    }
    this.beginMomentum(
      this.each('base_momentum', base_momentum),
      this.each('max_momentum', max_momentum),
    );
  }

  protected rates(): number[] {
    const { options, last_epoch } = this;
    const total = options.step_size_up + (options.step_size_down ?? options.step_size_up);
    const ratio = options.step_size_up / total;
    const cycle = Math.floor(1 + last_epoch / total);
    const x = 1 + last_epoch / total - cycle;
    const height = x <= ratio ? x / ratio : (x - 1) / (ratio - 1);
    const scale = this.scale(cycle);
    const rise = (least: number, most: number) => (most - least) * height * scale;
    if (options.cycle_momentum) {
      const least = this.each('base_momentum', options.base_momentum);
      const most = this.each('max_momentum', options.max_momentum);
      this.setMomentum(most.map((high, i) => high - rise(least[i]!, high)));
    }
    const most = this.each('max_lr', options.max_lr);
    return this.base_lrs.map((lr, i) => lr + rise(lr, most[i]!));
  }

  private scale(cycle: number): number {
    const { mode, gamma, scale_fn, scale_mode } = this.options;
    if (scale_fn !== null) return scale_fn(scale_mode === 'cycle' ? cycle : this.last_epoch);
    if (mode === 'triangular') return 1;
    return mode === 'triangular2' ? 1 / 2 ** (cycle - 1) : gamma ** this.last_epoch;
  }
}

const oneCycle = strict({
  max_lr: perGroup,
  /** Or `epochs` times `steps_per_epoch`. */
  total_steps: z.int().min(1).nullable().default(null),
  epochs: z.int().min(1).nullable().default(null),
  steps_per_epoch: z.int().min(1).nullable().default(null),
  /** The part of all steps in which the rate rises. */
  pct_start: z.number().min(0).max(1).default(0.3),
  anneal_strategy: z.enum(['cos', 'linear']).default('cos'),
  ...momentumOptions,
  base_momentum: perGroup.default(0.85),
  max_momentum: perGroup.default(0.95),
  /** The first rate is max_lr / div_factor, the last one that / final_div_factor. */
  div_factor: z.number().default(25),
  final_div_factor: z.number().default(1e4),
  three_phase: z.boolean().default(false),
  last_epoch,
});

type Rates = 'initial_lr' | 'max_lr' | 'min_lr';
type Momentums = 'max_momentum' | 'base_momentum';

/** From one of a group's numbers to another, until the step `end`. */
interface Phase {
  readonly end: number;
  readonly rate: readonly [Rates, Rates];
  readonly momentum: readonly [Momentums, Momentums];
}

/**
 * Rises to `max_lr` and falls far below the first rate, once.
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
 */
export class OneCycleLR extends WithMomentum<z.output<typeof oneCycle>> {
  constructor(optimizer: Optimizer, options: z.input<typeof oneCycle>) {
    super(optimizer, parseOptions('OneCycleLR', oneCycle, options));
  }

  protected override begin(): void {
    const { options } = this;
    if (options.total_steps === null) {
      if (options.epochs === null || options.steps_per_epoch === null) {
        throw this.refusal('needs total_steps, or epochs and steps_per_epoch');
      }
      options.total_steps = options.epochs * options.steps_per_epoch;
    }
    const most = this.each('max_lr', options.max_lr);
    if (this.last_epoch === -1) {
      for (const [i, group] of this.optimizer.param_groups.entries()) {
        group.initial_lr = most[i]! / options.div_factor;
        group.max_lr = most[i]!;
        group.min_lr = group.initial_lr / options.final_div_factor;
      }
    }
    this.beginMomentum(
      this.each('base_momentum', options.base_momentum),
      this.each('max_momentum', options.max_momentum),
    );
  }

  /** Steps of the whole cycle. */
  get total_steps(): number {
    return this.options.total_steps!;
  }

  protected rates(): number[] {
    const { phase, start } = this.phase();
    const part = (this.last_epoch - start) / (phase.end - start);
    const along = (group: Record<string, number>, [from, to]: readonly [string, string]) =>
      this.anneal(group[from]!, group[to]!, part);
    const groups: Record<string, number>[] = this.optimizer.param_groups;
    if (this.options.cycle_momentum) {
      this.setMomentum(groups.map((group) => along(group, phase.momentum)));
    }
    return groups.map((group) => along(group, phase.rate));
  }

  private anneal(start: number, end: number, part: number): number {
    if (this.options.anneal_strategy === 'linear') return (end - start) * part + start;
    return annealed(start, end, part);
  }

  /** The phase of this step, and the step that it begins at. */
  private phase(): { phase: Phase; start: number } {
    const phases = this.phases();
    const total = this.options.total_steps!;
    if (this.last_epoch > total) {
      throw this.refusal(`step ${this.last_epoch} of a cycle of ${total} steps`);
    }
    const found = phases.findIndex(({ end }) => this.last_epoch <= end);
    const index = found === -1 ? phases.length - 1 : found;
    return { phase: phases[index]!, start: index === 0 ? 0 : phases[index - 1]!.end };
  }

  private phases(): Phase[] {
    const { pct_start, three_phase } = this.options;
    const total = this.options.total_steps!;
    const rise: Phase = {
      end: pct_start * total - 1,
      rate: ['initial_lr', 'max_lr'],
      momentum: ['max_momentum', 'base_momentum'],
    };
    const momentum = ['base_momentum', 'max_momentum'] as const;
    if (!three_phase) return [rise, { end: total - 1, rate: ['max_lr', 'min_lr'], momentum }];
    return [
      rise,
      { end: 2 * pct_start * total - 2, rate: ['max_lr', 'initial_lr'], momentum },
      {
        end: total - 1,
        rate: ['initial_lr', 'min_lr'],
        momentum: ['max_momentum', 'max_momentum'],
      },
    ];
  }
}

register(CosineAnnealingLR, cosine);
register(CosineAnnealingWarmRestarts, restarts);
register(CyclicLR, cyclic);
register(OneCycleLR, oneCycle);
