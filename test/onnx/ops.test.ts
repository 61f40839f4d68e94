/** Every op that can be translated, alone, run by onnxruntime beside torchts. */

import { describe, expect, it } from 'vitest';
import type { DType } from '../../src/base/dtype.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import * as torch from '../../src/index.ts';
import { nn, type Tensor, withEngine } from '../../src/index.ts';
import { fusedOps } from '../../src/internal.ts';
import type { Field } from '../../src/onnx/index.ts';
import { translatorOf, UNTRANSLATED } from '../../src/onnx/translators/table.ts';
import { allOps } from '../../src/ops/define.ts';
import { verify } from './runtime.ts';

/** A function as a module. */
class Of<Result extends Tensor | Tensor[]> extends nn.Module<Tensor[], Result> {
  constructor(readonly compute: (...inputs: Tensor[]) => Result) {
    super();
  }

  forward(...inputs: Tensor[]): Result {
    return this.compute(...inputs);
  }
}

type Compute = (...inputs: Tensor[]) => Tensor | Tensor[];

const floats = (...shape: number[]): Field => ({ dtype: 'float32', shape });
const wholes = (...shape: number[]): Field => ({ dtype: 'int64', shape });

const check = (name: string, compute: Compute, inputs: readonly Field[]) =>
  withEngine(cpuEngine(), async () => {
    await verify(name, { module: new Of(compute), inputs });
  });

const positive = (x: Tensor) => x.abs().add(0.1);
const isLarge = (x: Tensor) => torch.gt(x, 0.2);

/** Of floats in [-1, 1) (batch, 3, 4), called as methods. */
const UNARY = [
  ...['neg', 'abs', 'relu', 'sign', 'floor', 'ceil', 'round', 'trunc', 'isnan', 'isinf', 'exp'],
  ...['expm1', 'sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'asinh'],
  ...['sigmoid', 'erf', 'erfc', 'exp2', 'reciprocal'],
] as const;
const POSITIVE = ['log', 'log1p', 'sqrt', 'rsqrt', 'log2', 'log10'] as const;
const BINARY = [
  ...['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'fmod', 'atan2'],
  ...['eq', 'ne', 'lt', 'le', 'gt', 'ge'],
] as const;
const LOGICAL = ['logicalAnd', 'logicalOr', 'logicalXor'] as const;
const BITWISE = ['bitwiseAnd', 'bitwiseOr', 'bitwiseXor'] as const;

const functions = new Map(Object.entries(torch)) as unknown as ReadonlyMap<string, Compute>;
const call = (name: string, ...given: Tensor[]) => functions.get(name)!(...given);

describe('pointwise', () => {
  it.each(UNARY)('%s', (name) => check(name, (x) => call(name, x!), [floats(3, 4)]));

  it.each(POSITIVE)('%s', (name) => check(name, (x) => call(name, positive(x!)), [floats(3, 4)]));

  it('acosh and atanh', () =>
    check('acosh', (x) => [torch.acosh(positive(x!).add(1)), torch.atanh(x!.mul(0.9))], [
      floats(4),
    ]));

  it.each(BINARY)('%s', (name) =>
    check(name, (x, y) => call(name, x!, y!), [floats(3, 4), floats(3, 1)]),
  );

  it('pow', () => check('pow', (x, y) => torch.pow(positive(x!), y!), [floats(4), floats(4)]));

  it('atan2 of zeros', () =>
    check('atan2 0', (x) => torch.atan2(x!.abs().mul(0), x!.abs().mul(0)), [floats(4)]));

  it.each(LOGICAL)('%s', (name) =>
    check(name, (x, y) => call(name, isLarge(x!), isLarge(y!)), [floats(9), floats(9)]),
  );

  it.each(BITWISE)('%s', (name) =>
    check(name, (x, y) => [call(name, x!, y!), call(name, x!.gt(2), y!.gt(2))] as Tensor[], [
      wholes(9),
      wholes(9),
    ]),
  );

  it('where and not', () =>
    check(
      'where',
      (x, y) => [
        torch.where(isLarge(x!), x!, y!),
        torch.where(isLarge(x!), isLarge(y!), isLarge(x!)),
        torch.logicalNot(isLarge(x!)),
      ],
      [floats(3, 4), floats(3, 4)],
    ));

  it.each(['int64', 'int32', 'uint8', 'bool'] as DType[])('whole numbers as %s', (dtype) =>
    check(
      `whole ${dtype}`,
      (x, y) => {
        const [a, b] = [x!.to(dtype), y!.to(dtype)];
        const numbers = dtype === 'bool' ? [] : [a.add(b), a.floor(), a.trunc(), a.relu()];
        const quotient = dtype === 'bool' ? [] : [torch.div(a, b.add(1), 'trunc')];
        const common = [a.mul(b), torch.maximum(a, b), a.lt(b), a.ne(b), a.amax(1), a.argmax(1)];
        return [...numbers, ...quotient, ...common, a.to('float32')];
      },
      [wholes(9), wholes(9)],
    ),
  );
});

describe('along dimensions', () => {
  it('reductions', () =>
    check(
      'reductions',
      (x) => [
        ...[x!.sum(1), x!.prod([1, 2], true), x!.amax(-1), x!.amin(1), x!.mean()],
        ...[x!.argmax(1), x!.argmin(2), x!.gt(0).sum(1), x!.logsumexp(1), x!.var(1)],
        ...[x!.sum(), x!.mean(0)],
      ],
      [floats(3, 4)],
    ));

  it('cumsum, sort and search', () =>
    check(
      'sort',
      (x) => [
        x!.cumsum(1),
        ...torch.sort(x!, 1),
        ...torch.topk(x!, 2, -1),
        torch.searchsorted(torch.sort(x!, -1)[0]!, x!),
        torch.searchsorted(torch.sort(x!, -1)[0]!, x!, { right: true }),
      ],
      [floats(5)],
    ));
});

describe('movement', () => {
  it('slices', () =>
    check(
      'slices',
      (x) => [
        ...[x!.narrow(1, 1, 2), x!.select(2, 3), x!.flip([1, 2]), x!.flip(0), x!.slice(2, 0, 5, 2)],
        ...[x!.slice(0, 1), x!.select(0, 0), x!.diagonal(0, 1, 2), torch.tril(x!)],
        ...[x!.narrow(2, 1, 0), x!.slice(0, 0, -1)],
      ],
      [floats(3, 5)],
    ));

  it('parts replaced', () =>
    check(
      'parts',
      (x) => [
        torch.selectScatter(x!, x!.select(1, 0), 1, 2),
        torch.sliceScatter(x!, x!.narrow(2, 0, 2), 2, 0, 4, 2),
        torch.diagonalScatter(x!, x!.diagonal(0, 1, 2).mul(2), 0, 1, 2),
      ],
      [floats(3, 5)],
    ));

  it('shapes that know the batch', () =>
    check(
      'batch',
      (x) => {
        const [batch] = x!.shape as [number];
        return [
          x!.reshape([batch * 3, 5]).reshape([batch, 15]),
          x!
            .unsqueeze(1)
            .expand([batch, 2, 3, 5])
            .reshape([batch * 2, 3, 5]),
          torch.ones([batch, 2]).mul(2),
          torch
            .arange(batch, { dtype: 'float32' })
            .unsqueeze(1)
            .add(x!.sum([1, 2]).unsqueeze(0)),
          torch.arange(1, 2 * batch + 1, 2),
          torch.cat([x!, torch.zeros([batch, 1, 5])], 1),
          torch.full([3], batch),
          x!.transpose(0, 1).reshape([3, batch * 5]),
          x!.unsqueeze(0).expand([batch, batch, 3, 5]),
        ];
      },
      [floats(3, 5)],
    ));

  it('windows', () =>
    check('windows', (x) => [x!.unfold(2, 3, 2), x!.unfold(1, 2, 1)], [floats(4, 9)]));
});

describe('indices', () => {
  it('gather and scatter', () =>
    check(
      'gather',
      (x, at) => [
        x!.gather(1, at!.clamp(0, 4)),
        x!.scatter(1, at!.slice(1, 0, 1).clamp(0, 4), x!.slice(1, 0, 1)),
        torch.scatterAdd(x!, 1, at!.clamp(0, 4), x!),
        torch.scatterReduce(x!, 1, at!.clamp(0, 4), x!, 'amax'),
        torch.scatterReduce(x!, 1, at!.clamp(0, 4), x!, 'prod'),
        torch.indexSelect(x!, 1, torch.tensor([3, 0, 0], { dtype: 'int64' })),
        torch.histc(x!, 4, -1, 1),
        nn.functional.oneHot(at!, 8),
      ],
      [floats(5), wholes(5)],
    ));

  it('products of stacks', () =>
    check(
      'matmul',
      (x, y) => [
        ...[torch.matmul(x!, y!.transpose(1, 2)), torch.einsum('bij,bkj->bik', [x!, y!])],
        nn.functional.scaledDotProductAttention(x!, y!, y!),
        nn.functional.scaledDotProductAttention(x!, x!, x!, { is_causal: true }),
        nn.functional.scaledDotProductAttention(
          x!,
          y!,
          y!,
          isLarge(x!.select(0, 0).matmul(y!.select(0, 0).t())),
        ),
      ],
      [floats(3, 5), floats(4, 5)],
    ));
});

describe('the table', () => {
  const missing = Object.values(UNTRANSLATED).flat();

  it('has every row of the op table, or says why not', () => {
    const rows = [...allOps().keys()].filter((name) => name !== 'variable');
    const known = rows.filter((name) => translatorOf(name) !== undefined);
    expect([...known, ...missing].sort()).toEqual(rows.sort());
  });

  it('takes apart only what is fused', () => {
    const fused = UNTRANSLATED['taken apart before the translation']!;
    expect(fused.filter((name) => !fusedOps().includes(name))).toEqual([]);
  });
});
