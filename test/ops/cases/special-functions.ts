/** torch.special: Bessel functions, polynomials, and the functions of distributions. */

import type { Tensor } from '../../../src/index.ts';
import * as t from '../../../src/index.ts';
import {
  bf16,
  f32,
  f64,
  i64,
  type OpCase,
  opCase,
  type Slot,
  u8,
  values,
  within,
} from '../case.ts';
import { TORCH_VIEWED, unary, viewed } from './pointwise.ts';

const { special } = t;
const NO_GRAD = { grad: false } as const;
const INTEGERS = [i64, u8];

/** Of one operand; `name` is PyTorch's in torch.special. */
const one = (
  name: string,
  fn: (x: Tensor) => Tensor,
  options: Parameters<typeof unary>[3] = {},
): OpCase[] => unary(name, (x) => fn(x), `torch.special.${name}(a)`, options);

/** PyTorch gives no gradients and knows no bfloat16. */
const PLAIN = { ...NO_GRAD, halves: false, also: INTEGERS } as const;
const POSITIVE = { ...PLAIN, domain: 'positive' } as const;

const ONE: OpCase[] = [
  one('i0', special.i0, { also: INTEGERS }),
  one('i0e', special.i0e, { also: INTEGERS }),
  one('i1', special.i1, { also: INTEGERS, halves: false }),
  one('i1e', special.i1e, { also: INTEGERS, halves: false }),
  one('modified_bessel_i0', special.modifiedBesselI0, PLAIN),
  one('modified_bessel_i1', special.modifiedBesselI1, PLAIN),
  one('modified_bessel_k0', special.modifiedBesselK0, POSITIVE),
  one('modified_bessel_k1', special.modifiedBesselK1, POSITIVE),
  one('scaled_modified_bessel_k0', special.scaledModifiedBesselK0, POSITIVE),
  one('scaled_modified_bessel_k1', special.scaledModifiedBesselK1, POSITIVE),
  one('bessel_j0', special.besselJ0, PLAIN),
  one('bessel_j1', special.besselJ1, PLAIN),
  one('bessel_y0', special.besselY0, POSITIVE),
  one('bessel_y1', special.besselY1, POSITIVE),
  one('airy_ai', special.airyAi, { ...PLAIN, finite: true }),
  one('spherical_bessel_j0', special.sphericalBesselJ0, PLAIN),
  one('entr', special.entr, { domain: 'positive', also: INTEGERS }),
  one('erfcx', special.erfcx, { also: INTEGERS, halves: false }),
  one('ndtr', special.ndtr, { also: INTEGERS }),
  one('log_ndtr', special.logNdtr, { also: INTEGERS, halves: false }),
  unary('ndtri', (x) => special.ndtri(x.mul(0.2)), 'torch.special.ndtri(a * 0.2)', {
    domain: 'positive',
    halves: false,
  }),
].flat();

/** What each formula of a function is for: small, middling and large numbers of both signs. */
const RANGES: readonly (readonly [string, (x: Tensor) => Tensor, readonly number[]])[] = [
  ['erfcx', special.erfcx, [-20, -3, 0.5, 11, 13, 40, 1e4]],
  ['ndtri', special.ndtri, [1e-300, 1e-12, 0.2, 0.26, 0.5, 0.74, 0.76, 0.999]],
  ['i0', special.i0, [-30, -19, 3, 21, 300]],
  ['i1e', special.i1e, [-30, -19, 3, 21, 300]],
  ['modified_bessel_k1', special.modifiedBesselK1, [1e-9, 0.5, 1.9, 2.1, 39, 41, 300]],
  ['scaled_modified_bessel_k0', special.scaledModifiedBesselK0, [1e-9, 1.9, 2.1, 39, 41, 1e4]],
];

const IN_RANGES = RANGES.map(([name, fn, numbers]) =>
  opCase(name, 'small and large', [values('float64', [numbers.length], numbers)], (x) => fn(x), {
    torch: `torch.special.${name}(a)`,
    ...NO_GRAD,
  }),
);

/** Known to 15 digits, where PyTorch's own float64 has 6 (mpmath 1.3). */
const LITERALS: readonly (readonly [
  string,
  (x: Tensor) => Tensor,
  readonly number[],
  readonly number[],
])[] = [
  [
    'bessel_j0',
    special.besselJ0,
    [1e-5, 5.15, 24.5, 25.5, -60],
    [
      0.999999999975, -0.1273891648489966, 0.0236974337340679, 0.1440621575468479,
      -0.09147180408906187,
    ],
  ],
  [
    'bessel_j1',
    special.besselJ1,
    [1e-5, 5.15, 24.5, 25.5, -60],
    [
      4.9999999999375e-6, -0.3405845727245108, -0.1589784118193281, -0.0620485364914841,
      -0.04659838375816631,
    ],
  ],
  [
    'bessel_y0',
    special.besselY0,
    [1e-5, 5.15, 24.5, 25.5, 60],
    [
      -7.40316028370197, -0.3268586023441258, -0.1594287177497504, -0.06485976549878349,
      0.0473589522094494,
    ],
  ],
  [
    'bessel_y1',
    special.besselY1,
    [1e-5, 5.15, 24.5, 25.5, 60],
    [
      -63661.97727536548, 0.09649558794093024, -0.02695465533188541, -0.1453610587230494,
      0.09186960936986689,
    ],
  ],
  [
    'airy_ai',
    special.airyAi,
    [-30, -12.25, -11.75, -2.1, 0.25, 1.25, 1.75, 9],
    [
      -0.08796818845684216, -0.2676446988271423, 0.182025201205215, 0.1634845129992927,
      0.2911639543485452, 0.09964454475691667, 0.05056988080579487, 2.47116843087249e-9,
    ],
  ],
];

const LITERAL = LITERALS.map(([name, fn, numbers, expected]) =>
  opCase(name, 'literal', [values('float64', [numbers.length], numbers)], (x) => fn(x), {
    expected: [expected],
    ...NO_GRAD,
  }),
);

type Polynomial = (x: Tensor | number, n: Tensor | number) => Tensor;
const POLYNOMIALS: readonly (readonly [string, unknown])[] = [
  ['chebyshev_polynomial_t', special.chebyshevPolynomialT],
  ['chebyshev_polynomial_u', special.chebyshevPolynomialU],
  ['chebyshev_polynomial_v', special.chebyshevPolynomialV],
  ['chebyshev_polynomial_w', special.chebyshevPolynomialW],
  ['shifted_chebyshev_polynomial_t', special.shiftedChebyshevPolynomialT],
  ['shifted_chebyshev_polynomial_u', special.shiftedChebyshevPolynomialU],
  ['shifted_chebyshev_polynomial_v', special.shiftedChebyshevPolynomialV],
  ['shifted_chebyshev_polynomial_w', special.shiftedChebyshevPolynomialW],
  ['hermite_polynomial_h', special.hermitePolynomialH],
  ['hermite_polynomial_he', special.hermitePolynomialHe],
  ['laguerre_polynomial_l', special.laguerrePolynomialL],
  ['legendre_polynomial_p', special.legendrePolynomialP],
];
const PLACES = [0, 1, -1, 0.5, -0.75, 1.25, -1.5];

function polynomialCases(name: string, fn: Polynomial): OpCase[] {
  const of = (detail: string, slots: Slot[], run: OpCase['run'], args = 'a, b') =>
    opCase(name, detail, slots, run, { torch: `torch.special.${name}(${args})`, ...NO_GRAD });
  const both: OpCase['run'] = (x, n) => fn(x!, n!);
  return [
    of('broadcast', [f32(2, 3), values('float32', [1, 3], [0, 2.75, -0.5])], both),
    of('scalars', [f32(), values('float32', [], [3])], both),
    of('empty', [f32(0, 3), f32(3)], both),
    of('integers', [i64(4), values('int64', [4], [0, 1, 2, 5])], both),
    of('a number of degrees', [f32(5)], (x) => fn(x!, 4), 'a, 4'),
    of('at a number', [values('float32', [4], [-1, 0, 3, 7])], (n) => fn(0.75, n!), '0.75, a'),
    of('viewed', [f32(3, 1, 4)], (x) => fn(viewed(x!), 3), `${TORCH_VIEWED('a')}, 3`),
    of(
      'ends and high degrees',
      [values('float64', [7, 1], PLACES), values('float64', [7], [-1, 0, 1, 6, 7, 9, 20])],
      both,
    ),
  ];
}

type Gamma = 'gammainc' | 'gammaincc';
const gamma = (name: Gamma, slots: Slot[], detail: string) =>
  opCase(name, detail, slots, (a, x) => special[name](a!, x!), {
    torch: `torch.special.${name}(a, b)`,
    ...NO_GRAD,
  });
/** Only the second argument has a gradient. */
const gammaOf = (name: Gamma, slot: Slot) =>
  opCase(
    name,
    `${slot.dtype} of ${slot.shape.length} dimensions`,
    [within('positive', slot)],
    (x) => special[name](t.full([], 1.75, { dtype: x!.dtype }), x!),
    { torch: `torch.special.${name}(torch.full((), 1.75, dtype=a.dtype), a)` },
  );
const PARAMETERS = [0, 0.1, 1, 5, 19, 21, 200, 1e4, Infinity];
const positive = (slot: Slot) => within('positive', slot);

const GAMMA: OpCase[] = (['gammainc', 'gammaincc'] as const).flatMap((name) => [
  gamma(name, [positive(f32(2, 3)), positive(f32(2, 3))], 'matrices'),
  gamma(name, [positive(f32(2, 1)), positive(f32(3))], 'broadcast'),
  gamma(name, [f32(0, 3), f32(3)], 'empty'),
  gamma(name, [f32(4), f32(4)], 'below 0 NaN'),
  gamma(
    name,
    [values('float64', [9, 1], PARAMETERS), values('float64', [9], PARAMETERS)],
    'of the smallest and the largest',
  ),
  ...[f32(2, 3), f32(), f64(5), bf16(5)].map((slot) => gammaOf(name, slot)),
]);

const XLOG1PY: OpCase[] = [
  opCase('xlog1py', 'matrices', [f32(2, 3), positive(f32(2, 3))], (x, y) => special.xlog1py(x, y), {
    torch: 'torch.special.xlog1py(a, b)',
  }),
  opCase(
    'xlog1py',
    'special values',
    [values('float32', [5], [0, 0, 1, 0, 2]), values('float32', [5], [-1, -3, -1, Number.NaN, 3])],
    (x, y) => special.xlog1py(x, y),
    { torch: 'torch.special.xlog1py(a, b)', ...NO_GRAD },
  ),
  opCase(
    'xlog1py',
    'numbers',
    [positive(f32(3))],
    (x) => [special.xlog1py(2, x), special.xlog1py(x, 2)],
    {
      torch: '(torch.special.xlog1py(2, a), torch.special.xlog1py(a, 2))',
    },
  ),
];

export const SPECIAL_FUNCTIONS: OpCase[] = [
  ...ONE,
  ...IN_RANGES,
  ...LITERAL,
  ...POLYNOMIALS.flatMap(([name, fn]) => polynomialCases(name, fn as Polynomial)),
  ...GAMMA,
  ...XLOG1PY,
];
