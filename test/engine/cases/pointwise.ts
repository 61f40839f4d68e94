/** Pointwise: every function in every compute type, their special values, types and broadcasts. */

import { type ComputeType, computeType, DTYPES, isFloating } from '../../../src/base/dtype.ts';

import { POINTWISE_FNS, type PointwiseFn } from '../../../src/engine/kernels.ts';
import { isDefined } from '../../../src/engine/reference/pointwise.ts';
import {
  between,
  cycle,
  type Fill,
  input,
  integers,
  type KernelCase,
  kernelCase,
  type,
} from './case.ts';
import { GROUP_CASES, group, type Step } from './groups.ts';

export const COMPUTE_TYPES: readonly ComputeType[] = ['float32', 'float64', 'int64'];
export const FNS = Object.keys(POINTWISE_FNS) as PointwiseFn[];

/** Where a function is defined, and where its conditioning lets two engines agree. */
const DOMAINS: Partial<Record<PointwiseFn, [Fill, Fill?]>> = {
  log: [between(0.01, 20)],
  sqrt: [between(0, 20)],
  rsqrt: [between(0.01, 20)],
  log1p: [between(-0.9, 20)],
  pow: [between(0.1, 3), between(-3, 3)],
  sin: [between(-50, 50)],
  cos: [between(-50, 50)],
  sigmoid: [between(-20, 20)],
  tanh: [between(-5, 5)],
  erf: [between(-4, 4)],
  gammainc: [between(0.1, 40), between(0.1, 40)],
  gammaincc: [between(0.1, 40), between(0.1, 40)],
  // A polynomial and the degree; where it oscillates, its digits are those of its largest terms.
  hermite_polynomial_h: [between(-3, 3), between(-2, 8)],
  hermite_polynomial_he: [between(-3, 3), between(-2, 8)],
  laguerre_polynomial_l: [between(-3, 3), between(-2, 8)],
  legendre_polynomial_p: [between(-1.5, 1.5), between(-2, 12)],
  chebyshev_polynomial_t: [between(-1.5, 1.5), between(-2, 12)],
  chebyshev_polynomial_u: [between(-1.5, 1.5), between(-2, 12)],
  chebyshev_polynomial_v: [between(-1.5, 1.5), between(-2, 12)],
  chebyshev_polynomial_w: [between(-1.5, 1.5), between(-2, 12)],
  bessel_j0: [between(-40, 40)],
  bessel_j1: [between(-40, 40)],
  bessel_y0: [between(0.01, 40)],
  bessel_y1: [between(0.01, 40)],
  airy_ai: [between(-50, 20)],
  i0e: [between(-40, 40)],
  i1e: [between(-40, 40)],
  scaled_modified_bessel_k0: [between(0.01, 40)],
  scaled_modified_bessel_k1: [between(0.01, 40)],
  modified_bessel_k0: [between(0.01, 10)],
  modified_bessel_k1: [between(0.01, 10)],
  ndtri: [between(0, 1)],
  to_int32: [between(-1e5, 1e5)],
  to_uint8: [between(0, 1000)],
};

const INTEGER_DOMAINS: Partial<Record<PointwiseFn, [Fill, Fill?]>> = {
  pow: [integers(-5, 5), integers(-3, 8)],
  to_int32: [integers(-(2 ** 40), 2 ** 40)],
  to_uint8: [integers(-1000, 1000)],
  bitwise_left_shift: [integers(-(2 ** 20), 2 ** 20), integers(-3, 70)],
  bitwise_right_shift: [integers(-(2 ** 40), 2 ** 40), integers(-3, 70)],
  gcd: [integers(-1000, 1000), integers(-1000, 1000)],
  mul: [integers(-(2 ** 25), 2 ** 25), integers(-(2 ** 25), 2 ** 25)],
};

/** Those that keep only the digits of a dtype of 16 bits, and the reference all. */
function isRounding(fn: PointwiseFn): boolean {
  return fn === 'to_bfloat16' || fn === 'to_float16';
}

function fillsOf(fn: PointwiseFn, computed: ComputeType): [Fill, Fill?] {
  if (computed === 'int64') return INTEGER_DOMAINS[fn] ?? [integers(-9, 9)];
  return DOMAINS[fn] ?? [between(-6, 6)];
}

/** Each function alone, over a size that fills no vector width. */
function functionCases(): KernelCase[] {
  return COMPUTE_TYPES.flatMap((computed) =>
    FNS.filter((fn) => fn !== 'cast' && isDefined(fn, computed)).map((fn) => {
      const arguments_ = POINTWISE_FNS[fn];
      const [first, second = first] = fillsOf(fn, computed);
      const fills = [first, second, second].slice(0, arguments_);
      return kernelCase(
        'pointwise',
        `${fn} in ${computed}`,
        group(arguments_, [[fn, computed, [0, 1, 2].slice(0, arguments_), 3]]),
        fills.map((fill) => input(computed, [1037], fill)),
        [type(computed, 1037)],
        isRounding(fn) ? { tolerance: 1e-2 } : {},
      );
    }),
  );
}

const SPECIAL = [
  ...[NaN, Infinity, -Infinity, 0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3, 100.25, -100.25],
  ...[1e-6, -1e-6, 1e-30, -1e-30, 1e30, -1e30, 87, -87, 0.9999, 1.0001, 9],
];
/** Huge angles need more bits of pi than a vectorised sine keeps. */
const ANGLES = SPECIAL.filter((value) => !(Math.abs(value) > 1e4 && Number.isFinite(value)));

/** NaN, infinities, zeros, ties and extremes; for two arguments, all their pairs. */
function specialCases(): KernelCase[] {
  const skipped: readonly PointwiseFn[] = [
    ...(['const', 'cast', 'to_int32', 'to_uint8'] as const),
    'nextafter', // the neighbour of 0 in float64 is another one than in float32
    // Infinite on the way where the reference is finite, so that differences are NaN.
    ...FNS.filter((fn) => fn.includes('_polynomial_')),
  ];
  return (['float32', 'float64'] as const).flatMap((computed) =>
    FNS.filter((fn) => !(skipped.includes(fn) || isRounding(fn)) && isDefined(fn, computed)).map(
      (fn) => {
        const values = fn === 'sin' || fn === 'cos' ? ANGLES : SPECIAL;
        const arguments_ = POINTWISE_FNS[fn];
        const count = values.length ** Math.min(arguments_, 2);
        const nth: Fill = (i) => values[Math.floor(i / values.length) % values.length]!;
        const fills = [cycle(values), nth, between(0, 1)].slice(0, arguments_);
        return kernelCase(
          'pointwise',
          `${fn} of special values in ${computed}`,
          group(arguments_, [[fn, computed, [0, 1, 2].slice(0, arguments_)]]),
          fills.map((fill) => input(computed, [count], fill)),
          [type(computed, count)],
          { relativeTo: 'element' },
        );
      },
    ),
  );
}

/** From each dtype to each other: through a cast where their compute types differ. */
function castCases(): KernelCase[] {
  return DTYPES.flatMap((from) =>
    DTYPES.map((to) => {
      const target = computeType(to);
      const steps: Step[] = computeType(from) === target ? [] : [['cast', target, [0]]];
      // Integers that bfloat16 holds exactly, wrapping in uint8; fractions where there are some.
      const fill = isFloating(from) ? between(-200, 200) : integers(-256, 256);
      return kernelCase(
        'pointwise',
        `${from} to ${to}`,
        group(1, steps),
        [input(from, [259], fill)],
        [type(to, 259)],
      );
    }),
  );
}

function broadcastCases(): KernelCase[] {
  const patterns: Record<string, [out: number[], ...inputs: number[][]]> = {
    'scalar right': [[3, 5, 7], [3, 5, 7], []],
    'scalar left': [[3, 5, 7], [], [3, 5, 7]],
    'size-1 tensor': [[3, 5, 7], [1], [3, 5, 7]],
    row: [[3, 5, 7], [3, 5, 7], [7]],
    column: [
      [3, 5, 7],
      [3, 5, 1],
      [3, 5, 7],
    ],
    inner: [
      [3, 5, 7],
      [3, 1, 7],
      [3, 5, 7],
    ],
    outer: [
      [3, 5, 7],
      [3, 5, 7],
      [3, 1, 1],
    ],
    'both sides': [
      [4, 9],
      [4, 1],
      [1, 9],
    ],
    'three ranks': [
      [2, 3, 4, 5],
      [3, 1, 5],
      [2, 1, 4, 1],
    ],
    'one element': [[1], [1], []],
    'rank 0': [[], [], []],
    'size-1 dimensions': [[1, 1, 1], [1], [1, 1, 1]],
    empty: [[0], [0], []],
    'empty inner': [[3, 0, 2], [3, 0, 2], [2]],
    'empty by broadcast': [[0, 3], [0, 1], [3]],
    'channel bias': [
      [8, 6, 24, 24],
      [8, 6, 24, 24],
      [6, 1, 1],
    ],
    'large scalar': [[70_001], [70_001], []],
    'large row and column': [[300, 257], [300, 1], [257]],
    'large equal': [[100_003], [100_003], [100_003]],
  };
  return Object.entries(patterns).flatMap(([name, [out, ...shapes]]) =>
    (['float32', 'int64'] as const).map((dtype) =>
      kernelCase(
        'pointwise',
        `broadcast ${name}, ${dtype}`,
        group(2, [['sub', dtype, [0, 1]]]),
        shapes.map((shape) => input(dtype, shape)),
        [type(dtype, ...out)],
      ),
    ),
  );
}

/** Arithmetic of each dtype with itself, converted where it is stored. */
function dtypeCases(): KernelCase[] {
  return DTYPES.map((dtype) =>
    kernelCase(
      'pointwise',
      `a * b + a, ${dtype}`,
      group(2, [
        ['mul', computeType(dtype), [0, 1]],
        ['add', computeType(dtype), [2, 0]],
      ]),
      [input(dtype, [33, 31]), input(dtype, [31])],
      [type(dtype, 33, 31)],
    ),
  );
}

export const POINTWISE_CASES: readonly KernelCase[] = [
  ...functionCases(),
  ...specialCases(),
  ...castCases(),
  ...broadcastCases(),
  ...dtypeCases(),
  ...GROUP_CASES,
];
