/** What is folded into the kernel in front of it, and what must not be. */

import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { compile, grad, nn, setEngine, type Tensor, zeros } from '../../src/index.ts';

setEngine(referenceEngine());
const { batchNorm, conv2d, linear } = nn.functional;

/** The kernels of a step, each with its epilogue. */
function kernels(step: (...args: Tensor[]) => unknown, args: Tensor[]): string[] {
  const text = compile(step as () => undefined).inspect(...(args as [])).program;
  return [...text.matchAll(/ = (\w+)(.*?)\(%/g)].map(([, kernel, detail]) => {
    const epilogue = /epilogue: \[(.*?)\]/.exec(detail!)?.[1]?.replaceAll('"', '') ?? '';
    return `${kernel} ${epilogue}`.trim();
  });
}

const x = zeros([4, 3]);
const w = zeros([2, 3]);
const b = zeros([2]);
const image = zeros([2, 3, 8, 8]);
const filters = zeros([5, 3, 3, 3]);
const perFilter = zeros([5]);

describe('folds', () => {
  test.each<[string, (...args: Tensor[]) => unknown, Tensor[], string[]]>([
    ['a bias', (x, w, b) => linear(x!, w!, b!), [x, w, b], ['matmul bias']],
    ['a bias and ReLU', (x, w, b) => linear(x!, w!, b!).relu(), [x, w, b], ['matmul bias,relu']],
    [
      'through a change of shape',
      (x, w, b) => linear(x!, w!, b!).relu(),
      [zeros([2, 4, 3]), w, b],
      ['alias', 'matmul bias,relu', 'alias'],
    ],
    [
      'a residual',
      (x, w, b, r) => linear(x!, w!, b!).add(r!).relu(),
      [x, w, b, zeros([4, 2])],
      ['matmul bias,add,relu'],
    ],
    [
      'the earlier of two products into the later',
      (x, w, v) => linear(x!, w!).add(linear(x!, v!)),
      [x, w, zeros([2, 3])],
      ['matmul', 'matmul add'],
    ],
    [
      'a bias for each channel of a convolution',
      (x, w, b) => conv2d(x!, w!, b!).relu(),
      [image, filters, perFilter],
      ['conv2d_fwd bias,relu'],
    ],
    [
      'the end of a residual block',
      (x, r) => batchNorm(x!, null, null, { training: true }).add(r!).relu(),
      [image, image],
      ['batch_norm_fwd add,relu'],
    ],
    [
      'a bias and GELU',
      (x, w, b) => nn.functional.gelu(linear(x!, w!, b!)),
      [x, w, b],
      ['matmul bias,gelu'],
    ],
    [
      'a residual of another shape',
      (x, w, r) => linear(x!, w!).add(r!),
      [zeros([2, 4, 3]), w, zeros([2, 4, 2])],
      ['alias', 'alias', 'matmul add', 'alias'],
    ],
    [
      'a product with a tensor',
      (x, w, r) => linear(x!, w!).mul(r!),
      [x, w, zeros([4, 2])],
      ['matmul mul'],
    ],
  ])('%s', (_, step, args, expected) => {
    expect(kernels(step, args).sort()).toEqual(expected.sort());
  });

  test.each(['none', 'tanh'] as const)('GELU (%s) and its derivative', (kind) => {
    const weight = zeros([2, 3], { requires_grad: true });
    const second = zeros([5, 2], { requires_grad: true });
    const step = (x: Tensor) => {
      const hidden = nn.functional.gelu(linear(x, weight), kind);
      return grad(linear(hidden, second).sum(), [weight, second]);
    };
    const gelu = kind === 'none' ? 'gelu' : 'gelu_tanh';
    const found = kernels(step as () => unknown, [zeros([2, 4, 3])]);
    expect(found.filter((kernel) => kernel.startsWith('matmul')).sort()).toEqual(
      [`matmul ${gelu}`, 'matmul', 'matmul', 'matmul mul'].sort(),
    );
  });
});

describe('leaves alone', () => {
  test.each<[string, (...args: Tensor[]) => unknown, Tensor[], string[]]>([
    [
      'a result that is read twice',
      (x, w) => [linear(x!, w!), linear(x!, w!).relu()],
      [x, w],
      ['matmul', 'pointwise'],
    ],
    [
      'a bias for each row',
      (x, w, b) => linear(x!, w!).add(b!.reshape([4, 1])),
      [x, w, zeros([4])],
      ['matmul', 'alias', 'pointwise'],
    ],
    [
      'an operand computed afterwards',
      (x, w) => {
        const y = linear(x!, w!);
        return y.add(x!.exp().sum(1, true).expand([4, 2]).mul(2)).relu();
      },
      [x, w],
      ['matmul', 'pointwise', 'reduce', 'alias', 'pointwise'],
    ],
    [
      'GELU of a result that is read otherwise, too',
      (x, w) => {
        const y = linear(x!, w!);
        return [nn.functional.gelu(y), y];
      },
      [x, w],
      ['matmul', 'pointwise'],
    ],
    [
      'what is added after ReLU',
      (x, w, b) => linear(x!, w!).relu().add(b!),
      [x, w, b],
      ['matmul relu', 'pointwise'],
    ],
    [
      'a result that broadcasts',
      (x, w, r) => linear(x!, w!).add(r!),
      [zeros([1, 3]), w, zeros([4, 2])],
      ['matmul', 'pointwise'],
    ],
    [
      'another dtype',
      (x, w, b) => linear(x!, w!).to('float64').add(b!),
      [x, w, zeros([2], { dtype: 'float64' })],
      ['matmul', 'pointwise'],
    ],
  ])('%s', (_, step, args, expected) => {
    expect(kernels(step, args).sort()).toEqual(expected.sort());
  });
});
