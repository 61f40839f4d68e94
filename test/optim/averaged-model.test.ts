/** Averages of weights, against numbers recorded by make_averages.py. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile, func, nn, optim, type Tensor, tensor, zeros } from '../../src/index.ts';

const { AveragedModel, getEmaAvgFn, getEmaMultiAvgFn, updateBn } = optim.swaUtils;

interface Listed {
  readonly shape: number[];
  readonly values: number[];
}
type State = Readonly<Record<string, Listed>>;

const FILE = new URL('../fixtures/torch/averages.json', import.meta.url);
const RECORDED = JSON.parse(readFileSync(FILE, 'utf8')) as Readonly<
  Record<string, { before: State; batches: Listed[]; after: State; output: Listed; updated: State }>
>;

const OPTIONS: Readonly<Record<string, optim.swaUtils.AveragedModelOptions>> = {
  mean: {},
  ema: { multi_avg_fn: getEmaMultiAvgFn(0.8) },
  'ema with buffers': { avg_fn: getEmaAvgFn(0.6), use_buffers: true },
};

const read = ({ shape, values }: Listed) => tensor(Float64Array.from(values), { shape });

function expectClose(found: Tensor, { shape, values }: Listed): void {
  expect(found.shape).toEqual(shape);
  for (const [i, value] of Array.from(found.dataSync(), Number).entries()) {
    expect(value).toBeCloseTo(values[i]!, 9);
  }
}

function expectState(module: nn.AnyModule, state: State): void {
  const own = module.stateDict();
  expect([...own.keys()].sort()).toEqual(Object.keys(state).sort());
  for (const [key, listed] of Object.entries(state)) expectClose(own.get(key)!, listed);
}

const layers = () =>
  new nn.Sequential([
    new nn.Linear({ in_features: 2, out_features: 3 }),
    new nn.BatchNorm1d({ num_features: 3 }),
    new nn.Linear({ in_features: 3, out_features: 1 }),
  ]);

describe.each(Object.entries(RECORDED))('%s', (name, recorded) => {
  test.each(['eager', 'compiled'])('is as in PyTorch, %s', async (way) => {
    const model = layers().double();
    model.loadStateDict(
      new Map(Object.entries(recorded.before).map(([key, listed]) => [key, read(listed)])),
    );
    const averaged = new AveragedModel(model, OPTIONS[name]);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = (x: Tensor): Tensor => {
      optimizer.zeroGrad();
      const loss = model.call(x).square().mean();
      loss.backward();
      optimizer.step();
      averaged.updateParameters();
      return loss;
    };
    const run =
      way === 'eager' ? step : compile(step, { state: [model, optimizer, averaged] }).sync;
    const batches = recorded.batches.map(read);
    for (const x of batches) run(x);
    expectState(averaged, recorded.after);
    averaged.eval();
    expectClose(averaged.call(batches[0]!), recorded.output);
    expect(model.training).toBe(true);
    await updateBn(batches, averaged);
    expectState(averaged, recorded.updated);
    expect([averaged.training, model.training]).toEqual([false, true]);
    const norm = model.at(1) as nn.BatchNorm1d;
    expect(norm.momentum).toBe(0.1);
  });
});

test('updateBn of a plain model averages over all batches', async () => {
  const model = new nn.Sequential([new nn.BatchNorm1d({ num_features: 1 })]);
  await updateBn([[tensor([[1], [3]])], [tensor([[5], [7]])]], model);
  expect(model.getBuffer('0.running_mean').tolist()).toEqual([4]);
  expect(model.getBuffer('0.num_batches_tracked').item()).toBe(2);
});

test('an averaged model keeps what is shared, and a checkpoint of it can be loaded', () => {
  const model = layers();
  const tied = model.at(0) as nn.Linear;
  const whole = new nn.Sequential([tied, new nn.Sequential([tied])]);
  expect(new AveragedModel(whole).parameters()).toHaveLength(2);
  const [a, b] = [new AveragedModel(model), new AveragedModel(layers())];
  a.updateParameters();
  b.loadStateDict(a.stateDict());
  expect(b.n_averaged.item()).toBe(1);
  expect(b.getParameter('module.0.weight').tolist()).toEqual(tied.weight.tolist());
});

test.each<[string, () => unknown, string]>([
  [
    'two functions',
    () => new AveragedModel(layers(), { avg_fn: getEmaAvgFn(), multi_avg_fn: getEmaMultiAvgFn() }),
    'not both',
  ],
  ['a decay above 1', () => getEmaAvgFn(2), '[swa_utils] decay must be from 0 to 1, got 2'],
  [
    'another model',
    () => new AveragedModel(layers()).updateParameters(new nn.ReLU()),
    'the model has 0 tensors',
  ],
])('refuses %s', (_, body, message) => {
  expect(body).toThrow(message);
});

describe('functionalCall', () => {
  const linear = () => new nn.Linear({ in_features: 1, out_features: 1, bias: false });

  test('gives gradients to what it is given, and leaves the module alone', () => {
    const layer = linear();
    const own = layer.weight.tolist();
    const weight = tensor([[3]], { requires_grad: true });
    const y = func.functionalCall(layer, { weight }, tensor([[2]]));
    y.sum().backward();
    expect([y.item(), weight.grad!.item(), layer.weight.grad]).toEqual([6, 2, null]);
    expect(layer.weight.tolist()).toEqual(own);
  });

  test('updates the buffers it is given, in a compiled step too', () => {
    const norm = new nn.BatchNorm1d({ num_features: 1, momentum: 0.5 });
    const running_mean = new nn.Buffer(zeros([1]));
    const given = () => new Map<string, Tensor>([['running_mean', running_mean]]);
    func.functionalCall(norm, given(), [tensor([[1], [3]])]);
    expect([running_mean.item(), norm.running_mean!.item()]).toEqual([1, 0]);
    const step = compile((x: Tensor) => func.functionalCall(norm, given(), [x]), {
      state: [norm, running_mean],
    });
    step.sync(tensor([[2], [4]]));
    expect([running_mean.item(), norm.running_mean!.item()]).toEqual([2, 0]);
    expect(norm.num_batches_tracked!.item()).toBe(2);
  });

  test('refuses what does not fit, and then has changed nothing', () => {
    const layer = linear();
    const x = zeros([1, 1]);
    expect(() => func.functionalCall(layer, { wait: x }, x)).toThrow(
      '[functional_call] Linear has no wait',
    );
    expect(() => func.functionalCall(layer, { weight: zeros([2]) }, x)).toThrow(
      '[functional_call] weight has shape (2,), needs (1, 1)',
    );
    expect(() => func.functionalCall(layer, { weight: x }, zeros([1, 3]))).toThrow();
    expect(layer.weight.tolist()).not.toEqual([[0]]);
  });
});
