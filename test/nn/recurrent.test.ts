/** Recurrent layers against PyTorch's own numbers, under several options. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compile, manualSeed, nn, rand, type Tensor, tensor, withEngine } from '../../src/index.ts';
import { ENGINES } from '../core/engines.ts';

interface Listed {
  readonly shape: number[];
  readonly values: number[];
}

interface Recorded {
  readonly options: nn.RecurrentOptions;
  readonly parameters: Readonly<Record<string, Listed>>;
  readonly input: Listed;
  readonly state: [Listed, Listed] | null;
  readonly outputs: [Listed, Listed, Listed];
  readonly gradients: Readonly<Record<string, Listed>>;
}

const FILE = new URL('../fixtures/torch/recurrent.json', import.meta.url);
const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as Recorded[];

const tensorOf = ({ shape, values }: Listed) =>
  tensor(values, { dtype: 'float32', shape, requires_grad: true });

function expectNear(actual: Tensor | null, { shape, values }: Listed): void {
  expect(actual?.shape).toEqual(shape);
  const numbers = Array.from(actual!.dataSync(), Number);
  for (const [i, value] of values.entries()) expect(numbers[i]).toBeCloseTo(value, 5);
}

/** PyTorch's weights in a module of float32, as it is built. */
function load({ options, parameters }: Recorded): nn.LSTM {
  const module = new nn.LSTM(options);
  const values = Object.entries(parameters).map(
    ([key, listed]) => [key, tensorOf(listed)] as const,
  );
  module.loadStateDict(new Map(values));
  return module;
}

describe.each(ENGINES)('on %s', (_, engine) => {
  test.each(recorded.map((entry) => [JSON.stringify(entry.options), entry] as const))(
    'LSTM %s',
    (__, entry) => {
      withEngine(engine, () => {
        const module = load(entry);
        const input = tensorOf(entry.input);
        const state = entry.state?.map(tensorOf) as [Tensor, Tensor] | undefined;
        const [output, [h, c]] = module.call(input, state);
        for (const [i, tensor] of [output, h, c].entries()) {
          expectNear(tensor, entry.outputs[i]!);
        }
        output.mul(output).sum().add(h.sum()).add(c.mul(c).sum()).backward();
        const found = { ...Object.fromEntries(module.namedParameters()), input, h0: state?.[0] };
        for (const [name, gradient] of Object.entries(entry.gradients)) {
          const tensor = name === 'c0' ? state![1] : found[name as keyof typeof found]!;
          expectNear(tensor!.grad, gradient);
        }
      });
    },
  );
});

test("state keys are PyTorch's, in its order", () => {
  for (const entry of recorded) {
    expect([...new nn.LSTM(entry.options).stateDict().keys()]).toEqual(
      Object.keys(entry.parameters),
    );
  }
});

test('initial values lie within 1 / sqrt(hidden_size), and repeat', () => {
  manualSeed(3);
  const [a] = new nn.LSTM({ input_size: 5, hidden_size: 16 }).parameters();
  const numbers = Array.from(a!.dataSync(), Number);
  expect(Math.max(...numbers.map(Math.abs))).toBeLessThanOrEqual(0.25);
  expect(Math.max(...numbers)).toBeGreaterThan(0.24);
  manualSeed(3);
  const [b] = new nn.LSTM({ input_size: 5, hidden_size: 16 }).parameters();
  expect(Array.from(b!.dataSync(), Number)).toEqual(numbers);
});

test('a Sequential passes the output of LSTM on', () => {
  const model = nn.build(
    {
      type: 'Sequential',
      layers: [
        { type: 'LSTM', hidden_size: 4, batch_first: true },
        { type: 'Linear', out_features: 3 },
      ],
    },
    { input: rand([2, 5, 6]) },
  );
  expect(model.call(rand([2, 5, 6])).shape).toEqual([2, 5, 3]);
  expect(`${model}`).toContain('LSTM(6, 4, batch_first=True)');
});

test('dropout stands between layers, in training alone', () => {
  const lstm = new nn.LSTM({ input_size: 2, hidden_size: 8, num_layers: 2, dropout: 1 });
  const x = rand([3, 1, 2]);
  const numbers = () => Array.from(lstm.call(x)[1][0].dataSync(), Number);
  const [bias, weight] = ['bias_ih_l1', 'weight_ih_l1'].map((key) => lstm.stateDict().get(key)!);
  const trained = numbers();
  weight!.mul_(2);
  // With all of its input dropped, only the biases and its own state move the second layer.
  expect(numbers().slice(8)).toEqual(trained.slice(8));
  expect(bias!.shape).toEqual([32]);
  lstm.eval();
  expect(numbers().slice(8)).not.toEqual(trained.slice(8));
});

test('a compiled step gives what the eager call gives', () => {
  const lstm = new nn.LSTM({ input_size: 3, hidden_size: 5, bidirectional: true });
  const x = rand([4, 2, 3]).realize();
  const step = compile((input: Tensor) => lstm.call(input)[0], { state: [lstm] });
  expect(step.sync(x).tolist()).toEqual(lstm.call(x)[0].tolist());
});

test('what does not fit is named', () => {
  const lstm = new nn.LSTM({ input_size: 3, hidden_size: 5 });
  expect(() => lstm.call(rand([4, 2, 2]))).toThrow(
    '[LSTM] input has shape (4, 2, 2), needs (steps, batch, 3) or (steps, 3)',
  );
  expect(() => lstm.call(rand([4, 2, 3]), [rand([1, 2, 4]), rand([1, 2, 5])])).toThrow(
    '[LSTM] a state has shape (1, 2, 4), needs (1, 2, 5)',
  );
  expect(() => lstm.call(rand([0, 2, 3]))).toThrow('there is no step');
  expect(() => new nn.LSTM({ input_size: 3, hidden_size: 5, proj_size: 5 })).toThrow(
    '[LSTM] proj_size 5 must be less than hidden_size 5',
  );
  expect(() => lstm.call(rand([4, 2, 3], { dtype: 'float64' }))).toThrow(
    '[LSTM] input is float64, the weights are float32',
  );
});
