/**
 * Random numbers from Philox blocks: the numbering of counters and keys, and what becomes of a
 * block's words. A number depends on its seed, stream and place alone.
 */

import { isFloating } from '../../base/dtype.ts';
import { philox4x32, type Words4 } from '../../base/philox.ts';
import type { ValueType } from '../program.ts';
import { arity, check, checkDtype, checkShape, type KernelCall, type Run } from './kernel.ts';

/** The low and high words of an integer, negative ones in two's complement. */
function halves(value: number): [low: number, high: number] {
  return [value >>> 0, Math.floor(value / 2 ** 32) >>> 0];
}

/** What the four words of a block become: one number each. */
const DRAW = {
  bits: (words: Words4): Words4 => words,
  uniform: (words: Words4) => words.map(unit) as unknown as Words4,
  normal: ([a, b, c, d]: Words4): Words4 => [...boxMuller(a, b), ...boxMuller(c, d)],
};

/** In [0, 1), with the 24 bits that a float32 can hold. */
function unit(word: number): number {
  return (word >>> 8) * 2 ** -24;
}

/** Two independent normal numbers. Box and Muller, 1958. */
function boxMuller(a: number, b: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(unit(a) + 2 ** -24));
  const angle = 2 * Math.PI * unit(b);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

export function philox(call: KernelCall<'philox'>): Run {
  arity(call, 2);
  const { fn, offset } = call.attrs;
  check(Object.hasOwn(DRAW, fn), `unknown distribution "${fn}"`);
  checkStream(call.inputs);
  const { dtype } = call.outputs[0]!;
  check(fn === 'bits' ? dtype === 'int64' : isFloating(dtype), `${fn} cannot give ${dtype}`);
  return ([seed, counter], [out]) => draw(DRAW[fn], seed![0]!, counter![0]! + offset, out!);
}

export function dropout(call: KernelCall<'dropout'>): Run {
  arity(call, 3, 2);
  const [x, ...numbers] = call.inputs;
  const [y, mask] = call.outputs;
  const { threshold, scale, offset } = call.attrs;
  check(isFloating(x!.dtype), `needs a floating dtype, got ${x!.dtype}`);
  checkStream(numbers);
  checkDtype('the output', y!.dtype, x!.dtype);
  checkDtype('the mask', mask!.dtype, 'bool');
  for (const { shape } of call.outputs) checkShape('every output', shape, x!.shape);
  check(threshold >= 0 && threshold <= 2 ** 24, `threshold ${threshold} is no part of 2^24`);
  return ([from, seed, counter], [to, kept]) => {
    draw(DRAW.bits, seed![0]!, counter![0]! + offset, kept!);
    for (let i = 0; i < to!.length; i++) {
      kept![i] = Number(kept![i]! >>> 8 >= threshold);
      to![i] = kept![i] === 1 ? from![i]! * scale : 0;
    }
  };
}

/** Fills `out` with the numbers that `of` makes of a stream's words. */
function draw(
  of: (words: Words4) => Words4,
  seed: number,
  stream: number,
  out: Float64Array,
): void {
  const key = halves(seed);
  for (let i = 0; i < out.length; i += 4) {
    const numbers = of(philox4x32([...halves(i / 4), ...halves(stream)], key));
    for (let j = 0; j < 4 && i + j < out.length; j++) out[i + j] = numbers[j]!;
  }
}

function checkStream(inputs: readonly ValueType[]): void {
  for (const { dtype, shape } of inputs) {
    checkDtype('seed and counter', dtype, 'int64');
    checkShape('seed and counter', shape, []);
  }
}
