/**
 * What the cases of linear algebra cannot say: errors, at the call and when a value is read; edges.
 */

import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import * as t from '../../src/index.ts';

const { linalg, tensor } = t;
const { ArgumentError, AutogradError, CompileError, DTypeError, EngineError, ShapeError } =
  t.errors;

/** Runs on the engine that is always there. */
const check = (name: string, body: () => void) =>
  test(name, () => t.withEngine(referenceEngine(), body));

/** Each made anew: a value belongs to the engine that it was read on. */
const eye = () => t.eye(2);
const flat = t.zeros([2]);
const wide = t.zeros([2, 3]);
const integers = t.zeros([2, 2], { dtype: 'int64' });
const narrow = t.zeros([2, 2], { dtype: 'bfloat16' });
const double = t.zeros([2, 2], { dtype: 'float64' });

describe('throws at the call', () => {
  const cases: [string, () => unknown, new (message: string) => Error, RegExp][] = [
    [
      'a vector',
      () => linalg.inv(flat),
      ShapeError,
      /^\[linalg\.inv\] A must have at least 2 .*\(2,\)/,
    ],
    [
      'not square',
      () => linalg.det(wide),
      ShapeError,
      /^\[linalg\.det\] A must be square.*\(2, 3\)/,
    ],
    [
      'integers',
      () => linalg.svd(integers),
      DTypeError,
      /^\[linalg\.svd\] not implemented for int64/,
    ],
    [
      'bfloat16',
      () => linalg.qr(narrow),
      DTypeError,
      /^\[linalg\.qr\] not implemented for bfloat16/,
    ],
    ['two dtypes', () => linalg.solve(eye(), double), DTypeError, /A is float32, B is float64/],
    [
      'sizes',
      () => linalg.solve(eye(), t.zeros([3, 1])),
      ShapeError,
      /\(2, 2\) and B \(3, 1\).*A X = B/,
    ],
    ['no pivots', () => linalg.lu(eye(), false), ArgumentError, /without pivoting/],
    [
      'floating pivots',
      () => linalg.luSolve(eye(), flat, eye()),
      DTypeError,
      /pivots must be int32/,
    ],
    ['mode', () => linalg.qr(eye(), 'full' as 'r'), ArgumentError, /mode must be "reduced"/],
    ['driver', () => linalg.svd(eye(), true, 'gesvd'), ArgumentError, /driver is for CUDA/],
    ['triangle', () => linalg.eigh(eye(), 'X'), ArgumentError, /UPLO must be "L" or "U", got "X"/],
    ['tau', () => linalg.householderProduct(eye(), t.zeros([3])), ShapeError, /m >= n >= k/],
    ['ord', () => linalg.matrixNorm(eye(), 3), ArgumentError, /ord must be "fro", "nuc".*got 3/],
    ['dims', () => linalg.matrixNorm(eye(), 'nuc', [1]), ShapeError, /two dimensions/],
    ['ord of three', () => linalg.norm(t.zeros([1, 1, 1]), 2), ShapeError, /without dim/],
    ['exponent', () => linalg.matrixPower(eye(), 0.5), ArgumentError, /n must be an integer/],
    ['halves', () => linalg.tensorinv(wide, 1), ShapeError, /\(2,\) and \(3,\)/],
    ['rank', () => t.pcaLowrank(wide, 3), ArgumentError, /q must be an integer from 0 to 2/],
  ];
  test.each(cases)('%s', (_, call, type, message) => {
    expect(call).toThrow(type);
    expect(call).toThrow(message);
  });
});

describe('throws when the value is read', () => {
  const singular = () =>
    tensor([
      [1, 2],
      [2, 4],
    ]);
  const cases: [string, () => t.Tensor, RegExp][] = [
    [
      'inv',
      () => linalg.inv(singular()),
      /linalg\.inv: the matrix is singular: diagonal element 2/,
    ],
    [
      'solve',
      () => linalg.solve(t.stack([eye(), singular()]), eye()),
      /linalg\.solve: matrix 1 is singular/,
    ],
    [
      'lu_factor',
      () => linalg.luFactor(singular())[0],
      /linalg\.lu_factor: the matrix is singular/,
    ],
    [
      'power',
      () => linalg.matrixPower(singular(), -1),
      /linalg\.matrix_power: the matrix is singular/,
    ],
    [
      'cholesky',
      () => linalg.cholesky(singular().neg()),
      /linalg\.cholesky: .*not positive definite.*order 1/,
    ],
    ['svd', () => linalg.svdvals(singular().div(0)), /no spectrum.*NaN or infinity/],
  ];
  test.each(cases)('%s', (_, call, message) => {
    t.withEngine(referenceEngine(), () => {
      const result = call();
      expect(() => result.realize()).toThrow(EngineError);
      expect(() => call().realize()).toThrow(message);
    });
  });

  check('but not with info', () => {
    expect(linalg.invEx(singular())[1].item()).toBe(2);
    expect(linalg.solveEx(t.stack([eye(), singular()]), eye())[1].tolist()).toEqual([0, 2]);
    expect(linalg.choleskyEx(singular().neg())[1].item()).toBe(1);
    const checked = linalg.invEx(singular(), true)[0];
    expect(() => checked.realize()).toThrow(/linalg\.inv_ex: the matrix is singular/);
  });
});

describe('edges', () => {
  check('a singular determinant has cofactors for its gradient', () => {
    const x = tensor(
      [
        [1, 2],
        [2, 4],
      ],
      { dtype: 'float64' },
    ).requires_grad_();
    const [g] = t.grad([linalg.det(x)], [x]);
    const expected = [4, -2, -2, 1];
    g!.dataSync().forEach((value, i) => {
      expect(Number(value)).toBeCloseTo(expected[i]!, 12);
    });
  });

  check('logdet is NaN below zero and -Infinity at it', () => {
    expect(
      t
        .logdet(
          tensor([
            [0, 1],
            [1, 0],
          ]),
        )
        .item(),
    ).toBeNaN();
    expect(t.logdet(t.zeros([2, 2])).item()).toBe(-Infinity);
  });

  check('eigh and matrix_exp of NaN are NaN', () => {
    const bad = tensor([[Number.NaN]]);
    expect(linalg.eigh(bad).map((x) => x.item())).toEqual([Number.NaN, Number.NaN]);
    expect(linalg.matrixExp(bad).item()).toBeNaN();
  });

  check('Q of mode "complete" has no gradient where it is not unique', () => {
    const x = t.ones([3, 2]).requires_grad_();
    const [q] = linalg.qr(x, 'complete');
    expect(() => t.grad([q.sum()], [x])).toThrow(AutogradError);
  });

  check('autocast leaves the digits alone', () => {
    const A = tensor([
      [3, 1],
      [1, 2.001],
    ]);
    const plain = linalg.pinv(A).tolist();
    const mixed = t.autocast(() => linalg.pinv(A));
    expect(mixed.dtype).toBe('float32');
    expect(mixed.tolist()).toEqual(plain);
  });

  test('lstsq reads ranks only where residuals depend on them', async () => {
    const step = (driver: 'gels' | 'gelsd') =>
      t.compile((A: t.Tensor, B: t.Tensor) => linalg.lstsq(A, B, { driver })[1]!);
    const A = [
      [1, 0],
      [0, 1],
      [0, 0],
    ];
    const on = <T>(body: () => T) => t.withEngine(referenceEngine(), body);
    const run = async (driver: 'gels' | 'gelsd') => {
      const result = await on(() => step(driver)(tensor(A), tensor([[1], [2], [3]])));
      return on(() => result.tolist());
    };
    expect(await run('gels')).toEqual([9]);
    await expect(run('gelsd')).rejects.toThrow(CompileError);
  });
});

describe('random projections', () => {
  check('find a matrix of low rank again', () => {
    t.manualSeed(0);
    const A = t
      .randn([2, 6, 2], { dtype: 'float64' })
      .matmul(t.randn([2, 5], { dtype: 'float64' }));
    const [U, S, V] = t.svdLowrank(A, 2) as [t.Tensor, t.Tensor, t.Tensor];
    expect([U.shape, S.shape, V.shape]).toEqual([
      [2, 6, 2],
      [2, 2],
      [2, 5, 2],
    ]);
    expect(t.allclose(U.mul(S.unsqueeze(-2)).matmul(V.mT), A)).toBe(true);
    const wide = t.svdLowrank(A.mT, 2);
    expect(t.allclose(wide[1]!, S)).toBe(true);
  });

  check('pca takes the mean of the rows away', () => {
    t.manualSeed(0);
    const A = t.randn([7, 3], { dtype: 'float64' }).add(10);
    const [, S] = t.pcaLowrank(A) as [t.Tensor, t.Tensor];
    const exact = linalg.svdvals(A.sub(A.mean(0, true)));
    expect(t.allclose(S, exact)).toBe(true);
  });
});
