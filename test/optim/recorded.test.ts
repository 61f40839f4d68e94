/**
 * Every optimizer against PyTorch's own steps, for all options of PyTorch's test list and more.
 * `TORCHTS_OPTIM=FILE` compares with another recording of `make_optim.py`.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { compile, optim, Tensor, tensor, withEngine } from '../../src/index.ts';

type Option = number | boolean | string | null | { tensor: number | number[] } | Option[];
type Options = Record<string, Option>;

interface Run {
  options: Options;
  history: number[][];
  /** The same computed in float64. */
  float64: number[][];
  state: Record<string, Record<string, number | number[]>>;
}

interface Recording {
  at: number[];
  weight: number[][];
  bias: number[];
  input: number[];
  runs: Record<string, Run[]>;
  refused: Record<string, Options[]>;
  skipped: Record<string, { options: Options; end: number[]; state: Run['state'] }>;
}

const FILE = new URL('../fixtures/torch/optim.json', import.meta.url);
const recorded: Recording = JSON.parse(readFileSync(process.env.TORCHTS_OPTIM ?? FILE, 'utf8'));

/** Of parameters after up to twelve steps in float32. */
const TOLERANCE = 1e-6;

const runs = Object.entries(recorded.runs).flatMap(([name, list]) =>
  list.map((run) => [`${name} ${JSON.stringify(run.options)}`, name, run] as const),
);
/** A step of LBFGS depends on the losses on its way. */
const compiled = runs.filter(([, name]) => name !== 'LBFGS');
/** The last bits of bfloat16 matter to Muon, and the reference does not round to it on the way. */
const exact = runs.filter(([, name]) => name !== 'Muon');

/** An option as PyTorch had it. */
function asGiven(option: Option): unknown {
  if (Array.isArray(option)) return option.map(asGiven);
  if (typeof option !== 'object' || option === null) return option;
  return tensor(option.tensor);
}

function make(name: string, options: Options, params: Tensor[]): optim.Optimizer {
  const type = (optim as unknown as Record<string, new (...args: unknown[]) => optim.Optimizer>)[
    name
  ]!;
  const given = Object.entries(options).map(([key, option]) => [key, asGiven(option)]);
  return new type(params, Object.fromEntries(given));
}

class Problem {
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly input: Tensor;

  /** An optimizer of matrices gets the bias as a column. */
  constructor(matrices: boolean, dtype: 'float32' | 'float64' = 'float32') {
    this.weight = tensor(recorded.weight, { dtype, requires_grad: true });
    this.input = tensor(recorded.input, { dtype }).unsqueeze(1);
    const bias = tensor(recorded.bias, { dtype });
    this.bias = (matrices ? bias.unsqueeze(1) : bias).detach().requires_grad_();
  }

  get parameters(): Tensor[] {
    return [this.weight, this.bias];
  }

  readonly closure = (): Tensor => {
    for (const p of this.parameters) p.grad = null;
    const bias = this.bias.flatten();
    const output = this.weight.matmul(this.input).flatten().add(bias);
    const loss = output.mul(output).sum();
    loss.backward();
    return loss;
  };

  values(): number[] {
    return this.parameters.flatMap((p) => p.flatten().tolist() as number[]);
  }
}

function expectNear(
  actual: readonly number[],
  expected: readonly number[],
  tolerance: (i: number) => number = () => TOLERANCE,
): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of actual.entries()) {
    const limit = tolerance(i) * (1 + Math.abs(expected[i]!));
    expect(Math.abs(value - expected[i]!), `element ${i}: ${value}, ${expected[i]}`).toBeLessThan(
      limit,
    );
  }
}

function expectSteps({ history, float64 }: Run, problem: Problem, step: () => void): void {
  const inDouble = problem.weight.dtype === 'float64';
  const expected = inDouble ? float64 : history;
  for (let k = 1; k <= recorded.at.at(-1)!; k++) {
    step();
    const at = recorded.at.indexOf(k);
    if (at < 0) continue;
    // What rounding alone does to PyTorch's own numbers is no fault.
    const rounding = (i: number) => 20 * Math.abs(history[at]![i]! - float64[at]![i]!);
    const tolerance = (i: number) => Math.max(TOLERANCE, inDouble ? 0 : rounding(i));
    expectNear(problem.values(), expected[at]!, tolerance);
  }
}

function eager(name: string, run: Run, dtype: 'float32' | 'float64') {
  const problem = new Problem(name === 'Muon', dtype);
  const optimizer = make(name, run.options, problem.parameters);
  expectSteps(run, problem, () => optimizer.step(problem.closure));
  return optimizer;
}

test.each(runs)('eager, %s', (_, name, run) => {
  const optimizer = eager(name, run, 'float32');
  // What LBFGS remembers are differences of nearly equal gradients: mostly rounding.
  if (name !== 'LBFGS') expectState(optimizer, run.state);
});

test.each(runs)('in float64, %s', (_, name, run) => {
  const kept = eager(name, run, 'float64').stateDict().state[0] ?? {};
  expect(Object.keys(kept).sort()).toEqual(Object.keys(run.state[0] ?? {}).sort());
});

test.each(exact)('on the reference, %s', (_, name, run) => {
  withEngine(referenceEngine(), () => eager(name, run, 'float64'));
});

test.each(compiled)('compiled, %s', (_, name, run) => {
  const problem = new Problem(name === 'Muon');
  const optimizer = make(name, run.options, problem.parameters);
  const retraced: string[] = [];
  const step = compile(() => optimizer.step(problem.closure), {
    state: [optimizer],
    onRetrace: (reason) => retraced.push(reason),
  });
  expectSteps(run, problem, () => step.sync());
  expect(retraced).toEqual([]);
});

function expectState(optimizer: optim.Optimizer, expected: Run['state']): void {
  const { state } = optimizer.stateDict();
  for (const [index, kept] of Object.entries(expected)) {
    const own = state[Number(index)] ?? {};
    expect(Object.keys(own).sort()).toEqual(Object.keys(kept).sort());
    for (const [name, value] of Object.entries(own)) {
      if (!(value instanceof Tensor)) continue;
      expectNear([value.flatten().tolist()].flat() as number[], [kept[name]!].flat());
    }
  }
}

describe.each(Object.entries(recorded.skipped))('%s', (name, { options, end, state }) => {
  /** Steps of which every other one has no gradient of the weight. */
  const train = (step: (problem: Problem, optimizer: optim.Optimizer, k: number) => void) => {
    const problem = new Problem(false);
    const optimizer = make(name, options, problem.parameters);
    for (let k = 1; k <= 6; k++) step(problem, optimizer, k);
    expectNear(problem.values(), end);
    expectState(optimizer, state);
    expect([problem.weight, problem.bias].map((p) => optimizer.stepsOf(p))).toEqual([3, 6]);
  };

  test('does not count a step without a gradient', () => {
    train((problem, optimizer, k) => {
      problem.closure();
      if (k % 2 === 1) problem.weight.grad = null;
      optimizer.step();
    });
  });

  test('counts in compiled steps that train different parameters', () => {
    const steps: { sync(): void }[] = [];
    const retraced: string[] = [];
    train((problem, optimizer, k) => {
      for (let i = steps.length; i < 2; i++) {
        const step = compile(
          () => {
            problem.closure();
            if (i === 1) problem.weight.grad = null;
            optimizer.step();
          },
          { state: [optimizer], onRetrace: (reason) => retraced.push(reason) },
        );
        steps.push(step);
      }
      steps[k % 2]!.sync();
    });
    expect(retraced).toEqual([]);
  });
});

const refused = Object.entries(recorded.refused).flatMap(([name, list]) =>
  list.map((options) => [`${name} ${JSON.stringify(options)}`, name, options] as const),
);

test.each(refused)('refuses %s as PyTorch does', (_, name, options) => {
  const params = new Problem(name === 'Muon').parameters;
  expect(() => make(name, options, params)).toThrow(`[${name}] `);
});
