/** Dropout (Srivastava et al. 2014): its random numbers, the mask and the scaling in one pass. */

import { applyAll } from '../core/apply.ts';
import { nextStream } from '../core/random.ts';
import type { Tensor } from '../core/tensor.ts';
import type { DropoutAttrs } from '../engine/kernels.ts';
import { isOff } from '../engine/switches.ts';
import { defineOp } from './define.ts';
import { rand } from './draws.ts';
import { ge, mul, where } from './pointwise.ts';

/** x, seed (), counter () -> y of x's type, mask (bool): what was kept. */
const DROPOUT = defineOp<DropoutAttrs>({
  name: 'dropout',
  kind: 'random',
  infer: ([x]) => [x!, { dtype: 'bool', shape: x!.shape }],
  vjp({ grads: [g], outputs: [, mask], attrs: { scale } }) {
    return [g == null ? null : where(mask!, mul(g, scale), 0), null, null];
  },
  lower: ({ attrs }) => ({ kernel: 'dropout', attrs }),
});

/**
 * Zeros each element with probability `p`, in (0, 1), and scales the others by 1 / (1 - p). Draws
 * one stream; an element is dropped where `rand` would give less than p.
 */
export function dropElements(x: Tensor, p: number): Tensor {
  const scale = 1 / (1 - p);
  if (isOff('dropout')) return where(ge(rand(x.shape), p), mul(x, scale), 0);
  const { seed, counter, offset } = nextStream();
  // rand's numbers are multiples of 2^-24, compared in float32.
  const threshold = Math.ceil(Math.fround(p) * 2 ** 24);
  return applyAll(DROPOUT, [x, seed, counter], { threshold, scale, offset })[0]!;
}
