/** Parametrized and fused layers, against numbers recorded by make_parametrizations.py. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import {
  compile,
  engine,
  eye,
  nn,
  noGrad,
  optim,
  type Tensor,
  tensor,
  withEngine,
  zeros,
} from '../../src/index.ts';

const { parametrizations, parametrize } = nn.utils;

interface Listed {
  readonly shape: number[];
  readonly values: number[];
}
type State = Readonly<Record<string, Listed>>;

interface Training {
  readonly input: Listed;
  readonly before: State;
  readonly losses: number[];
  readonly after: State;
  readonly output: Listed;
  readonly text: string;
}
interface Fused {
  readonly layer: State;
  readonly norm: State;
  readonly fused: State;
  readonly input: Listed;
  readonly output: Listed;
}

const FILE = new URL('../fixtures/torch/parametrizations.json', import.meta.url);
const RECORDED = JSON.parse(readFileSync(FILE, 'utf8')) as {
  readonly training: Readonly<Record<string, Training>>;
  readonly fused: Readonly<Record<string, Fused>>;
};

const read = ({ shape, values }: Listed) => tensor(Float64Array.from(values), { shape }) as Tensor;
const mapOf = (state: State) =>
  new Map(Object.entries(state).map(([key, listed]) => [key, read(listed)]));

function expectClose(found: Tensor, { shape, values }: Listed): void {
  expect(found.shape).toEqual(shape);
  const numbers = Array.from(found.dataSync(), Number);
  for (const [i, value] of numbers.entries()) expect(value).toBeCloseTo(values[i]!, 9);
}

function expectState(module: nn.AnyModule, state: State): void {
  const own = module.stateDict();
  for (const [key, listed] of Object.entries(state)) expectClose(own.get(key)!, listed);
}

const linear = () => new nn.Linear({ in_features: 3, out_features: 2 });
const transposed = () =>
  new nn.ConvTranspose1d({ in_channels: 2, out_channels: 3, kernel_size: 2 });

const MAKERS: Readonly<Record<string, () => nn.AnyModule>> = {
  'weight_norm linear': () => parametrizations.weightNorm(linear()),
  'weight_norm all': () => parametrizations.weightNorm(linear(), { dim: null }),
  'weight_norm conv dim 1': () =>
    parametrizations.weightNorm(
      new nn.Conv1d({ in_channels: 2, out_channels: 3, kernel_size: 2 }),
      'weight',
      1,
    ),
  'weight_norm recurrent': () =>
    parametrizations.weightNorm(new nn.LSTM({ input_size: 2, hidden_size: 3 }), 'weight_hh_l0'),
  'spectral_norm linear': () => parametrizations.spectralNorm(linear()),
  'spectral_norm transposed': () =>
    parametrizations.spectralNorm(transposed(), { n_power_iterations: 2 }),
  'orthogonal square': () =>
    parametrizations.orthogonal(new nn.Linear({ in_features: 3, out_features: 3 })),
  'orthogonal cayley': () => parametrizations.orthogonal(linear(), { orthogonal_map: 'cayley' }),
  'orthogonal tall': () =>
    parametrizations.orthogonal(new nn.Linear({ in_features: 2, out_features: 3 })),
  'orthogonal wide': () => parametrizations.orthogonal(linear()),
  'spectral_norm bias': () => parametrizations.spectralNorm(linear(), 'bias'),
};

/**
 * Decompositions of matrices are checked against their specification; layers run where they will.
 */
const engineFor = (name: string) => (name.startsWith('orthogonal') ? referenceEngine() : engine());

describe.each(Object.entries(RECORDED.training))('%s', (name, recorded) => {
  const start = () => {
    const module = MAKERS[name]!().double();
    module.loadStateDict(mapOf(recorded.before));
    return module;
  };
  const output = (module: nn.AnyModule, x: Tensor) => nn.firstOutput(module.call(x));
  const trainer = (module: nn.AnyModule) => {
    const optimizer = new optim.SGD(module.parameters(), { lr: 0.1 });
    const step = (x: Tensor): Tensor => {
      optimizer.zeroGrad();
      const loss = output(module, x).square().mean();
      loss.backward();
      optimizer.step();
      return loss;
    };
    return { step, state: [module, optimizer] };
  };

  test('has the keys and the text of PyTorch', () => {
    withEngine(engineFor(name), () => {
      const module = start();
      expect([...module.stateDict().keys()]).toEqual(Object.keys(recorded.before));
      expect(String(module)).toBe(recorded.text.replace('(0): _', '(0): '));
    });
  });

  test.each(['eager', 'compiled'])('is trained as in PyTorch, %s', (way) => {
    withEngine(engineFor(name), () => {
      const module = start();
      const { step, state } = trainer(module);
      const run = way === 'eager' ? step : compile(step, { state }).sync;
      const x = read(recorded.input);
      for (const loss of recorded.losses) expect(run(x).item()).toBeCloseTo(loss, 9);
      expectState(module, recorded.after);
      expectClose(output(module.eval(), x), recorded.output);
    });
  });
});

test.each(['matrix_exp', 'cayley', 'householder'] as const)('%s starts orthogonal', (map) => {
  withEngine(referenceEngine(), () => {
    const layer = parametrizations.orthogonal(linear().double(), { orthogonal_map: map });
    const product = layer.weight.matmul(layer.weight.transpose(0, 1));
    const distance = product
      .sub(eye(2, { dtype: 'float64' }))
      .abs()
      .amax();
    expect(distance.item()).toBeLessThan(1e-12);
  });
});

describe('parametrize', () => {
  /** A matrix made symmetric from its upper half. */
  class Symmetric extends nn.Module {
    forward(x: Tensor): Tensor {
      return x.triu().add(x.triu(1).transpose(0, 1));
    }

    rightInverse(x: Tensor): Tensor {
      return x.triu();
    }
  }

  class Halved extends nn.Module {
    calls = 0;

    forward(x: Tensor): Tensor {
      this.calls++;
      return x.div(2);
    }
  }

  const square = () => new nn.Linear({ in_features: 2, out_features: 2, bias: false });
  const { registerParametrization, removeParametrizations, isParametrized } = parametrize;
  const matrix = tensor([
    [1, 2],
    [2, 3],
  ]);

  test('computes the field, keeps the parameter, and takes assignments', () => {
    const layer = square();
    const { weight } = layer;
    const made: nn.Linear = registerParametrization(layer, 'weight', new Symmetric());
    expect(made).toBe(layer);
    expect([...layer.stateDict().keys()]).toEqual(['parametrizations.weight.original']);
    expect(layer.parameters()).toEqual([weight]);
    expect([isParametrized(layer), isParametrized(layer, 'weight')]).toEqual([true, true]);
    expect(isParametrized(layer, { tensor_name: 'bias' })).toBe(false);
    expect(layer).toBeInstanceOf(nn.Linear);
    expect(layer.constructor.name).toBe('ParametrizedLinear');
    expect(parametrize.typeBeforeParametrizations(layer)).toBe(nn.Linear);
    Object.assign(layer, { weight: matrix });
    expect(weight.tolist()).toEqual([
      [1, 2],
      [0, 3],
    ]);
    expect(layer.weight.tolist()).toEqual(matrix.tolist());
    layer
      .call(tensor([[1, 1]]))
      .sum()
      .backward();
    expect(weight.grad!.tolist()).toEqual([
      [1, 2],
      [0, 1],
    ]);
  });

  test.each([
    [
      true,
      [
        [0.5, 1],
        [1, 1.5],
      ],
    ],
    [
      false,
      [
        [1, 2],
        [0, 3],
      ],
    ],
  ])('is removed, leave_parametrized %s', (leave_parametrized, expected) => {
    const layer = square();
    const { weight } = layer;
    registerParametrization(layer, 'weight', new Symmetric());
    Object.assign(layer, { weight: matrix });
    registerParametrization(layer, 'weight', new Halved());
    removeParametrizations(layer, 'weight', { leave_parametrized });
    expect(layer.weight).toBe(weight);
    expect(layer.weight.tolist()).toEqual(expected);
    expect(layer.constructor).toBe(nn.Linear);
    expect([...layer.stateDict().keys()]).toEqual(['weight']);
    expect(isParametrized(layer)).toBe(false);
  });

  test('of several originals leaves its value as a new parameter', () => {
    const layer = parametrizations.weightNorm(square());
    const value = layer.weight.tolist();
    expect(() => removeParametrizations(layer, 'weight', false)).toThrow(
      '[remove_parametrizations] weight has several originals, and none that could be left',
    );
    removeParametrizations(layer, 'weight');
    expect(layer.weight).toBeInstanceOf(nn.Parameter);
    expect(layer.weight.tolist()).toEqual(value);
  });

  test('two tensors of one module are parametrized apart', () => {
    const layer = linear();
    parametrizations.weightNorm(layer);
    registerParametrization(layer, 'bias', new Halved());
    expect([...layer.stateDict().keys()]).toEqual([
      'parametrizations.weight.original0',
      'parametrizations.weight.original1',
      'parametrizations.bias.original',
    ]);
    removeParametrizations(layer, 'bias');
    expect(layer.constructor.name).toBe('ParametrizedLinear');
    removeParametrizations(layer, 'weight');
    expect(layer.constructor).toBe(nn.Linear);
    expect(layer.call(zeros([1, 3])).shape).toEqual([1, 2]);
  });

  test('cached computes each value once, in a compiled step too', () => {
    const halved = new Halved();
    const layer = registerParametrization(square(), 'weight', halved);
    const twice = (x: Tensor) => layer.call(layer.call(x));
    const x = tensor([[1, 2]]);
    halved.calls = 0;
    const expected = twice(x).tolist();
    expect(halved.calls).toBe(2);
    expect(parametrize.cached(() => twice(x)).tolist()).toEqual(expected);
    expect(halved.calls).toBe(3);
    const step = compile(twice, { state: [layer] });
    parametrize.cached(() => {
      layer.weight.tolist();
      expect(step.sync(x).tolist()).toEqual(expected);
    });
    expect(halved.calls).toBe(5);
    noGrad(() => layer.parameters()[0]!.zero_());
    expect(step.sync(x).tolist()).toEqual([[0, 0]]);
  });

  test('of a buffer is a buffer', () => {
    const norm = new nn.BatchNorm1d({ num_features: 2 });
    registerParametrization(norm, 'running_mean', new Halved());
    expect(norm.namedBuffers().map(([name]) => name)).toContain(
      'parametrizations.running_mean.original',
    );
  });

  test('loads the keys of the older weight_norm', () => {
    const layer = parametrizations.weightNorm(square());
    layer.loadStateDict(
      new Map([
        ['weight_g', tensor([[5], [1]])],
        [
          'weight_v',
          tensor([
            [3, 4],
            [0, 2],
          ]),
        ],
      ]),
    );
    expect(layer.weight.tolist()).toEqual([
      [3, 4],
      [0, 1],
    ]);
  });

  test('makes a compiled step be traced again', () => {
    const layer = square();
    const retraced: string[] = [];
    const step = compile((x: Tensor) => layer.call(x), {
      state: [layer],
      onRetrace: (why) => retraced.push(why),
    });
    Object.assign(layer, { weight: new nn.Parameter(matrix) });
    const x = tensor([[2, 0]]);
    expect(step.sync(x).tolist()).toEqual([[2, 4]]);
    registerParametrization(layer, 'weight', new Halved());
    expect(step.sync(x).tolist()).toEqual([[1, 2]]);
    expect(retraced).toHaveLength(1);
  });

  class Narrow extends nn.Module {
    forward(x: Tensor): Tensor {
      return x.narrow(0, 0, 1);
    }
  }

  test.each<[string, () => unknown, string]>([
    [
      'no such tensor',
      () => registerParametrization(square(), 'wait', new Halved()),
      '[register_parametrization] Linear has no parameter or buffer wait',
    ],
    [
      'another shape',
      () => registerParametrization(square(), 'weight', new Narrow()),
      'the parametrization gave shape (1, 2), needs (2, 2); unsafe allows it',
    ],
    [
      'another shape of one that is added',
      () =>
        registerParametrization(
          registerParametrization(square(), 'weight', new Halved()),
          'weight',
          new Narrow(),
        ),
      'the parametrization gave shape (1, 2), needs (2, 2); unsafe allows it',
    ],
    [
      'a value without a right inverse',
      () => {
        const layer = registerParametrization(square(), 'weight', new Halved());
        Object.assign(layer, { weight: matrix });
      },
      '[Halved] has no rightInverse, so no value can be assigned',
    ],
    [
      'nothing to remove',
      () => removeParametrizations(square(), 'weight'),
      '[remove_parametrizations] Linear has no parametrization of weight',
    ],
    [
      'no iteration',
      () => parametrizations.spectralNorm(square(), { n_power_iterations: 0 }),
      '[spectral_norm] n_power_iterations must be positive, got 0',
    ],
    [
      'an unknown map',
      () => parametrizations.orthogonal(square(), 'weight', 'qr' as 'cayley'),
      '[orthogonal] orthogonal_map must be one of matrix_exp, cayley, householder, got qr',
    ],
    [
      'no such dimension',
      () => parametrizations.weightNorm(square(), { dim: 2 }),
      '[weight_norm] dim 2 is out of range',
    ],
  ])('refuses %s', (_, body, message) => {
    expect(body).toThrow(message);
  });

  test('a refused parametrization leaves the module as it was', () => {
    const layer = square();
    const { weight } = layer;
    expect(() => registerParametrization(layer, 'weight', new Narrow())).toThrow();
    expect([layer.weight === weight, layer.constructor]).toEqual([true, nn.Linear]);
  });
});

describe('a fused batch norm', () => {
  const { fuseConvBnEval, fuseLinearBnEval } = nn.utils;
  const LAYERS: Readonly<Record<string, () => readonly [nn.AnyModule, nn.AnyModule]>> = {
    Conv2d: () => [
      new nn.Conv2d({ in_channels: 2, out_channels: 3, kernel_size: 2, bias: false }),
      new nn.BatchNorm2d({ num_features: 3 }),
    ],
    ConvTranspose1d: () => [
      new nn.ConvTranspose1d({ in_channels: 2, out_channels: 3, kernel_size: 2, stride: 2 }),
      new nn.BatchNorm1d({ num_features: 3 }),
    ],
    Linear: () => [
      new nn.Linear({ in_features: 2, out_features: 3 }),
      new nn.BatchNorm1d({ num_features: 3 }),
    ],
  };

  test.each(Object.entries(RECORDED.fused))('%s is as in PyTorch', (name, recorded) => {
    const [layer, norm] = LAYERS[name]!();
    layer.double().eval().loadStateDict(mapOf(recorded.layer));
    norm.double().eval().loadStateDict(mapOf(recorded.norm), { strict: false });
    const bn = norm as nn.BatchNorm1d;
    const fused =
      layer instanceof nn.Linear
        ? fuseLinearBnEval(layer, bn)
        : fuseConvBnEval(layer as nn.Conv1d, bn, { transpose: name !== 'Conv2d' });
    expectState(fused, recorded.fused);
    expectClose(fused.call(read(recorded.input)), recorded.output);
    expectState(layer, recorded.layer);
  });

  test('needs evaluation mode, running statistics, and fitting sizes', () => {
    const [layer, norm] = LAYERS.Linear!() as [nn.Linear, nn.BatchNorm1d];
    expect(() => fuseLinearBnEval(layer, norm)).toThrow(
      '[fuse_linear_bn_eval] both modules must be in evaluation mode: call eval()',
    );
    layer.eval();
    const bare = new nn.BatchNorm1d({ num_features: 3, track_running_stats: false }).eval();
    expect(() => fuseLinearBnEval(layer, bare)).toThrow('no running statistics');
    const wide = new nn.BatchNorm1d({ num_features: 4 }).eval();
    expect(() => fuseLinearBnEval(layer, wide)).toThrow(
      'num_features 4 must be out_features 3 or 1',
    );
  });
});
