/** Losses scaled up, so that gradients in float16 do not become zero. */

import { ArgumentError, DTypeError, opError } from '../base/errors.ts';
import { noGrad } from '../core/grad-mode.ts';
import { realizeSync } from '../core/realize.ts';
import { hostScalar } from '../core/scalar.ts';
import { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';
import { isfinite } from '../ops/comparison.ts';
import { full } from '../ops/constant.ts';
import { all } from '../ops/extremes.ts';
import { logicalAnd, mul } from '../ops/pointwise.ts';
import type { Optimizer } from './optimizer.ts';

export interface GradScalerOptions {
  readonly init_scale?: number;
  /** What the scale is multiplied with after `growth_interval` steps without infinities or NaN. */
  readonly growth_factor?: number;
  /** What it is multiplied with after a step that had some and was left out. */
  readonly backoff_factor?: number;
  readonly growth_interval?: number;
  /** `false` makes every method do what it does without scaling. */
  readonly enabled?: boolean;
}

/** As PyTorch's; a disabled scaler has none. */
export interface GradScalerState {
  scale: number;
  growth_factor: number;
  backoff_factor: number;
  growth_interval: number;
  _growth_tracker: number;
}

/** How far an optimizer is between two calls of `update`. */
interface Progress {
  stage: 'unscaled' | 'stepped';
  readonly foundInfinite: boolean;
}

/**
 * Multiplies a loss by a large scale before `backward()`, so that small gradients survive in
 * float16, and divides the gradients by it before the step. Steps whose gradients are not finite
 * are left out, and the scale follows what they can bear.
 *
 * ```ts
 * const scaler = new GradScaler();
 * const loss = autocast(() => lossOf(model.call(x), y), { dtype: 'float16' });
 * scaler.scale(loss).backward();
 * scaler.unscale_(optimizer); // only where gradients are clipped or looked at
 * scaler.step(optimizer);
 * scaler.update();
 * ```
 *
 * Whether a step is taken depends on numbers, so `unscale_` and `step` cannot be part of `compile`.
 * https://pytorch.org/docs/stable/amp.html#torch.amp.GradScaler
 */
export class GradScaler {
  #state: GradScalerState;
  readonly #enabled: boolean;
  readonly #progress = new Map<Optimizer, Progress>();

  constructor({
    init_scale = 2 ** 16,
    growth_factor = 2,
    backoff_factor = 0.5,
    growth_interval = 2000,
    enabled = true,
  }: GradScalerOptions = {}) {
    check(growth_factor > 1, `growth_factor must be above 1, got ${growth_factor}`);
    check(backoff_factor < 1, `backoff_factor must be below 1, got ${backoff_factor}`);
    this.#enabled = enabled;
    this.#state = {
      scale: init_scale,
      growth_factor,
      backoff_factor,
      growth_interval,
      _growth_tracker: 0,
    };
  }

  /** The loss, or each of a list of them, times the scale. */
  scale(outputs: Tensor): Tensor;
  scale(outputs: readonly Tensor[]): Tensor[];
  scale(outputs: Tensor | readonly Tensor[]): Tensor | Tensor[] {
    if (!(outputs instanceof Tensor)) return outputs.map((output) => this.scale(output));
    return this.#enabled
      ? mul(
          outputs,
          hostScalar(() => this.#state.scale),
        )
      : outputs;
  }

  /**
   * Divides the gradients of the optimizer's parameters by the scale, in place.
   * @throws ArgumentError when that was done since the last `update()`.
   * @throws DTypeError for gradients in float16: the parameters of mixed precision are float32.
   */
  unscale_(optimizer: Optimizer): void {
    if (!this.#enabled) return;
    const stage = this.#progress.get(optimizer)?.stage;
    check(stage !== 'unscaled', 'unscale_() has been called on this optimizer already');
    check(stage !== 'stepped', 'unscale_() is called after step()');
    this.#progress.set(optimizer, { stage: 'unscaled', foundInfinite: this.#unscale(optimizer) });
  }

  /**
   * Takes the optimizer's step, after `unscale_` where that was not called, unless a gradient was
   * not finite.
   * @throws ArgumentError when it was called since the last `update()`, or no parameter has a
   *   gradient.
   */
  step(optimizer: Optimizer): void {
    if (!this.#enabled) {
      optimizer.step();
      return;
    }
    if (!this.#progress.has(optimizer)) this.unscale_(optimizer);
    const { stage, foundInfinite } = this.#progress.get(optimizer)!;
    check(stage !== 'stepped', 'step() has been called since the last update()');
    if (!foundInfinite) optimizer.step();
    this.#progress.set(optimizer, { stage: 'stepped', foundInfinite });
  }

  /**
   * Ends an iteration: shrinks the scale where some step was left out, lets it grow after enough
   * that were not, or sets it to `new_scale`.
   * @throws ArgumentError when no optimizer was unscaled or stepped since the last call.
   */
  update(new_scale: number | null = null): void {
    if (!this.#enabled) return;
    if (new_scale === null) this.#adapt();
    else this.#state.scale = new_scale;
    this.#progress.clear();
  }

  #adapt(): void {
    const state = this.#state;
    const found = [...this.#progress.values()].map(({ foundInfinite }) => foundInfinite);
    check(found.length > 0, 'update() without unscale_() or step() before it');
    state._growth_tracker = found.includes(true) ? 0 : state._growth_tracker + 1;
    if (found.includes(true)) {
      state.scale = Math.fround(state.scale * state.backoff_factor);
    } else if (state._growth_tracker === state.growth_interval) {
      const grown = Math.fround(state.scale * state.growth_factor);
      if (Number.isFinite(grown)) state.scale = grown;
      state._growth_tracker = 0;
    }
  }

  /** Was some gradient not finite? */
  #unscale(optimizer: Optimizer): boolean {
    check(currentTrace() === undefined, 'a step that may be left out cannot be compiled');
    const holders = optimizer.param_groups
      .flatMap(({ params }) => params)
      .filter(({ grad }) => grad !== null);
    check(holders.length > 0, 'no parameter of the optimizer has a gradient');
    const narrow = holders.find(({ grad }) => grad!.dtype === 'float16');
    if (narrow !== undefined) {
      throw opError(DTypeError, 'GradScaler', 'gradients in float16 cannot be unscaled');
    }
    const inverse = hostScalar(() => 1 / this.#state.scale);
    return noGrad(() => {
      const finite = holders
        .map(({ grad }) => all(isfinite(grad!)))
        .reduce((before, one) => logicalAnd(before, one), full([], 1, 'bool'));
      for (const { grad } of holders) grad!.copy_(mul(grad!, inverse));
      realizeSync([finite, ...holders.map(({ grad }) => grad!)].map(({ value }) => value));
      return finite.item() === 0;
    });
  }

  /** The scale; 1 when disabled. */
  getScale(): number {
    return this.#enabled ? this.#state.scale : 1;
  }

  isEnabled(): boolean {
    return this.#enabled;
  }

  stateDict(): Partial<GradScalerState> {
    return this.#enabled ? { ...this.#state } : {};
  }

  /** @throws ArgumentError for the state of a disabled scaler, unless this one is disabled too. */
  loadStateDict(state: Partial<GradScalerState>): void {
    if (!this.#enabled) return;
    const own = Object.keys(this.#state) as (keyof GradScalerState)[];
    const missing = own.filter((name) => typeof state[name] !== 'number');
    check(missing.length === 0, `the state has no ${missing.join(', ')}`);
    this.#state = { ...(state as GradScalerState) };
  }
}

function check(condition: boolean, message: string): asserts condition {
  if (!condition) throw opError(ArgumentError, 'GradScaler', message);
}
