/**
 * Mixed precision: inside `autocast`, matrix products, convolutions and attention take their
 * operands in a dtype of 16 bits (their sums stay float32), and losses take theirs in float32. All
 * other ops compute in the dtype they are given. https://pytorch.org/docs/stable/amp.html
 */

import type { DType } from '../base/dtype.ts';
import { DTypeError, opError } from '../base/errors.ts';
import { type HalfWidth, isHalfWidth } from '../base/half-width.ts';

export interface AutocastOptions {
  /** What the operands of matrix ops become: `bfloat16` (the default) or `float16`. */
  readonly dtype?: HalfWidth;
  /** `false` switches an outer `autocast` off. */
  readonly enabled?: boolean;
}

/** What the ops' operands become; `undefined` outside of `autocast`. */
export interface Autocast {
  /** Of the ops that profit from few bits. */
  readonly matrix: DType;
  /** Of the ops that need many. */
  readonly loss: DType;
}

let current: Autocast | undefined;

export function currentAutocast(): Autocast | undefined {
  return current;
}

export function isAutocastEnabled(): boolean {
  return current !== undefined;
}

/**
 * Runs `body`, a forward pass and its loss, in mixed precision. Parameters stay float32 and get
 * float32 gradients; call `backward()` outside. `body` must be synchronous. Small gradients become
 * zero in float16: scale the loss with a `GradScaler` there.
 * https://pytorch.org/docs/stable/amp.html#torch.autocast
 *
 * @throws DTypeError for another `dtype`.
 */
export function autocast<T>(
  body: () => T,
  { dtype = 'bfloat16', enabled = true }: AutocastOptions = {},
): T {
  if (!isHalfWidth(dtype)) {
    throw opError(DTypeError, 'autocast', `dtype must be bfloat16 or float16, got ${dtype}`);
  }
  const before = current;
  current = enabled ? { matrix: dtype, loss: 'float32' } : undefined;
  try {
    return body();
  } finally {
    current = before;
  }
}
