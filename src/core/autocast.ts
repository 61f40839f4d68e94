/**
 * Mixed precision: inside `autocast`, matrix products, convolutions and attention take their
 * float32 operands in bfloat16 (their sums stay float32), and losses take theirs in float32. All
 * other ops compute in the dtype they are given. https://pytorch.org/docs/stable/amp.html
 */

import type { DType } from '../base/dtype.ts';

export interface AutocastOptions {
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

const MIXED: Autocast = { matrix: 'bfloat16', loss: 'float32' };

let current: Autocast | undefined;

export function currentAutocast(): Autocast | undefined {
  return current;
}

export function isAutocastEnabled(): boolean {
  return current !== undefined;
}

/**
 * Runs `body`, a forward pass and its loss, in mixed precision. Parameters stay float32 and get
 * float32 gradients; call `backward()` outside. `body` must be synchronous.
 * https://pytorch.org/docs/stable/amp.html#torch.autocast
 */
export function autocast<T>(body: () => T, { enabled = true }: AutocastOptions = {}): T {
  const before = current;
  current = enabled ? MIXED : undefined;
  try {
    return body();
  } finally {
    current = before;
  }
}
