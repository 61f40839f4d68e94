/** Integers bit by bit, shifted, and their common divisors; bools are single bits. */

import type { Tensor } from '../core/tensor.ts';
import { named, requireTensors } from './named.ts';
import { abs, div, logicalNot, mul, sub } from './pointwise.ts';
import { binary, binaryOfTensors, needsWhole } from './pointwise-rows.ts';

/** The bits that both have. https://pytorch.org/docs/stable/generated/torch.bitwise_and.html */
export const bitwiseAnd = binary('bitwise_and', 'nondiff', { operands: 'whole' });
/** The bits that one has at least. */
export const bitwiseOr = binary('bitwise_or', 'nondiff', { operands: 'whole' });
/** The bits that just one has. */
export const bitwiseXor = binary('bitwise_xor', 'nondiff', { operands: 'whole' });

/**
 * Every bit turned over; of bools, the opposite.
 * https://pytorch.org/docs/stable/generated/torch.bitwise_not.html
 *
 * @throws DTypeError for floating tensors.
 */
export const bitwiseNot = named('bitwise_not', ['input'], (input: Tensor): Tensor => {
  requireTensors('bitwise_not', { input });
  needsWhole('bitwise_not', input);
  return input.dtype === 'bool' ? logicalNot(input) : sub(-1, input);
});

/**
 * input * 2^other, without what leaves the dtype; 0 where `other` is negative or not below the
 * number of bits.
 * https://pytorch.org/docs/stable/generated/torch.bitwise_left_shift.html
 */
export const bitwiseLeftShift = binary('bitwise_left_shift', 'nondiff', { operands: 'integer' });

/**
 * input / 2^other, rounded downwards; where `other` is negative or not below the number of bits,
 * -1 for negative numbers and 0 for others.
 * https://pytorch.org/docs/stable/generated/torch.bitwise_right_shift.html
 */
export const bitwiseRightShift = binary('bitwise_right_shift', 'nondiff', { operands: 'integer' });

/** The greatest common divisor, not negative; that of 0 and 0 is 0. */
export const gcd = binaryOfTensors('gcd', 'nondiff', { operands: 'integer' });

/** The least common multiple, not negative; 0 where one of both is. */
export const lcm = named('lcm', ['input', 'other'], (input: Tensor, other: Tensor): Tensor => {
  requireTensors('lcm', { input, other });
  const divisor = gcd(input, other);
  // A whole quotient by zero is 0.
  return abs(mul(div(input, divisor, 'trunc'), other));
});
