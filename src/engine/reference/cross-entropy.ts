/** Cross entropy with class indices along the last dimension, and its gradient, row by row. */

import { numel } from '../../base/shape.ts';
import {
  arity,
  check,
  checkDtype,
  checkShape,
  type KernelCall,
  type Run,
  sizeAlong,
} from './kernel.ts';

type Call = KernelCall<'cross_entropy_fwd'> | KernelCall<'cross_entropy_bwd'>;

/** The operands that both calls have: x, target and weight from input `first` on. */
function checkOperands(call: Call, first: number) {
  const { weight, reduction } = call.attrs;
  const [x, target, classWeight] = call.inputs.slice(first);
  const rank = x!.shape.length;
  const classes = sizeAlong(x!.shape, rank - 1);
  const rows = x!.shape.slice(0, rank - 1);
  checkDtype('x', x!.dtype, 'float32', 'float64', 'bfloat16', 'float16');
  checkDtype('target', target!.dtype, 'int32', 'int64');
  checkShape('target', target!.shape, rows);
  if (weight) checkShape('weight', classWeight!.shape, [classes]);
  const floating = [...call.inputs, ...call.outputs].filter((operand) => operand !== target);
  for (const { dtype } of floating) checkDtype('every floating operand', dtype, x!.dtype);
  check(['none', 'sum', 'mean'].includes(reduction), `there is no reduction "${reduction}"`);
  return { classes, rows, count: numel(rows), loss: reduction === 'none' ? rows : [] };
}

function checkTarget(target: number, classes: number): void {
  check(
    Number.isInteger(target) && target >= 0 && target < classes,
    `target ${target} is out of range for ${classes} classes`,
  );
}

/** x, target, [weight] -> loss, lse, total */
export function crossEntropyForward(call: KernelCall<'cross_entropy_fwd'>): Run {
  const { ignore_index, label_smoothing: s, weight, reduction } = call.attrs;
  arity(call, 2 + Number(weight), 3);
  const { classes, rows, count, loss: lossShape } = checkOperands(call, 0);
  checkShape('loss', call.outputs[0]!.shape, lossShape);
  checkShape('lse', call.outputs[1]!.shape, rows);
  checkShape('total', call.outputs[2]!.shape, []);
  return ([x, target, weights], [loss, lse, total]) => {
    const w = (c: number) => weights?.[c] ?? 1;
    let sum = 0;
    for (let row = 0; row < count; row++) {
      const logits = x!.subarray(row * classes, (row + 1) * classes);
      const max = logits.reduce((a, b) => Math.max(a, b), -Infinity);
      lse![row] = max + Math.log(logits.reduce((all, v) => all + Math.exp(v - max), 0));
      const t = target![row]!;
      if (t === ignore_index) continue;
      checkTarget(t, classes);
      total![0]! += w(t);
      let value = (1 - s) * w(t) * (lse![row]! - logits[t]!);
      if (s > 0) {
        const uniform = logits.reduce((all, v, c) => all + w(c) * (lse![row]! - v), 0);
        value += (s / classes) * uniform;
      }
      if (reduction === 'none') loss![row] = value;
      sum += value;
    }
    if (reduction !== 'none') loss![0] = reduction === 'mean' ? sum / total![0]! : sum;
  };
}

/** g, x, target, [weight], lse, total -> x's gradient */
export function crossEntropyBackward(call: KernelCall<'cross_entropy_bwd'>): Run {
  const { ignore_index, label_smoothing: s, weight, reduction } = call.attrs;
  arity(call, 5 + Number(weight));
  const { classes, rows, count, loss } = checkOperands(call, 1);
  const [lseType, totalType] = call.inputs.slice(-2);
  checkShape('g', call.inputs[0]!.shape, loss);
  checkShape('lse', lseType!.shape, rows);
  checkShape('total', totalType!.shape, []);
  checkShape("x's gradient", call.outputs[0]!.shape, call.inputs[1]!.shape);
  return (inputs, [dx]) => {
    const [g, x, target] = inputs as [Float64Array, Float64Array, Float64Array];
    const [lse, total] = inputs.slice(-2) as [Float64Array, Float64Array];
    const w = (c: number) => (weight ? inputs[3]![c]! : 1);
    let allWeights = 0;
    for (let c = 0; c < classes; c++) allWeights += w(c);
    for (let row = 0; row < count; row++) {
      const t = target[row]!;
      if (t === ignore_index) continue;
      checkTarget(t, classes);
      const scale = reduction === 'none' ? g[row]! : g[0]! / (reduction === 'mean' ? total[0]! : 1);
      for (let c = 0; c < classes; c++) {
        const p = Math.exp(x[row * classes + c]! - lse[row]!);
        const hard = (1 - s) * w(t) * (p - Number(c === t));
        const smooth = (s / classes) * (p * allWeights - w(c));
        dx![row * classes + c] = scale * (hard + smooth);
      }
    }
  };
}
