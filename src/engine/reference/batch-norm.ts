/** Batch normalisation with the statistics of the batch: forward and backward. */

import { isFloating } from '../../base/dtype.ts';
import type { ValueType } from '../program.ts';
import { arity, check, checkDtype, checkShape, type KernelCall, type Run } from './kernel.ts';

export function batchNormForward(call: KernelCall<'batch_norm_fwd'>): Run {
  arity(call, 3, 3);
  const { eps } = call.attrs;
  const [x, weight, bias] = call.inputs as [ValueType, ValueType, ValueType];
  const [y, mean, variance] = call.outputs as [ValueType, ValueType, ValueType];
  checkOperands(x, [y], [weight, bias, mean, variance]);
  const channels = new Channels(x.shape);

  return ([x, weight, bias], [y, mean, variance]) => {
    channels.forEach((places, c) => {
      const average = meanOf(places, (i) => x![i]!);
      const spread = meanOf(places, (i) => (x![i]! - average) ** 2);
      mean![c] = average;
      variance![c] = spread;
      const scale = weight![c]! / Math.sqrt(spread + eps);
      for (const i of places) y![i] = (x![i]! - average) * scale + bias![c]!;
    });
  };
}

export function batchNormBackward(call: KernelCall<'batch_norm_bwd'>): Run {
  const { eps, prologue } = call.attrs;
  const known = ['', 'add', 'relu', 'add relu'];
  check(known.includes(prologue.join(' ')), 'takes at most one add, then at most one relu');
  const inputs = 5 + prologue.length;
  check(
    call.inputs.length === inputs && [3, 4].includes(call.outputs.length),
    `takes ${inputs} inputs and 3 or 4 outputs`,
  );
  const [g, x, weight, mean, variance, ...more] = call.inputs as ValueType[];
  const [dx, dweight, dbias, ...made] = call.outputs as ValueType[];
  checkOperands(x!, [g!, dx!, ...more, ...made], [weight!, mean!, variance!, dweight!, dbias!]);
  const channels = new Channels(x!.shape);

  return ([given, x, weight, mean, variance, ...more], [dx, dweight, dbias, made]) => {
    const g = Float64Array.from(given!);
    prologue.forEach((step, k) => {
      const operand = more[k]!;
      for (let i = 0; i < g.length; i++) {
        if (step === 'add') g[i]! += operand[i]!;
        else if (operand[i]! <= 0) g[i] = 0;
      }
    });
    made?.set(g);
    channels.forEach((places, c) => {
      const inverse = 1 / Math.sqrt(variance![c]! + eps);
      const normalized = (i: number) => (x![i]! - mean![c]!) * inverse;
      const average = meanOf(places, (i) => g[i]!);
      const projection = meanOf(places, (i) => g[i]! * normalized(i));
      dbias![c] = average * places.length;
      dweight![c] = projection * places.length;
      const scale = weight![c]! * inverse;
      for (const i of places) dx![i] = scale * (g[i]! - average - normalized(i) * projection);
    });
  };
}

function checkOperands(x: ValueType, like: readonly ValueType[], perChannel: readonly ValueType[]) {
  check(isFloating(x.dtype), `needs a floating dtype, got ${x.dtype}`);
  check(x.shape.length >= 2, 'x must be (N, C, ...)');
  for (const { shape, dtype } of like) {
    checkShape('an operand', shape, x.shape);
    checkDtype('an operand', dtype, x.dtype);
  }
  for (const { shape, dtype } of perChannel) {
    checkShape('an operand of the channels', shape, [x.shape[1]!]);
    checkDtype('an operand of the channels', dtype, statisticsDtype(x));
  }
}

function statisticsDtype({ dtype }: ValueType) {
  return dtype === 'float64' ? 'float64' : 'float32';
}

/** The mean of `value` over `places`; 0 of nothing. */
function meanOf(places: readonly number[], value: (place: number) => number): number {
  let sum = 0;
  for (const place of places) sum += value(place);
  return places.length === 0 ? 0 : sum / places.length;
}

/** The flat places of each channel's elements. */
class Channels {
  readonly #samples: number;
  readonly #channels: number;
  readonly #inner: number;

  constructor([samples, channels, ...inner]: readonly number[]) {
    this.#samples = samples!;
    this.#channels = channels!;
    this.#inner = inner.reduce((product, size) => product * size, 1);
  }

  forEach(visit: (places: readonly number[], channel: number) => void): void {
    for (let c = 0; c < this.#channels; c++) {
      const places: number[] = [];
      for (let n = 0; n < this.#samples; n++) {
        const first = (n * this.#channels + c) * this.#inner;
        for (let i = 0; i < this.#inner; i++) places.push(first + i);
      }
      visit(places, c);
    }
  }
}
