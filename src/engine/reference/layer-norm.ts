/** Layer normalization and its gradient, row by row. */

import { numel, type Shape } from '../../base/shape.ts';
import { arity, check, checkFloating, checkShape, type KernelCall, type Run } from './kernel.ts';

interface Rows {
  readonly leading: Shape;
  readonly normalized: Shape;
  readonly count: number;
  readonly size: number;
}

function rowsOf(shape: Shape, dims: number): Rows {
  check(Number.isInteger(dims) && dims >= 1 && dims <= shape.length, `dims is ${dims}`);
  const leading = shape.slice(0, shape.length - dims);
  const normalized = shape.slice(shape.length - dims);
  return { leading, normalized, count: numel(leading), size: numel(normalized) };
}

/** x, [weight], [bias] -> y, mean, rstd */
export function layerNormForward(call: KernelCall<'layer_norm_fwd'>): Run {
  const { dims, eps, weight, bias } = call.attrs;
  arity(call, 1 + Number(weight) + Number(bias), 3);
  checkFloating(call);
  const { leading, normalized, count, size } = rowsOf(call.inputs[0]!.shape, dims);
  for (const input of call.inputs.slice(1)) checkShape('a parameter', input.shape, normalized);
  checkShape('the output', call.outputs[0]!.shape, call.inputs[0]!.shape);
  for (const output of call.outputs.slice(1)) checkShape('a statistic', output.shape, leading);
  return ([x, ...parameters], [y, mean, rstd]) => {
    const scale = weight ? parameters[0] : undefined;
    const shift = bias ? parameters.at(-1) : undefined;
    for (let row = 0; row < count; row++) {
      const values = x!.subarray(row * size, (row + 1) * size);
      const average = values.reduce((sum, v) => sum + v, 0) / size;
      const variance = values.reduce((sum, v) => sum + (v - average) ** 2, 0) / size;
      mean![row] = average;
      rstd![row] = 1 / Math.sqrt(variance + eps);
      for (let i = 0; i < size; i++) {
        const normal = (values[i]! - average) * rstd![row]!;
        y![row * size + i] = normal * (scale?.[i] ?? 1) + (shift?.[i] ?? 0);
      }
    }
  };
}

/** g, x, [weight], mean, rstd -> dx, [dweight], [dbias] */
export function layerNormBackward(call: KernelCall<'layer_norm_bwd'>): Run {
  const { dims, weight, bias } = call.attrs;
  arity(call, 4 + Number(weight), 1 + Number(weight) + Number(bias));
  checkFloating(call);
  const { leading, normalized, count, size } = rowsOf(call.inputs[0]!.shape, dims);
  const { shape } = call.inputs[0]!;
  checkShape('x', call.inputs[1]!.shape, shape);
  if (weight) checkShape('weight', call.inputs[2]!.shape, normalized);
  for (const input of call.inputs.slice(-2)) checkShape('a statistic', input.shape, leading);
  checkShape("x's gradient", call.outputs[0]!.shape, shape);
  for (const output of call.outputs.slice(1)) checkShape('a gradient', output.shape, normalized);
  return (inputs, [dx, ...gradients]) => {
    const [g, x] = inputs as [Float64Array, Float64Array];
    const scale = weight ? inputs[2] : undefined;
    const [mean, rstd] = inputs.slice(-2) as [Float64Array, Float64Array];
    const dweight = weight ? gradients[0] : undefined;
    const dbias = bias ? gradients.at(-1) : undefined;
    for (let row = 0; row < count; row++) {
      const first = row * size;
      const normal = (i: number) => (x[first + i]! - mean[row]!) * rstd[row]!;
      const scaled = (i: number) => g[first + i]! * (scale?.[i] ?? 1);
      let sum = 0;
      let product = 0;
      for (let i = 0; i < size; i++) {
        sum += scaled(i);
        product += scaled(i) * normal(i);
        if (dweight !== undefined) dweight[i]! += g[first + i]! * normal(i);
        if (dbias !== undefined) dbias[i]! += g[first + i]!;
      }
      for (let i = 0; i < size; i++) {
        const centered = scaled(i) - sum / size - (normal(i) * product) / size;
        dx![first + i] = rstd[row]! * centered;
      }
    }
  };
}
