/**
 * The updates of the optimizers, for all parameters of a group in one instruction: one pass over
 * memory, however many parameters there are. The composites beside them compute the same, one op
 * after the other: the fallback for operands the kernels do not take, and the tests' oracle.
 */

import type { DType } from '../base/dtype.ts';
import { DTypeError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import { applyAll } from '../core/apply.ts';
import type { Op } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import type { AdamAttrs, SgdAttrs } from '../engine/kernels.ts';
import type { ValueType } from '../engine/program.ts';
import { isOff } from '../engine/switches.ts';
import { defineOp } from './define.ts';
import { movingAverage, movingSquare } from './moving-average.ts';
import { add, cast, div, maximum, mul, neg, type Operand, sqrt, sub } from './pointwise.ts';

/** One parameter with its gradient and state; all of one shape. */
export interface SgdOperands {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly momentum_buffer?: Tensor;
}

export interface AdamOperands {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly exp_avg: Tensor;
  readonly exp_avg_sq: Tensor;
  readonly max_exp_avg_sq?: Tensor;
}

/** Zero-dimensional factors of an update. `scale` multiplies the gradients; left out it is 1. */
export interface SgdFactors {
  readonly lr: Tensor;
  /** 1 at the first step, then 1 - dampening. */
  readonly damping: Tensor;
  readonly scale?: Tensor;
}

export interface AdamFactors {
  /** lr / (1 - beta1^t) for step t, counted from 1. */
  readonly step_size: Tensor;
  /** 1 / sqrt(1 - beta2^t). */
  readonly root_scale: Tensor;
  /** What decoupled weight decay leaves of a parameter; 1 without any. */
  readonly keep: Tensor;
  readonly scale?: Tensor;
}

/** A row whose inputs are `factors` scalars, then `operands` tensors of one shape a parameter. */
function updateRow<Attrs extends { scaled: boolean }>(
  name: 'fused_sgd' | 'fused_adam',
  factors: number,
  operandsOf: (attrs: Attrs) => number,
): Op<Attrs> {
  return defineOp<Attrs>({
    name,
    kind: 'optimizer',
    vjp: 'nondiff',
    infer(inputs, attrs) {
      const first = factors + (attrs.scaled ? 1 : 0);
      return checkedOutputs(name, inputs, first, operandsOf(attrs));
    },
    lower: ({ attrs }) => ({ kernel: name, attrs }) as never,
  });
}

function checkedOutputs(
  name: string,
  inputs: readonly ValueType[],
  first: number,
  operands: number,
): ValueType[] {
  const { dtype } = inputs[0]!;
  const other = inputs.find((input) => input.dtype !== dtype);
  if (other !== undefined) {
    throw opError(DTypeError, name, `operands are ${dtype} and ${other.dtype}; cast them first`);
  }
  const outputs: ValueType[] = [];
  for (let i = first; i < inputs.length; i += operands) {
    const parameter = inputs[i]!;
    for (const { shape } of inputs.slice(i + 1, i + operands)) {
      if (sameShape(shape, parameter.shape)) continue;
      const shapes = `${formatShape(parameter.shape)}, but its gradient or state ${formatShape(shape)}`;
      throw opError(ShapeError, name, `a parameter has shape ${shapes}`);
    }
    // The gradient is the one operand that has no next value.
    for (let k = 1; k < operands; k++) outputs.push(parameter);
  }
  return outputs;
}

const FUSED_SGD = updateRow<SgdAttrs>('fused_sgd', 2, ({ momentum }) => (momentum === 0 ? 2 : 3));
const FUSED_ADAM = updateRow<AdamAttrs>('fused_adam', 3, ({ amsgrad }) => (amsgrad ? 5 : 4));

/** Are all operands of a dtype the kernels compute in? */
function fits(operands: readonly object[], dtype: DType): boolean {
  if (isOff('fused_optimizer') || (dtype !== 'float32' && dtype !== 'float64')) return false;
  return operands.every((each) => Object.values(each).every((x: Tensor) => x.dtype === dtype));
}

/** The next values of each parameter: of the parameter itself, then of its state, in order. */
function update<Attrs extends { scaled: boolean }>(
  row: Op<Attrs>,
  factors: readonly (Tensor | undefined)[],
  operands: readonly object[],
  attrs: Attrs,
): Tensor[][] {
  const lists = operands.map((each) => Object.values(each) as Tensor[]);
  const given = factors.filter((factor) => factor !== undefined);
  const outputs = applyAll(row, [...given, ...lists.flat()], attrs);
  const kept = lists[0]!.length - 1;
  return lists.map((_, i) => outputs.slice(i * kept, (i + 1) * kept));
}

/**
 * One step of SGD; gives `[parameter, momentum_buffer?]` of each. Every `SgdOperands` has its
 * buffer if, and only if, `momentum` is not 0.
 * https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
 */
export function sgdUpdate(
  operands: readonly SgdOperands[],
  factors: SgdFactors,
  options: Omit<SgdAttrs, 'scaled'>,
): Tensor[][] {
  const { lr, damping, scale } = factors;
  const ordered = operands.map(({ parameter, gradient, momentum_buffer }) =>
    momentum_buffer === undefined
      ? { parameter, gradient }
      : { parameter, gradient, momentum_buffer },
  );
  if (!fits(ordered, lr.dtype)) return ordered.map((each) => sgdComposite(each, factors, options));
  return update(FUSED_SGD, [lr, damping, scale], ordered, { ...options, scaled: !!scale });
}

/** One step of Adam; gives `[parameter, exp_avg, exp_avg_sq, max_exp_avg_sq?]` of each. */
export function adamUpdate(
  operands: readonly AdamOperands[],
  factors: AdamFactors,
  options: Omit<AdamAttrs, 'scaled'>,
): Tensor[][] {
  const { step_size, root_scale, keep, scale } = factors;
  const ordered = operands.map(({ parameter, gradient, exp_avg, exp_avg_sq, max_exp_avg_sq }) => ({
    ...{ parameter, gradient, exp_avg, exp_avg_sq },
    ...(max_exp_avg_sq && { max_exp_avg_sq }),
  }));
  if (!fits(ordered, keep.dtype)) {
    const { beta1, beta2 } = options;
    const weights = { mean: 1 - beta1, beta2, square: 1 - beta2 };
    return ordered.map((each) => adamComposite(each, factors, options, weights));
  }
  const scalars = [step_size, root_scale, keep, scale];
  return update(FUSED_ADAM, scalars, ordered, { ...options, scaled: !!scale });
}

/** The gradient that a step takes: scaled, in its direction, with the decay that is part of it. */
export function stepGradient(
  { parameter, gradient }: { readonly parameter: Tensor; readonly gradient: Tensor },
  scale: Tensor | undefined,
  { maximize, weight_decay }: { maximize: boolean; weight_decay: number },
): Tensor {
  const scaled = scale === undefined ? gradient : mul(gradient, scale);
  const directed = maximize ? neg(scaled) : scaled;
  return weight_decay === 0 ? directed : add(directed, mul(parameter, weight_decay));
}

export function sgdComposite(
  operands: SgdOperands,
  { lr, damping, scale }: SgdFactors,
  options: Omit<SgdAttrs, 'scaled' | 'momentum'> & { momentum: Operand },
): Tensor[] {
  const { parameter, momentum_buffer: buffer } = operands;
  const { momentum, nesterov } = options;
  const gradient = stepGradient(operands, scale, options);
  if (buffer === undefined) return [sub(parameter, mul(gradient, lr))];
  const next = add(mul(buffer, momentum), mul(gradient, damping));
  const direction = nesterov ? add(gradient, mul(next, momentum)) : next;
  return [sub(parameter, mul(direction, lr)), next].map((x) => cast(x, parameter.dtype));
}

/** The betas, as numbers of the graph or as scalars that are read at every step. */
export interface AdamWeights {
  /** 1 - beta1. */
  readonly mean: Operand;
  readonly beta2: Operand;
  /** 1 - beta2. */
  readonly square: Operand;
}

export function adamComposite(
  operands: AdamOperands,
  { step_size, root_scale, keep, scale }: AdamFactors,
  options: Omit<AdamAttrs, 'scaled' | 'beta1' | 'beta2'>,
  weights: AdamWeights,
): Tensor[] {
  const { parameter, exp_avg, exp_avg_sq, max_exp_avg_sq } = operands;
  const { eps } = options;
  const gradient = stepGradient(operands, scale, options);
  const mean = movingAverage(exp_avg, gradient, weights.mean);
  const square = movingSquare(exp_avg_sq, gradient, weights.beta2, weights.square);
  const largest = max_exp_avg_sq && maximum(max_exp_avg_sq, square);
  const root = add(mul(sqrt(largest ?? square), root_scale), eps);
  const next = sub(mul(parameter, keep), div(mul(mean, step_size), root));
  const state = largest === undefined ? [mean, square] : [mean, square, largest];
  return [next, ...state].map((x) => cast(x, parameter.dtype));
}
