/**
 * Linear algebra. The matrices are made regular, symmetric or definite inside the case, so that
 * they stay it when one element is varied; what depends on signs of vectors is given without them.
 */

import * as t from '../../../src/index.ts';
import { f32, f64, type OpCase, opCase, type Slot, values } from '../case.ts';

type Tensor = t.Tensor;
const { linalg } = t;

const one = (x: Tensor) => t.eye(x.shape.at(-1)!, { dtype: x.dtype });
/** Without small pivots. */
const regular = (x: Tensor) => x.add(one(x).mul(4));
const REGULAR = '(a + 4 * torch.eye(a.shape[-1], dtype=a.dtype))';
const triangle = (x: Tensor, upper: boolean) => (upper ? regular(x).triu() : regular(x).tril());
const triangleOf = (upper: boolean) => `${REGULAR}.${upper ? 'triu' : 'tril'}()`;
/** Positive definite. */
const definite = (x: Tensor) => x.matmul(x.mT).add(one(x.mT));
const definiteOf = (a: string) => `(${a} @ ${a}.mT + torch.eye(${a}.shape[-2], dtype=a.dtype))`;
const DEFINITE = definiteOf('a');
const symmetric = (x: Tensor) => x.add(x.mT);
const SYMMETRIC = '(a + a.mT)';

const SINGULAR = values('float32', [3, 3], [1, 2, 3, 2, 4, 6, 1, 0, 1]);
const rough = { grad: false };

const CHOLESKY: OpCase[] = [
  ...[f32(3, 3), f64(2, 3, 3), f32(1, 1), f32(0, 2, 2), f32(0, 0)].map((slot, i) =>
    opCase('cholesky', `definite ${i}`, [slot], (x) => linalg.cholesky(definite(x)), {
      torch: `torch.linalg.cholesky(${DEFINITE})`,
    }),
  ),
  opCase('cholesky', 'method, upper', [f64(3, 3)], (x) => definite(x).cholesky(true), {
    torch: `${DEFINITE}.cholesky(True)`,
  }),
  opCase('cholesky', 'transposed', [f64(3, 2)], (x) => linalg.choleskyEx(definite(x.mT)), {
    torch: `torch.linalg.cholesky_ex(${definiteOf('a.mT')})`,
  }),
  opCase('cholesky', 'indefinite', [SINGULAR], (x) => linalg.choleskyEx(symmetric(x))[1], {
    torch: `torch.linalg.cholesky_ex(${SYMMETRIC}).info`,
    ...rough,
  }),
  ...[true, false].flatMap((upper) => [
    opCase(
      'cholesky_inverse',
      upper ? 'upper' : 'lower',
      [f64(3, 3)],
      (x) => triangle(x, upper).choleskyInverse(upper),
      {
        torch: `${triangleOf(upper)}.cholesky_inverse(${upper ? 'True' : 'False'})`,
      },
    ),
    opCase(
      'cholesky_solve',
      upper ? 'upper' : 'lower',
      [f64(3, 3), f64(2, 3, 2)],
      (x, b) => b.choleskySolve(triangle(x, upper), upper),
      {
        torch: `b.cholesky_solve(${triangleOf(upper)}.expand(2, 3, 3), ${upper ? 'True' : 'False'})`,
      },
    ),
  ]),
];

const TRIANGULAR: OpCase[] = [true, false].flatMap((flag) => {
  const python = flag ? 'True' : 'False';
  return [
    opCase(
      'triangular_solve',
      `transpose ${flag}`,
      [f64(3, 3), f64(3, 2)],
      (x, b) => b.triangularSolve(regular(x), false, flag)[0]!,
      { torch: `b.triangular_solve(${REGULAR}, False, ${python}).solution` },
    ),
    opCase(
      'triangular_solve',
      `ones ${flag}, from the right`,
      [f32(3, 3), f32(2, 4, 3)],
      (x, b) =>
        linalg.solveTriangular(regular(x), b, { upper: flag, left: false, unitriangular: true }),
      {
        torch: `torch.linalg.solve_triangular(${REGULAR}, b, upper=${python}, left=False, unitriangular=True)`,
      },
    ),
  ];
});

const rectangles: readonly Slot[] = [f32(2, 4), f32(4, 2), f64(2, 3, 3), f32(0, 3), f32(1, 1)];

const LU: OpCase[] = [
  ...rectangles.map((slot, i) =>
    opCase('lu_factor', `rectangle ${i}`, [slot], (x) => linalg.luFactor(x), {
      torch: 'torch.linalg.lu_factor(a)',
    }),
  ),
  ...rectangles.map((slot, i) =>
    opCase('permutation', `rectangle ${i}`, [slot], (x) => linalg.lu(x), {
      torch: 'torch.linalg.lu(a)',
    }),
  ),
  opCase('lu', 'singular, with info', [SINGULAR], (x) => x.lu(true, true), {
    torch: 'torch.lu(a, get_infos=True)',
    ...rough,
  }),
  opCase(
    'lu_solve',
    'from the right, adjoint',
    [f64(3, 3), f64(2, 3)],
    (x, b) => {
      const [lu, pivots] = linalg.luFactor(regular(x));
      return linalg.luSolve(lu, pivots, b, { left: false, adjoint: true });
    },
    {
      torch: `torch.linalg.lu_solve(*torch.linalg.lu_factor(${REGULAR}), b, left=False, adjoint=True)`,
    },
  ),
];

const SOLVE: OpCase[] = [
  opCase('linalg.solve', 'a vector', [f64(3, 3), f64(3)], (x, b) => linalg.solve(regular(x), b), {
    torch: `torch.linalg.solve(${REGULAR}, b)`,
  }),
  opCase(
    'linalg.solve',
    'from the right, broadcast',
    [f32(2, 1, 3, 3), f32(2, 2, 3)],
    (x, b) => linalg.solve(regular(x), b, false),
    { torch: `torch.linalg.solve(${REGULAR}, b, left=False)` },
  ),
  opCase(
    'linalg.solve',
    'transposed',
    [f64(3, 3), f64(2, 3)],
    (x, b) => linalg.solve(regular(x).mT, b.mT),
    {
      torch: `torch.linalg.solve(${REGULAR}.mT, b.mT)`,
    },
  ),
  opCase('inverse', 'batch', [f64(2, 3, 3)], (x) => regular(x).inverse(), {
    torch: `${REGULAR}.inverse()`,
  }),
  opCase('inverse', 'nothing', [f32(0, 0)], (x) => linalg.inv(x), { torch: 'torch.linalg.inv(a)' }),
  opCase('det', 'regular', [f64(2, 3, 3)], (x) => x.det(), { torch: 'a.det()' }),
  opCase('det', 'nothing', [f32(2, 0, 0)], (x) => x.det(), { torch: 'a.det()' }),
  opCase('slogdet', 'regular', [f64(2, 3, 3)], (x) => x.slogdet(), { torch: 'a.slogdet()' }),
  opCase('slogdet', 'singular', [SINGULAR], (x) => x.slogdet(), { torch: 'a.slogdet()', ...rough }),
  opCase('logdet', 'definite', [f64(3, 3)], (x) => definite(x).logdet(), {
    torch: `${DEFINITE}.logdet()`,
  }),
  opCase('linalg.tensorinv', 'of two', [f64(2, 3, 6)], (x) => linalg.tensorinv(x), {
    torch: 'torch.linalg.tensorinv(a)',
  }),
  opCase(
    'linalg.tensorsolve',
    'dims',
    [f64(2, 3, 6), f64(2, 3)],
    (x, b) => linalg.tensorsolve(x, b),
    { torch: 'torch.linalg.tensorsolve(a, b)' },
  ),
  opCase('linalg.lstsq', 'tall', [f64(4, 2), f64(4, 2)], (x, b) => linalg.lstsq(x, b).slice(0, 1), {
    torch: '[torch.linalg.lstsq(a, b).solution]',
  }),
  opCase(
    'linalg.lstsq',
    'residuals',
    [f64(4, 2), f64(4)],
    (x, b) => linalg.lstsq(x, b, { driver: 'gelsd' }),
    { torch: "torch.linalg.lstsq(a, b, driver='gelsd')", ...rough },
  ),
  opCase('linalg.pinv', 'wide', [f64(2, 4)], (x) => x.pinverse(), { torch: 'a.pinverse()' }),
  opCase(
    'linalg.pinv',
    'of lower rank',
    [f64(3, 2), f64(2, 4)],
    (a, b) => linalg.pinv(a.matmul(b), { rtol: 1e-6 }),
    { torch: 'torch.linalg.pinv(a @ b, rtol=1e-6)' },
  ),
];

const QR: OpCase[] = [
  ...rectangles.map((slot, i) =>
    opCase('qr', `rectangle ${i}`, [slot], (x) => x.qr(), { torch: 'torch.linalg.qr(a)' }),
  ),
  opCase('qr', 'complete', [f32(4, 2)], (x) => linalg.qr(x, 'complete'), {
    torch: "torch.linalg.qr(a, 'complete')",
    ...rough,
  }),
  opCase('qr', 'nothing', [f32(3, 0)], (x) => linalg.qr(x, 'complete'), {
    torch: "torch.linalg.qr(a, 'complete')",
    ...rough,
  }),
  opCase(
    'householder_product',
    'tall',
    [f64(2, 4, 3), f64(2, 2)],
    (x, tau) => linalg.householderProduct(x, tau),
    {
      torch: 'torch.linalg.householder_product(a, b)',
    },
  ),
  opCase('orgqr', 'no reflections', [f32(3, 2), f32(0)], (x, tau) => x.orgqr(tau), {
    torch: 'torch.orgqr(a, b)',
    ...rough,
  }),
];

const SPECTRA: OpCase[] = [
  ...[f64(3, 3), f64(4, 2), f64(2, 2, 3), f64(1, 1)].map((slot, i) =>
    opCase('svd', `reduced ${i}`, [slot], (x) => linalg.svd(x, false).map((y) => y.abs()), {
      torch: '[x.abs() for x in torch.linalg.svd(a, full_matrices=False)]',
    }),
  ),
  opCase(
    'svd',
    'full',
    [f64(4, 2)],
    (x) => [x.svd(false)[0].narrow(1, 0, 2).abs(), x.svd(false)[1]],
    {
      torch: '[a.svd(False).U[:, :2].abs(), a.svd(False).S]',
    },
  ),
  opCase('svd', 'nothing', [f32(0, 2)], (x) => linalg.svd(x), { torch: 'torch.linalg.svd(a)' }),
  opCase('svdvals', 'batch', [f64(2, 3, 2)], (x) => linalg.svdvals(x), {
    torch: 'torch.linalg.svdvals(a)',
  }),
  ...(['L', 'U'] as const).flatMap((UPLO) => [
    opCase(
      'eigh',
      UPLO,
      [f64(2, 3, 3)],
      (x) => linalg.eigh(symmetric(x), UPLO).map((y) => y.abs()),
      {
        torch: `[x.abs() for x in torch.linalg.eigh(${SYMMETRIC}, '${UPLO}')]`,
      },
    ),
    opCase('eigvalsh', UPLO, [f64(3, 3)], (x) => linalg.eigvalsh(symmetric(x), UPLO), {
      torch: `torch.linalg.eigvalsh(${SYMMETRIC}, '${UPLO}')`,
    }),
  ]),
  opCase('eigh', 'nothing', [f32(0, 0)], (x) => linalg.eigh(x), { torch: 'torch.linalg.eigh(a)' }),
  opCase('linalg.matrix_rank', 'singular', [SINGULAR], (x) => linalg.matrixRank(x), {
    torch: 'torch.linalg.matrix_rank(a)',
  }),
  ...([null, 'fro', 'nuc', 1, -2, Infinity] as const).map((p) =>
    opCase('linalg.cond', String(p), [f64(2, 3, 3)], (x) => linalg.cond(regular(x), p), {
      torch: conditionOf(p),
    }),
  ),
  ...(['fro', 'nuc', 1, -1, 2, -2, Infinity, -Infinity] as const).map((ord) =>
    opCase(
      'linalg.matrix_norm',
      `order ${ord}`,
      [f64(2, 3, 2)],
      (x) => linalg.matrixNorm(x, ord, [2, 0], true),
      { torch: `torch.linalg.matrix_norm(a, ${pythonOf(ord)}, (2, 0), True)` },
    ),
  ),
  opCase('norm', 'nuclear', [f64(2, 3)], (x) => x.norm('nuc'), { torch: "a.norm('nuc')" }),
];

/** PyTorch has no gradient of its own for the orders that need an inverse. */
function conditionOf(p: string | number | null): string {
  const order = pythonOf(p);
  if (p === null || p === -2) return `torch.linalg.cond(${REGULAR}, ${order})`;
  const normOf = (x: string) => `torch.linalg.matrix_norm(${x}, ${order})`;
  return `${normOf(REGULAR)} * ${normOf(`torch.linalg.inv(${REGULAR})`)}`;
}

function pythonOf(ord: string | number | null): string {
  if (ord === null) return 'None';
  return typeof ord === 'string' ? `'${ord}'` : String(ord).replace('Infinity', 'torch.inf');
}

const FUNCTIONS: OpCase[] = [
  ...[f64(3, 3), f32(2, 2, 2), f32(1, 1), f32(0, 0)].map((slot, i) =>
    opCase('matrix_exp', `size ${i}`, [slot], (x) => x.matrixExp(), { torch: 'a.matrix_exp()' }),
  ),
  opCase('matrix_exp', 'large', [f64(2, 2)], (x) => linalg.matrixExp(x.mul(5)), {
    torch: 'torch.linalg.matrix_exp(a * 5)',
  }),
  ...[0, 1, 5, -2].map((n) =>
    opCase('matrix_power', String(n), [f64(2, 2, 2)], (x) => regular(x).matrixPower(n), {
      torch: `${REGULAR}.matrix_power(${n})`,
      grad: n !== 0,
    }),
  ),
  opCase('vander', 'falling', [f64(3)], (x) => t.vander(x, 4), {
    torch: 'torch.linalg.vander(a, N=4).flip(-1)',
  }),
  opCase('vander', 'rising', [f64(2, 3)], (x) => linalg.vander(x), {
    torch: 'torch.linalg.vander(a)',
  }),
  opCase(
    'chain_matmul',
    'three',
    [f64(2, 3), f64(3, 4), f64(4, 1)],
    (a, b, c) => t.chainMatmul(a, b, c),
    {
      torch: 'torch.chain_matmul(a, b, c)',
    },
  ),
  opCase('linalg.diagonal', 'last two', [f64(2, 3, 4)], (x) => linalg.diagonal(x, 1), {
    torch: 'torch.linalg.diagonal(a, offset=1)',
  }),
];

export const LINALG: readonly OpCase[] = [
  ...CHOLESKY,
  ...TRIANGULAR,
  ...LU,
  ...SOLVE,
  ...QR,
  ...SPECTRA,
  ...FUNCTIONS,
];
