/** Recurrent layers over whole sequences: each direction of a layer is one fused op. */

import { computeType, isFloating, promoteTypes } from '../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, numel, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import type { LstmAttrs } from '../engine/kernels.ts';
import type { ValueType } from '../engine/program.ts';
import { defineFused } from './fused.ts';
import { stack } from './joining.ts';
import { linear } from './matmul.ts';
import { add, cast, mul, sigmoid, tanh } from './pointwise.ts';
import { narrow, select } from './slicing.ts';

const LSTM = defineFused<LstmAttrs>({
  name: 'lstm',
  kind: 'recurrent',
  results: 3,
  infer([gx, , h0]) {
    const values: ValueType = {
      dtype: gx!.dtype,
      shape: [...gx!.shape.slice(0, 2), h0!.shape[1]!],
    };
    return [values, h0!, h0!, gx!, values];
  },
  composite([gx, weight, h0, c0], { batch_first, reverse }) {
    const time = batch_first ? 1 : 0;
    const units = h0!.shape[1]!;
    const outputs: Tensor[] = [];
    let [h, c] = [h0!, c0!];
    for (let i = 0; i < gx!.shape[time]!; i++) {
      const step = reverse ? gx!.shape[time]! - 1 - i : i;
      const sums = add(select(gx!, time, step), linear(h, weight!));
      const gate = (k: number) => narrow(sums, 1, k * units, units);
      c = add(mul(sigmoid(gate(1)), c), mul(sigmoid(gate(0)), tanh(gate(2))));
      h = mul(sigmoid(gate(3)), tanh(c));
      outputs[step] = h;
    }
    return [stack(outputs, time), h, c];
  },
  forward: ({ attrs }) => ({ kernel: 'lstm_fwd', attrs: kernelAttrs(attrs) }),
  backward: ({ attrs }) => ({ kernel: 'lstm_bwd', attrs: kernelAttrs(attrs) }),
  reads: ([, weight, h0, c0], [y, , , gates, cells]) => [weight, h0, c0, y, gates, cells],
  flops: ([gx, weight]) => 2 * numel(gx!.shape.slice(0, 2)) * numel(weight!.shape),
});

function kernelAttrs({ batch_first, reverse }: LstmAttrs): LstmAttrs {
  return { batch_first, reverse };
}

/** h and c. */
export type LstmState = readonly [h: Tensor, c: Tensor];

/**
 * One direction of an LSTM layer, over all steps: gx (T, B, 4H), or (B, T, 4H) if `batch_first`,
 * holds x W_ihᵀ + b of every step, gates in PyTorch's order; weight_hh (4H, H); h and c (B, H).
 * Gives the outputs (T, B, H), or (B, T, H), and the last h and c. With `reverse` the steps are
 * taken from the last to the first. Floats of 16 bits are computed in float32.
 * https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 *
 * @throws ShapeError when the sizes do not fit or there is no step.
 */
export function lstm(
  gx: Tensor,
  weight_hh: Tensor,
  [h, c]: LstmState,
  { batch_first = false, reverse = false }: Partial<LstmAttrs> = {},
): [output: Tensor, state: [h: Tensor, c: Tensor]] {
  const given = [gx, weight_hh, h, c];
  const dtype = given.map((input) => input.dtype).reduce(promoteTypes);
  if (!isFloating(dtype)) {
    throw opError(DTypeError, 'lstm', `needs floating point tensors, got ${dtype}`);
  }
  checkSizes(gx, weight_hh, [h, c], batch_first);
  const wide = computeType(dtype) === 'float64' ? 'float64' : 'float32';
  const inputs = given.map((input) => cast(input, wide));
  const results = LSTM(inputs, { batch_first, reverse }).map((output) => cast(output, dtype));
  const [output, hn, cn] = results as [Tensor, Tensor, Tensor];
  return [output, [hn, cn]];
}

function checkSizes(gx: Tensor, weight: Tensor, state: LstmState, batch_first: boolean): void {
  const units = weight.shape[1]!;
  if (weight.ndim !== 2 || weight.shape[0] !== 4 * units) {
    throw opError(
      ShapeError,
      'lstm',
      `weight_hh has shape ${formatShape(weight.shape)}, needs (4 * hidden_size, hidden_size)`,
    );
  }
  if (gx.ndim !== 3 || gx.shape[2] !== 4 * units || gx.shape[batch_first ? 1 : 0] === 0) {
    const sizes = batch_first ? 'batch, steps' : 'steps, batch';
    throw opError(
      ShapeError,
      'lstm',
      `gates have shape ${formatShape(gx.shape)}, need (${sizes}, ${4 * units}) with a step at least`,
    );
  }
  const expected = [gx.shape[batch_first ? 0 : 1]!, units];
  for (const [i, tensor] of state.entries()) {
    if (sameShape(tensor.shape, expected)) continue;
    throw opError(
      ShapeError,
      'lstm',
      `${i === 0 ? 'h' : 'c'} has shape ${formatShape(tensor.shape)}, needs ${formatShape(expected)}`,
    );
  }
}
