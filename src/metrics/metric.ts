/** What a metric is: sums kept where the steps run, and a number made of them on the host. */

import type { DType } from '../base/dtype.ts';
import { ArgumentError } from '../base/errors.ts';
import type { Shape } from '../base/shape.ts';
import type { Stateful } from '../core/compile.ts';
import type { Tensor } from '../core/tensor.ts';

/** A tensor that a metric is going to be given, the batch first. */
export interface MetricInput {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** What a metric measures: known before any data are read. */
export interface MetricContext {
  /** The names of the classes; empty where targets are no classes. */
  readonly classes: readonly string[];
  /** The model's output: (N, classes, ...) where targets are classes. */
  readonly output: MetricInput;
  /** What the loss compares it with: int64 (N, ...) where targets are classes. */
  readonly target: MetricInput;
}

/** A number; or a list or a matrix, which is kept beside the records and cannot be monitored. */
export type MetricValue = number | readonly number[] | readonly (readonly number[])[];

/** The contents of each state tensor, row-major. */
export type MetricState = Readonly<Record<string, readonly number[]>>;

/**
 * As torchmetrics' class of the same name: `addState` in the constructor or in `prepare`, `update`
 * for every batch, `compute` for the value. `update` is part of a compiled step: it may not read
 * any value, and changes its state in place (`this.total.add_(...)`).
 * https://lightning.ai/docs/torchmetrics/stable/pages/implement.html
 */
export abstract class Metric implements Stateful {
  /** Its name in records, after that of the split: `val_NAME`. */
  abstract readonly name: string;
  abstract readonly higher_is_better: boolean;
  /** False where `compute` gives an array. */
  readonly scalar: boolean = true;
  readonly #state = new Map<string, { readonly tensor: Tensor; readonly initial: Tensor }>();

  /** @returns a tensor of this name that begins as `initial` and is kept in checkpoints. */
  protected addState(name: string, initial: Tensor): Tensor {
    const tensor = initial.clone();
    this.#state.set(name, { tensor, initial });
    return tensor;
  }

  /**
   * Called once, before any batch. Here a metric makes the state whose size depends on the task.
   *
   * @throws ArgumentError when it cannot measure this task.
   */
  prepare(_context: MetricContext): void {}

  /** Takes a batch into the state; no gradients are recorded. */
  abstract update(output: Tensor, target: Tensor): void;

  /** The value, from the contents of the state. */
  abstract compute(state: MetricState): MetricValue;

  /** Starts over; eager or part of a traced step. */
  reset(): void {
    for (const { tensor, initial } of this.#state.values()) tensor.copy_(initial);
  }

  /** The state by name. */
  namedState(): Map<string, Tensor> {
    return new Map([...this.#state].map(([name, { tensor }]) => [name, tensor]));
  }

  stateTensors(): Tensor[] {
    return [...this.namedState().values()];
  }
}

/** `a / b`, and 0 where `b` is: as torchmetrics, a class that never occurs counts as missed. */
export const safeDivide = (a: number, b: number): number => (b === 0 ? 0 : a / b);

export const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** @throws ArgumentError unless output and targets have one shape, as numbers that are compared. */
export function checkSameShape(type: string, { output, target }: MetricContext): void {
  const shown = [output, target].map(
    ({ shape }) =>
      `(N${shape
        .slice(1)
        .map((n) => `, ${n}`)
        .join('')})`,
  );
  if (shown[0] === shown[1]) return;
  throw new ArgumentError(
    `[${type}] compares numbers of one shape; the model gives ${shown[0]}, the targets are ${shown[1]}`,
  );
}
