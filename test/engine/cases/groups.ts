/** Fused pointwise groups, and the readable form they are written in. */

import type { ComputeType, DType } from '../../../src/base/dtype.ts';
import type { Shape } from '../../../src/base/shape.ts';
import type { KernelAttrs, PointwiseFn } from '../../../src/engine/kernels.ts';
import { input, integers, type KernelCase, kernelCase, type } from './case.ts';

export type Step = [
  fn: PointwiseFn,
  type: ComputeType,
  args?: readonly number[],
  immediate?: number,
];

/** Attributes from readable steps. By default the last register is the only result. */
export function group(inputs: number, steps: Step[], results?: number[]): KernelAttrs['pointwise'] {
  return {
    fns: steps.map(([fn]) => fn),
    types: steps.map(([, computed]) => computed),
    args: steps.flatMap(([, , args = []]) => [0, 1, 2].map((i) => args[i] ?? -1)),
    imms: steps.map(([, , , immediate = 0]) => immediate),
    results: results ?? [inputs + steps.length - 1],
  };
}

/** Groups as the planner makes them: several results, constants, mixed types, many registers. */
function groupCases(): KernelCase[] {
  const shape: Shape = [37, 53];
  const same = (...dtypes: DType[]) => dtypes.map((dtype) => input(dtype, shape));
  const chain: Step[] = Array.from({ length: 60 }, (_, k) => {
    const last = 8 + k - 1;
    if (k % 3 === 2) return ['sin', 'float32', [last]];
    return [k % 3 === 0 ? 'mul' : 'add', 'float32', [last, k % 8]];
  });
  return [
    kernelCase(
      'pointwise',
      'momentum step with two results',
      group(
        4,
        [
          ['const', 'float32', [], 0.9],
          ['mul', 'float32', [2, 4]],
          ['add', 'float32', [5, 1]],
          ['mul', 'float32', [6, 3]],
          ['sub', 'float32', [0, 7]],
        ],
        [8, 6],
      ),
      [...same('float32', 'float32', 'float32'), input('float32', [])],
      [type('float32', ...shape), type('float32', ...shape)],
    ),
    kernelCase(
      'pointwise',
      'ReLU gradient by a mask',
      group(2, [
        ['const', 'float32', [], 0],
        ['gt', 'float32', [0, 2]],
        ['where', 'float32', [3, 1, 2]],
      ]),
      same('float32', 'float32'),
      [type('float32', ...shape)],
    ),
    kernelCase(
      'pointwise',
      'results of different dtypes',
      group(
        2,
        [
          ['lt', 'float32', [0, 1]],
          ['cast', 'int64', [2]],
          ['cast', 'float64', [0]],
        ],
        [2, 3, 4, 0],
      ),
      same('float32', 'bfloat16'),
      ['bool', 'int64', 'float64', 'float32'].map((dtype) => type(dtype as DType, ...shape)),
    ),
    kernelCase(
      'pointwise',
      'one register stored twice',
      group(1, [['exp', 'float32', [0]]], [1, 1]),
      same('float32'),
      [type('float32', ...shape), type('bfloat16', ...shape)],
    ),
    kernelCase(
      'pointwise',
      'a boolean condition from memory',
      group(3, [
        ['cast', 'float32', [0]],
        ['where', 'float32', [3, 1, 2]],
      ]),
      same('bool', 'float32', 'float32'),
      [type('float32', ...shape)],
    ),
    kernelCase(
      'pointwise',
      '60 steps over 8 inputs',
      group(8, chain),
      same(...new Array<DType>(8).fill('float32')),
      [type('float32', ...shape)],
      { tolerance: 1e-4 },
    ),
    kernelCase(
      'pointwise',
      'a constant alone',
      group(0, [['const', 'float32', [], 2.5]]),
      [],
      [type('float32', 7)],
    ),
    kernelCase(
      'pointwise',
      'int32 wraps inside a group',
      group(1, [
        ['const', 'int64', [], 2_000_000_000],
        ['add', 'int64', [0, 1]],
        ['to_int32', 'int64', [2]],
        ['abs', 'int64', [3]],
      ]),
      [input('int32', [101], integers(-(2 ** 30), 2 ** 30))],
      [type('int64', 101)],
    ),
    kernelCase(
      'pointwise',
      'an input repeated as argument, large',
      group(1, [
        ['mul', 'float32', [0, 0]],
        ['tanh', 'float32', [1]],
      ]),
      [input('float32', [70_003])],
      [type('float32', 70_003)],
    ),
  ];
}

export const GROUP_CASES: readonly KernelCase[] = groupCases();
