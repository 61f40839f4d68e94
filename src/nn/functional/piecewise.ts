/**
 * Activations made of straight pieces. `inplace` is taken as in PyTorch and changes nothing:
 * tensors are not written to, and the planner reuses memory by itself. Gradients at the kinks are
 * PyTorch's.
 */

import { isFloating, needsFloating } from '../../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { rand } from '../../ops/draws.ts';
import { reshape } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import {
  add,
  cast,
  div,
  ge,
  gt,
  le,
  lt,
  mul,
  relu as rectify,
  sub,
  where,
} from '../../ops/pointwise.ts';

/** max(x, 0). https://pytorch.org/docs/stable/generated/torch.nn.functional.relu.html */
export const relu = named(
  'relu',
  ['input', 'inplace'],
  (input: Tensor, _inplace = false): Tensor => rectify(input),
);

/**
 * x limited to [`min_val`, `max_val`]; no gradient at the bounds. Of integers too.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.hardtanh.html
 *
 * @throws ArgumentError when the bounds are exchanged, DTypeError for bool.
 */
export const hardtanh = named(
  'hardtanh',
  ['input', 'min_val', 'max_val', 'inplace'],
  (input: Tensor, min_val = -1, max_val = 1, _inplace = false): Tensor => {
    if (min_val > max_val) {
      const message = `min_val ${min_val} must not be greater than max_val ${max_val}`;
      throw opError(ArgumentError, 'hardtanh', message);
    }
    return limited('hardtanh', input, min_val, max_val);
  },
);

function limited(op: string, x: Tensor, min: number, max: number): Tensor {
  if (x.dtype === 'bool') throw opError(DTypeError, op, 'is not defined for bool tensors');
  return cast(where(le(x, min), min, where(ge(x, max), max, x)), x.dtype);
}

/** x limited to [0, 6]. https://pytorch.org/docs/stable/generated/torch.nn.functional.relu6.html */
export const relu6 = named(
  'relu6',
  ['input', 'inplace'],
  (input: Tensor, _inplace = false): Tensor => limited('relu6', input, 0, 6),
);

/**
 * (x + 3) / 6 limited to [0, 1].
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.hardsigmoid.html
 */
export const hardsigmoid = named(
  'hardsigmoid',
  ['input', 'inplace'],
  (input: Tensor, _inplace = false): Tensor => {
    needsFloating('hardsigmoid', input);
    return div(limited('hardsigmoid', add(input, 3), 0, 6), 6);
  },
);

/**
 * x hardsigmoid(x).
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.hardswish.html
 */
export const hardswish = named(
  'hardswish',
  ['input', 'inplace'],
  (input: Tensor, _inplace = false): Tensor => {
    needsFloating('hardswish', input);
    return mul(input, div(limited('hardswish', add(input, 3), 0, 6), 6));
  },
);

/**
 * 0 within [-`lambd`, `lambd`], x elsewhere.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.hardshrink.html
 */
export const hardshrink = named(
  'hardshrink',
  ['input', 'lambd'],
  (input: Tensor, lambd = 0.5): Tensor => {
    needsFloating('hardshrink', input);
    return where(ge(input, -lambd), where(le(input, lambd), 0, input), input);
  },
);

/**
 * x moved towards 0 by `lambd`, which it does not cross.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.softshrink.html
 *
 * @throws ArgumentError for a negative `lambd`.
 */
export const softshrink = named(
  'softshrink',
  ['input', 'lambd'],
  (input: Tensor, lambd = 0.5): Tensor => {
    needsFloating('softshrink', input);
    if (!(lambd >= 0)) {
      throw opError(ArgumentError, 'softshrink', `lambd must not be negative, got ${lambd}`);
    }
    const moved = where(lt(input, 0), add(input, lambd), sub(input, lambd));
    // Within, both comparisons are true; of NaN neither is.
    return where(ge(input, -lambd), where(le(input, lambd), 0, moved), moved);
  },
);

/**
 * x where it is greater than `threshold`, else `value`.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.threshold.html
 */
export const threshold = named(
  'threshold',
  ['input', 'threshold', 'value', 'inplace'],
  (input: Tensor, limit: number, value: number, _inplace = false): Tensor => {
    // Of integers both numbers become integers.
    const as = isFloating(input.dtype) ? (n: number) => n : Math.trunc;
    return cast(where(le(input, as(limit)), as(value), input), input.dtype);
  },
);

/**
 * x where it is positive, else x times `negative_slope`.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.leaky_relu.html
 */
export const leakyRelu = named(
  'leaky_relu',
  ['input', 'negative_slope', 'inplace'],
  (input: Tensor, negative_slope = 0.01, _inplace = false): Tensor => {
    needsFloating('leaky_relu', input);
    return where(gt(input, 0), input, mul(input, negative_slope));
  },
);

/**
 * x where it is positive, else x times `weight`: one number, or one a channel, dimension 1 of
 * `input`.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.prelu.html
 *
 * @throws ShapeError when `weight` does not fit, DTypeError when the dtypes differ.
 */
export const prelu = named(
  'prelu',
  ['input', 'weight'],
  (input: Tensor, weight: Tensor): Tensor => {
    needsFloating('prelu', input);
    if (weight.dtype !== input.dtype) {
      const message = `input ${input.dtype} and weight ${weight.dtype} must have one dtype`;
      throw opError(DTypeError, 'prelu', message);
    }
    const channels = input.ndim > 1 ? input.shape[1] : 1;
    const isOne = weight.numel() === 1;
    const fits = isOne || (input.ndim > 0 && weight.shape[0] === channels);
    if (weight.ndim > 1 || !fits) {
      const sizes = `${formatShape(weight.shape)} does not fit input ${formatShape(input.shape)}`;
      throw opError(ShapeError, 'prelu', `weight ${sizes}: one number, or one for each channel`);
    }
    const sizes = input.shape.map((_, i) => (i === 1 && !isOne ? -1 : 1));
    return where(gt(input, 0), input, mul(input, reshape(weight, sizes)));
  },
);

/**
 * x where it is positive, else x times a random number of [`lower`, `upper`), or their mean outside
 * training. https://pytorch.org/docs/stable/generated/torch.nn.functional.rrelu.html
 *
 * @throws ArgumentError when the bounds are exchanged.
 */
export const rrelu = named(
  'rrelu',
  ['input', 'lower', 'upper', 'training', 'inplace'],
  (input: Tensor, lower = 1 / 8, upper = 1 / 3, training = false, _inplace = false): Tensor => {
    needsFloating('rrelu', input);
    if (!(lower <= upper)) {
      const message = `lower ${lower} must not be greater than upper ${upper}`;
      throw opError(ArgumentError, 'rrelu', message);
    }
    const slope = training
      ? add(mul(rand(input.shape, { dtype: input.dtype }), upper - lower), lower)
      : (lower + upper) / 2;
    return where(gt(input, 0), input, mul(input, slope));
  },
);
