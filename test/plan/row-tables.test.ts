/** Maps of chosen rows become maps of the table, where the table is smaller. */

import { describe, expect, test } from 'vitest';
import {
  compile,
  manualSeed,
  nn,
  randn,
  type Tensor,
  tensor,
  withEngine,
} from '../../src/index.ts';
import { ENGINES } from '../core/engines.ts';

const ROWS = 5;

/** Embedding and Linear: output and gradients, and the step's Program. */
function run(tables: boolean, count: number, padding_idx: number | null = null) {
  manualSeed(0);
  const embedding = new nn.Embedding({ num_embeddings: ROWS, embedding_dim: 3, padding_idx });
  const linear = new nn.Linear({ in_features: 3, out_features: 4 });
  const index = tensor(
    Array.from({ length: count }, (_, i) => (i * i) % ROWS),
    { dtype: 'int64', shape: [2, count / 2] },
  );
  const step = compile(
    (given: Tensor) => {
      embedding.zeroGrad();
      linear.zeroGrad();
      const output = linear.call(embedding.call(given));
      output.mul(output).sum().backward();
      const parameters = [...embedding.parameters(), ...linear.parameters()];
      return [output, ...parameters.map((parameter) => parameter.grad!)];
    },
    { state: [embedding, linear], plan: { tables } },
  );
  const { program } = step.inspect(index);
  const numbers = step.sync(index).map((result) => Array.from(result.dataSync(), Number));
  step.dispose();
  return { numbers, program };
}

/** How many products have a row for every index. */
function longProducts({ program }: { program: string }, count: number): number {
  const shapes = program.match(/= matmul.*/g) ?? [];
  return shapes.filter((line) => line.includes(`(${count}, `)).length;
}

describe.each(ENGINES)('on %s', (_, engine) => {
  test.each([null, 1])('forward and both gradients, padding %s', (padding_idx) => {
    withEngine(engine, () => {
      const moved = run(true, 8, padding_idx);
      const plain = run(false, 8, padding_idx);
      expect(longProducts(plain, 8)).toBeGreaterThan(0);
      expect(longProducts(moved, 8)).toBe(0);
      for (const [i, numbers] of plain.numbers.entries()) {
        for (const [j, value] of numbers.entries()) {
          expect(moved.numbers[i]![j]).toBeCloseTo(value, 4);
        }
      }
    });
  });
});

test('fewer indices than rows: nothing moves', () => {
  expect(run(true, 4).program).toBe(run(false, 4).program);
});

/** The gradient of a table whose chosen rows are multiplied by relu(g W): sums of relu(g W). */
function sumsOfRelu(tables: boolean): number[] {
  manualSeed(0);
  const embedding = new nn.Embedding({ num_embeddings: ROWS, embedding_dim: 3 });
  const w = randn([4, 3]);
  const index = tensor([0, 1, 4, 4, 1, 0, 1, 4], { dtype: 'int64' });
  const step = compile(
    (g: Tensor) => {
      embedding.zeroGrad();
      embedding.call(index).mul(g.matmul(w).relu()).sum().backward();
      return embedding.weight.grad!;
    },
    { state: [embedding], plan: { tables } },
  );
  const numbers = Array.from(step.sync(randn([8, 4])).dataSync(), Number);
  step.dispose();
  return numbers;
}

test('sums of what ReLU made are not ReLU of sums', () => {
  const plain = sumsOfRelu(false);
  expect(plain.some((value) => value > 0)).toBe(true);
  for (const [i, value] of sumsOfRelu(true).entries()) expect(value).toBeCloseTo(plain[i]!, 5);
});
