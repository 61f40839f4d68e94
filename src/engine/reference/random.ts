/**
 * Counter-based random numbers: Philox4x32-10. Salmon et al., "Parallel Random Numbers: As Easy
 * as 1, 2, 3", 2011. A number depends on its seed, stream and place alone.
 */

import { isFloating } from '../../base/dtype.ts';
import { arity, check, checkDtype, checkShape, type KernelCall, type Run } from './kernel.ts';

export type Words4 = readonly [number, number, number, number];

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** The four 32-bit words of one block. */
export function philoxBlock(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const [high0, low0] = multiply(MULTIPLIER_0, c0);
    const [high1, low1] = multiply(MULTIPLIER_1, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The 64-bit product of two 32-bit words, as its high and low halves. */
function multiply(a: number, b: number): [high: number, low: number] {
  const product = BigInt(a) * BigInt(b);
  return [Number(product >> 32n), Number(product & 0xffffffffn)];
}

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
  check(fn in DRAW, `unknown distribution "${fn}"`);
  for (const { dtype, shape } of call.inputs) {
    checkDtype('seed and counter', dtype, 'int64');
    checkShape('seed and counter', shape, []);
  }
  const { dtype } = call.outputs[0]!;
  check(fn === 'bits' ? dtype === 'int64' : isFloating(dtype), `${fn} cannot give ${dtype}`);
  return ([seed, counter], [out]) => {
    const key = halves(seed![0]!);
    const stream = halves(counter![0]! + offset);
    for (let i = 0; i < out!.length; i += 4) {
      const numbers = DRAW[fn](philoxBlock([...halves(i / 4), ...stream], key));
      for (let j = 0; j < 4 && i + j < out!.length; j++) out![i + j] = numbers[j]!;
    }
  };
}
