/** Numbers in order: ranges with a step, or a count of them between two bounds. */

import type { DType } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import type { Tensor } from '../core/tensor.ts';
import { defineOp } from './define.ts';
import { named } from './named.ts';
import { add, cast, mul, pow } from './pointwise.ts';
import { checkDType, finish } from './tensor-options.ts';

const ARANGE = defineOp<{ start: number; step: number; length: number; dtype: DType }>({
  name: 'arange',
  kind: 'creation',
  vjp: () => [],
  infer: (_, { length, dtype }) => [{ dtype, shape: [length] }],
  lower: ({ attrs: { start, step } }) => ({ kernel: 'arange', attrs: { start, step } }),
});

type Bounds = [first: number, last: number, by: number];

/**
 * Numbers from `start` (0 when only one bound is given) by `step` to below `end`; int64 when all
 * three are whole numbers, else float32. Throws ArgumentError where the step leads away from `end`.
 * https://pytorch.org/docs/stable/generated/torch.arange.html
 */
export const arange = named(
  'arange',
  ['start', 'end', 'step', 'dtype', 'requires_grad'],
  (
    start: number,
    end: number | null = null,
    step = 1,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const given = (end === null ? [0, start, step] : [start, end, step]).map(Number);
    const type = checkDType(
      'arange',
      dtype ?? (given.every(Number.isInteger) ? 'int64' : 'float32'),
    );
    // PyTorch counts int64 in whole numbers, and what is narrower by the bounds as they are.
    const [first, last, by] = (type === 'int64' ? given.map(Math.trunc) : given) as Bounds;
    const span = (last - first) / by;
    const length = Math.ceil(span);
    if (by === 0 || !Number.isSafeInteger(length) || span < 0) {
      throw opError(ArgumentError, 'arange', `cannot count from ${first} to ${last} by ${by}`);
    }
    const made = apply(ARANGE, [], { start: first, step: by, length: length || 0, dtype: type });
    return finish(made, { requires_grad });
  },
);

/**
 * `arange` with both bounds included. https://pytorch.org/docs/stable/generated/torch.range.html
 */
export const range = named(
  'range',
  ['start', 'end', 'step', 'dtype', 'requires_grad'],
  (
    start: number,
    end: number,
    step = 1,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const length = Math.floor((end - start) / step) + 1;
    if (step === 0 || !Number.isSafeInteger(length) || length < 1) {
      throw opError(ArgumentError, 'range', `cannot count from ${start} to ${end} by ${step}`);
    }
    const type = checkDType('range', dtype ?? 'float32');
    return finish(apply(ARANGE, [], { start, step, length, dtype: type }), { requires_grad });
  },
);

/** A number, or a zero-dimensional tensor, which is read. */
type Bound = number | Tensor;

function boundOf(op: string, bound: Bound): number {
  if (typeof bound === 'number') return bound;
  if (bound.ndim === 0) return bound.item();
  const message = `bounds must be numbers or zero-dimensional tensors, got ${formatShape(bound.shape)}`;
  throw opError(ShapeError, op, message);
}

/** `steps` float64 numbers from `start` to `end`, counted from the nearer one. */
function evenly(op: string, start: Bound, end: Bound, steps: number): Tensor {
  if (!Number.isInteger(steps) || steps < 0) {
    throw opError(ArgumentError, op, `steps must be a non-negative integer, got ${steps}`);
  }
  const [first, last] = [boundOf(op, start), boundOf(op, end)];
  const gap = steps > 1 ? (last - first) / (steps - 1) : 0;
  return add(mul(arange(steps, { dtype: 'float64' }), gap), first);
}

/**
 * `steps` numbers from `start` to `end`, both included.
 * https://pytorch.org/docs/stable/generated/torch.linspace.html
 */
export const linspace = named(
  'linspace',
  ['start', 'end', 'steps', 'dtype', 'requires_grad'],
  (
    start: Bound,
    end: Bound,
    steps: number,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const numbers = evenly('linspace', start, end, steps);
    return finish(cast(numbers, checkDType('linspace', dtype ?? 'float32')), { requires_grad });
  },
);

/**
 * `base` to the powers of `linspace`.
 * https://pytorch.org/docs/stable/generated/torch.logspace.html
 */
export const logspace = named(
  'logspace',
  ['start', 'end', 'steps', 'base', 'dtype', 'requires_grad'],
  (
    start: Bound,
    end: Bound,
    steps: number,
    base = 10,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const powers = pow(base, evenly('logspace', start, end, steps));
    return finish(cast(powers, checkDType('logspace', dtype ?? 'float32')), { requires_grad });
  },
);
