/** The native conversions from and to floats of 16 bits, bit by bit, by each way a kernel has. */

import { describe, expect, test } from 'vitest';
import type { DType } from '../../src/base/dtype.ts';
import { decodeWords, encodeWords, type HalfWidth, roundTo } from '../../src/base/half-width.ts';
import type { KernelAttrs } from '../../src/engine/kernels.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import type { Attrs } from '../../src/engine/program.ts';
import { type } from './cases/case.ts';
import { group } from './cases/groups.ts';

const engine = cpuEngine();

/** Every number of the dtype, what is between two neighbours, and too large and small ones. */
function samples(dtype: HalfWidth): Float32Array {
  const words = Uint16Array.from({ length: 65536 }, (_, i) => i);
  const numbers = decodeWords(dtype, words).filter(Number.isFinite);
  const middles = numbers.map((value, i) => value + ((numbers[i + 1] ?? value) - value) / 2);
  const near = middles.map((value, i) => value * (1 + (i % 2 === 0 ? 2 ** -20 : -(2 ** -20))));
  const extremes = [65519.99, 65520, 1e10, 3.4e38, 2 ** -25, 1e-30, 1e-44, Infinity];
  const negative = extremes.map((value) => -value);
  // NaN once: its sign is nobody's business.
  const parts = [[Number.NaN], extremes, negative, numbers, middles, near];
  return Float32Array.from(parts.flatMap((part) => Array.from<number>(part)));
}

/** `out = fn(in)`, computed by one kernel over numbers of `from`, as words of `to`. */
function run(attrs: KernelAttrs['pointwise'], from: DType, to: DType, values: Float32Array) {
  const executable = engine.load({
    values: [type(from, values.length), type(to, values.length)],
    instructions: [
      { kernel: 'pointwise', inputs: [0], outputs: [1], attrs: attrs as Attrs, label: 'convert' },
    ],
    bindings: [
      { access: 'read', value: 0 },
      { access: 'write', value: 1 },
    ],
    scalars: [],
  });
  const input = engine.allocate(from, values.length);
  const output = engine.allocate(to, values.length);
  engine.write(input, values);
  executable.runSync([input, output], []);
  const result = engine.readSync(output) as Float32Array;
  executable.dispose();
  return result;
}

const COPY = group(1, []);

describe.each(['bfloat16', 'float16'] as const)('%s', (dtype) => {
  const values = samples(dtype);
  const expected = encodeWords(dtype, roundTo(dtype, values));
  /** Where the words of `found` begin to differ; -1 where they do not. */
  const firstFault = (found: Float32Array) =>
    encodeWords(dtype, found).findIndex((word, i) => word !== expected[i]);

  test('is written by a buffer', () => {
    const storage = engine.allocate(dtype, values.length);
    engine.write(storage, values);
    expect(firstFault(engine.readSync(storage) as Float32Array)).toBe(-1);
  });

  test('is stored by a kernel', () => {
    expect(firstFault(run(COPY, 'float32', dtype, values))).toBe(-1);
  });

  test('is loaded by a kernel', () => {
    expect(firstFault(run(COPY, dtype, 'float32', values))).toBe(-1);
  });

  test('is rounded to inside a kernel', () => {
    const rounding = group(1, [[`to_${dtype}`, 'float32', [0]]]);
    expect(firstFault(run(rounding, 'float32', 'float32', values))).toBe(-1);
  });
});
