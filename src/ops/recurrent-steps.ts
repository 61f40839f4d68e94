/** Steps of recurrent cells, and sequences of them, in ordinary ops. */

import type { Tensor } from '../core/tensor.ts';
import { stack } from './joining.ts';
import { linear } from './matmul.ts';
import { add, mul, relu, sigmoid, sub, tanh } from './pointwise.ts';
import { narrow, select } from './slicing.ts';

/**
 * What a cell's step needs beside the inputs' part: its weights of the state, and where it
 * projects.
 */
export interface StepWeights {
  readonly weight_hh: Tensor;
  readonly bias_hh?: Tensor | null;
  readonly weight_hr?: Tensor | null;
}

/** The next state of (B, H) each; `gates` (B, ...) is the inputs' part of the sums. */
export type Step<State extends readonly Tensor[]> = (
  gates: Tensor,
  state: State,
  weights: StepWeights,
) => State;

/** h' = f(x + W h), f tanh or relu. */
export function rnnStep(nonlinearity: 'tanh' | 'relu'): Step<readonly [h: Tensor]> {
  const activation = nonlinearity === 'tanh' ? tanh : relu;
  return (gates, [h], { weight_hh, bias_hh }) => [
    activation(add(gates, linear(h, weight_hh, bias_hh))),
  ];
}

/** Gates reset, update and new (Cho et al. 2014), as PyTorch and cuDNN compute the new one. */
export const gruStep: Step<readonly [h: Tensor]> = (gates, [h], { weight_hh, bias_hh }) => {
  const units = h.shape[1]!;
  const own = linear(h, weight_hh, bias_hh);
  const sum = (k: number) => add(part(gates, k, units), part(own, k, units));
  const [reset, update] = [sigmoid(sum(0)), sigmoid(sum(1))];
  const fresh = tanh(add(part(gates, 2, units), mul(reset, part(own, 2, units))));
  return [add(fresh, mul(update, sub(h, fresh)))];
};

/** Gates input, forget, cell and output; h may be projected to fewer features (Sak et al. 2014). */
export const lstmStep: Step<readonly [h: Tensor, c: Tensor]> = (gates, [h, c], weights) => {
  const { weight_hh, bias_hh, weight_hr } = weights;
  const units = c.shape[1]!;
  const sums = add(gates, linear(h, weight_hh, bias_hh));
  const gate = (k: number) => part(sums, k, units);
  const cell = add(mul(sigmoid(gate(1)), c), mul(sigmoid(gate(0)), tanh(gate(2))));
  const output = mul(sigmoid(gate(3)), tanh(cell));
  return [weight_hr ? linear(output, weight_hr) : output, cell];
};

const part = (x: Tensor, k: number, units: number) => narrow(x, 1, k * units, units);

export interface ScanOptions {
  readonly batch_first: boolean;
  /** From the last step to the first. */
  readonly reverse: boolean;
}

/** All steps over gates (T, B, ...), or (B, T, ...): the outputs h of each, and the last state. */
export function scan<State extends readonly Tensor[]>(
  step: Step<State>,
  gates: Tensor,
  first: State,
  weights: StepWeights,
  { batch_first, reverse }: ScanOptions,
): [output: Tensor, state: State] {
  const time = batch_first ? 1 : 0;
  const steps = gates.shape[time]!;
  const outputs: Tensor[] = [];
  let state = first;
  for (let i = 0; i < steps; i++) {
    const t = reverse ? steps - 1 - i : i;
    state = step(select(gates, time, t), state, weights);
    outputs[t] = state[0]!;
  }
  return [stack(outputs, time), state];
}
