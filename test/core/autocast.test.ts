/** Mixed precision against PyTorch's CPU autocast: dtypes, gradients and training. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../src/base/dtype.ts';
import type { HalfWidth } from '../../src/base/half-width.ts';
import {
  autocast,
  compile,
  grad,
  isAutocastEnabled,
  logSoftmax,
  matmul,
  nn,
  noGrad,
  ones,
  optim,
  softmax,
  type Tensor,
  tensor,
  withEngine,
} from '../../src/index.ts';
import { ENGINES } from './engines.ts';

interface Numbers {
  readonly shape: number[];
  readonly data: number[];
}

const FILE = new URL('../fixtures/torch/autocast.json', import.meta.url);
const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as {
  dtypes: Record<HalfWidth, Record<string, DType>>;
  training: Record<HalfWidth, Run> & {
    weights: Record<string, Numbers>;
    x: Numbers;
    y: number[];
  };
};

interface Run {
  readonly gradients: Record<string, Numbers>;
  readonly losses: number[];
}

const HALF_WIDTH = ['bfloat16', 'float16'] as const;

const F = nn.functional;
const classes = () => tensor([0, 1, 2, 3], { dtype: 'int64' });
const heads = (x: Tensor) => x.reshape([1, 1, 4, 8]);
const image = (x: Tensor) => x.reshape([1, 2, 4, 4]);
const EXPRESSIONS: Record<string, (x: Tensor) => Tensor> = {
  linear: (x) => F.linear(x, ones([5, 8]), ones([5])),
  matmul: (x) => matmul(x, ones([8, 3])),
  conv2d: (x) => F.conv2d(image(x), ones([3, 2, 3, 3]), ones([3])),
  softmax: (x) => softmax(x, 1),
  log_softmax: (x) => logSoftmax(x, 1),
  exp: (x) => x.exp(),
  sum: (x) => x.sum(),
  mean: (x) => x.mean(),
  relu: (x) => F.relu(x),
  max_pool2d: (x) => F.maxPool2d(image(x), { kernel_size: 2 }),
  add: (x) => x.add(ones([4, 8])),
  scaled_dot_product_attention: (x) => F.scaledDotProductAttention(heads(x), heads(x), heads(x)),
  cross_entropy: (x) => F.crossEntropy(x, classes()),
  nll_loss: (x) => F.nllLoss(x, classes()),
  mse_loss: (x) => F.mseLoss(x, ones([4, 8])),
  l1_loss: (x) => F.l1Loss(x, ones([4, 8])),
};

const { training } = recorded;
const restored = ({ data, shape }: Numbers) => tensor(data, { shape });
const target = () => tensor(training.y, { dtype: 'int64' });

function network(): nn.Module {
  const model = nn.build({
    type: 'Sequential',
    layers: [
      { type: 'Conv2d', in_channels: 2, out_channels: 4, kernel_size: 3 },
      'ReLU',
      'Flatten',
      { type: 'Linear', in_features: 64, out_features: 16 },
      'ReLU',
      { type: 'Linear', in_features: 16, out_features: 4 },
    ],
  });
  model.loadStateDict(
    new Map(Object.entries(training.weights).map(([name, value]) => [name, restored(value)])),
  );
  return model;
}

const mixedLoss = (model: nn.Module, x: Tensor, dtype: HalfWidth) =>
  autocast(() => F.crossEntropy(model.call(x), target()), { dtype });

/** The largest difference, as a fraction of the largest expected value. */
function difference(actual: Tensor, { data }: Numbers): number {
  const found = actual.reshape([-1]).tolist() as number[];
  return (
    Math.max(...data.map((value, i) => Math.abs(value - found[i]!))) /
    Math.max(...data.map(Math.abs))
  );
}

describe('autocast', () => {
  it.each(HALF_WIDTH)('gives the dtypes of PyTorch in %s', (mixed) => {
    const found = Object.entries(EXPRESSIONS).flatMap(([name, expression]) =>
      (['float32', ...HALF_WIDTH] as const).map((dtype) => {
        const x = ones([4, 8], { dtype });
        const { dtype: result } = autocast(() => expression(x), { dtype: mixed });
        return [`${name} ${dtype}`, result] as const;
      }),
    );
    expect(Object.fromEntries(found)).toEqual(recorded.dtypes[mixed]);
  });

  it('takes bfloat16 where nothing is said, and no dtype of more bits', () => {
    const x = ones([2, 2]);
    expect(autocast(() => matmul(x, x)).dtype).toBe('bfloat16');
    const wide = () => autocast(() => x, { dtype: 'float32' as HalfWidth });
    expect(wide).toThrow('[autocast] dtype must be bfloat16 or float16, got float32');
  });

  it('leaves float64 alone', () => {
    const x = ones([2, 2], { dtype: 'float64' });
    expect(autocast(() => matmul(x, x)).dtype).toBe('float64');
  });

  it('ends with its body, and can be switched off inside', () => {
    const seen = [
      isAutocastEnabled(),
      autocast(() => isAutocastEnabled()),
      autocast(() => autocast(isAutocastEnabled, { enabled: false })),
    ];
    const fail = () =>
      autocast(() => {
        throw new Error('stop');
      });
    expect(fail).toThrow('stop');
    expect([...seen, isAutocastEnabled()]).toEqual([false, true, false, false]);
  });
});

describe.each(ENGINES)('autocast on %s', (_, engine) => {
  it.each(HALF_WIDTH)('gives float32 parameters the gradients of PyTorch in %s', (dtype) =>
    withEngine(engine, () => {
      const model = network();
      mixedLoss(model, restored(training.x), dtype).backward();
      const { gradients } = training[dtype];
      for (const [name, parameter] of model.namedParameters()) {
        expect(parameter.grad!.dtype).toBe('float32');
        expect(difference(parameter.grad!, gradients[name]!), name).toBeLessThan(0.01);
      }
    }),
  );

  it.each(HALF_WIDTH)('trains a compiled step in %s as PyTorch does', (dtype) =>
    withEngine(engine, () => {
      const model = network();
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
      const step = compile(
        (x: Tensor) => {
          optimizer.zeroGrad();
          const loss = mixedLoss(model, x, dtype);
          loss.backward();
          optimizer.step();
          return loss;
        },
        { state: [model, optimizer] },
      );
      for (const loss of training[dtype].losses) {
        expect(Math.abs(step.sync(restored(training.x)).item() - loss)).toBeLessThan(0.01);
      }
    }),
  );

  it('can be differentiated twice', () =>
    withEngine(engine, () => {
      const x = tensor([[0.5, -1]], { requires_grad: true });
      const w = tensor([[2], [3]], { requires_grad: true });
      const y = autocast(() => matmul(x, w).mul(matmul(x, w)).sum());
      const [first] = grad([y], [x], { create_graph: true });
      expect([first!.dtype, first!.tolist()]).toEqual(['float32', [[-8, -12]]]);
      const [second] = grad([first!.sum()], [w]);
      expect([second!.dtype, second!.tolist()]).toEqual(['float32', [[1], [-14]]]);
    }));

  it('works without gradients', () =>
    withEngine(engine, () => {
      const loss = noGrad(() => mixedLoss(network(), restored(training.x), 'bfloat16'));
      expect(loss.requires_grad).toBe(false);
      expect(Math.abs(loss.item() - training.bfloat16.losses[0]!)).toBeLessThan(0.01);
    }));
});
