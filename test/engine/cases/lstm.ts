/** lstm_fwd and lstm_bwd: one direction over a sequence. */

import type { DType } from '../../../src/base/dtype.ts';
import { between, input, type KernelCase, kernelCase, type } from './case.ts';

interface Sizes {
  readonly steps: number;
  readonly batch: number;
  readonly units: number;
  readonly batch_first?: boolean;
  readonly reverse?: boolean;
}

function lstm(dtype: DType, sizes: Sizes): KernelCase[] {
  const { steps, batch, units, batch_first = false, reverse = false } = sizes;
  const leading = batch_first ? [batch, steps] : [steps, batch];
  const layout = batch_first ? 'batch first' : 'steps first';
  const name = `${leading} of ${units}, ${dtype}, ${layout}${reverse ? ', reverse' : ''}`;
  const attrs = { batch_first, reverse };
  const gates = [...leading, 4 * units];
  const values = [...leading, units];
  const state = input(dtype, [batch, units]);
  // Sums over the units stay of the size of one.
  const bound = 2 / Math.sqrt(Math.max(units, 1));
  const weight = input(dtype, [4 * units, units], between(-bound, bound));
  const stateType = type(dtype, batch, units);
  return [
    kernelCase(
      'lstm_fwd',
      name,
      attrs,
      [input(dtype, gates), weight, state, state],
      [type(dtype, ...values), stateType, stateType, type(dtype, ...gates), type(dtype, ...values)],
    ),
    kernelCase(
      'lstm_bwd',
      name,
      attrs,
      [
        input(dtype, values),
        state,
        state,
        weight,
        state,
        state,
        input(dtype, values),
        input(dtype, gates, between(0.1, 0.9)),
        input(dtype, values),
      ],
      [type(dtype, ...gates), type(dtype, 4 * units, units), stateType, stateType],
    ),
  ];
}

export const LSTM_CASES: readonly KernelCase[] = [
  ...lstm('float32', { steps: 4, batch: 3, units: 5 }),
  ...lstm('float32', { steps: 4, batch: 3, units: 5, batch_first: true }),
  ...lstm('float32', { steps: 3, batch: 2, units: 18, reverse: true }),
  ...lstm('float32', { steps: 3, batch: 9, units: 7, batch_first: true, reverse: true }),
  ...lstm('float32', { steps: 5, batch: 23, units: 70 }),
  ...lstm('float32', { steps: 4, batch: 40, units: 64, batch_first: true }),
  ...lstm('float32', { steps: 1, batch: 1, units: 1 }),
  ...lstm('float32', { steps: 0, batch: 2, units: 3 }),
  ...lstm('float32', { steps: 2, batch: 0, units: 3 }),
  ...lstm('float32', { steps: 2, batch: 2, units: 0 }),
  ...lstm('float64', { steps: 4, batch: 13, units: 34 }),
  ...lstm('bfloat16', { steps: 2, batch: 3, units: 6 }),
];
