/**
 * philox: every distribution, at seeds, counters and offsets that reach all key and counter words.
 */

import type { DType } from '../../../src/base/dtype.ts';
import { input, type KernelCase, kernelCase, type } from './case.ts';

function philox(
  fn: 'uniform' | 'normal' | 'bits',
  dtype: DType,
  shape: number[],
  [seed, counter, offset]: [seed: number, counter: number, offset: number],
): KernelCase {
  return kernelCase(
    'philox',
    `${fn} ${dtype} (${shape}) from seed ${seed}, counter ${counter} + ${offset}`,
    { fn, offset },
    [input('int64', [], () => seed), input('int64', [], () => counter)],
    [type(dtype, ...shape)],
  );
}

/** Of x with the threshold of `p`. */
function dropout(
  dtype: DType,
  shape: number[],
  p: number,
  [seed, counter, offset]: [seed: number, counter: number, offset: number],
): KernelCase {
  return kernelCase(
    'dropout',
    `p ${p} of ${dtype} (${shape}) from seed ${seed}, counter ${counter} + ${offset}`,
    { threshold: Math.ceil(p * 2 ** 24), scale: 1 / (1 - p), offset },
    [input(dtype, shape), input('int64', [], () => seed), input('int64', [], () => counter)],
    [type(dtype, ...shape), type('bool', ...shape)],
  );
}

const STREAMS: [number, number, number][] = [
  [0, 0, 0],
  [1, 2, 3],
  [2 ** 32 + 5, 2 ** 33 + 7, 0],
  [-1, -1, 0],
  [42, 2 ** 32 - 1, 1], // the offset carries into the high word
  [2 ** 53 - 1, 0, 1_000_000],
];

export const RANDOM_CASES: readonly KernelCase[] = [
  ...STREAMS.map((stream) => philox('bits', 'int64', [37], stream)),
  ...STREAMS.map((stream) => philox('uniform', 'float32', [37], stream)),
  ...STREAMS.map((stream) => philox('normal', 'float32', [37], stream)),
  ...(['uniform', 'normal'] as const).flatMap((fn) => [
    philox(fn, 'float64', [3, 11], [7, 8, 9]),
    philox(fn, 'bfloat16', [3, 11], [7, 8, 9]),
    philox(fn, 'float32', [], [7, 8, 9]),
    philox(fn, 'float32', [0], [7, 8, 9]),
    philox(fn, 'float32', [70_003], [7, 8, 9]),
  ]),
  ...STREAMS.map((stream) => dropout('float32', [150], 0.5, stream)),
  ...(['float32', 'float64', 'bfloat16'] as const).flatMap((dtype) => [
    dropout(dtype, [3, 11], 0.25, [7, 8, 9]),
    dropout(dtype, [], 0.75, [7, 8, 9]),
    dropout(dtype, [0, 4], 0.5, [7, 8, 9]),
    dropout(dtype, [70_003], 0.1, [7, 8, 9]),
  ]),
  dropout('float32', [40], 0, [7, 8, 9]),
];
