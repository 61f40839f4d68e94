/** Sums of gradients and ReLU's mask are read in the pass of the kernel that takes the gradient. */

import { describe, expect, test } from 'vitest';
import { compile, grad, nn, type Tensor, tensor, withEngine } from '../../src/index.ts';
import { ENGINES } from '../core/engines.ts';

const { batchNorm, relu } = nn.functional;
const normalized = (x: Tensor) => batchNorm(x, null, null, { training: true });
const inputOf = (seed: number) =>
  tensor(
    Float32Array.from({ length: 24 }, (_, i) => ((i * seed) % 11) - 5),
    { shape: [3, 2, 4] },
  );

/** Compiles with and without the pass: the same numbers; gives the Program of the first. */
function programOf(step: (...inputs: Tensor[]) => (Tensor | null)[]): string {
  const inputs = [inputOf(7), inputOf(5)];
  const run = (prologue: boolean) => {
    const compiled = compile((...given: Tensor[]) => step(...given) as Tensor[], {
      plan: { prologue },
    });
    const numbers = compiled.sync(...inputs).map((y) => Array.from(y.dataSync(), Number));
    return { numbers, program: compiled.inspect(...inputs).program };
  };
  const [folded, plain] = [run(true), run(false)];
  for (const [i, numbers] of folded.numbers.entries()) {
    for (const [k, value] of numbers.entries()) expect(value).toBeCloseTo(plain.numbers[i]![k]!, 4);
  }
  expect(plain.program).not.toMatch(/prologue=\[\w/);
  return folded.program;
}

describe.each(ENGINES)('on %s', (_, engine) => {
  test('the mask of a ReLU behind a normalisation', () => {
    withEngine(engine, () => {
      const program = programOf((x, seed) => {
        const leaf = x!.detach().requires_grad_();
        return grad(relu(normalized(leaf)), [leaf], { grad_outputs: [seed!] });
      });
      expect(program).toMatch(/batch_norm_bwd.*relu/);
      expect(program).not.toMatch(/batch_norm_bwd.*add/);
    });
  });

  test('two gradients, and the masked one given to the branch beside', () => {
    withEngine(engine, () => {
      const program = programOf((x, seed) => {
        const leaf = x!.detach().requires_grad_();
        const y = relu(normalized(leaf.mul(2)).add(leaf));
        return grad([y.mul(3).add(y.sin())], [leaf], { grad_outputs: [seed!] });
      });
      expect(program).toMatch(/batch_norm_bwd.*add.*relu/);
    });
  });

  test('a sum without a mask', () => {
    withEngine(engine, () => {
      const program = programOf((x, seed) => {
        const leaf = x!.detach().requires_grad_();
        const y = normalized(leaf);
        return grad([y.sin(), y.exp()], [leaf], { grad_outputs: [seed!, seed!] });
      });
      expect(program).toMatch(/batch_norm_bwd.*add/);
    });
  });

  test('not where another reader needs the masked gradient first', () => {
    withEngine(engine, () => {
      programOf((x, seed) => {
        const leaf = x!.detach().requires_grad_();
        const beside = x!.detach().requires_grad_();
        // The gradient of the later branch comes first.
        const y = relu(normalized(leaf).add(beside.exp()));
        return grad([y], [leaf, beside], { grad_outputs: [seed!] });
      });
    });
  });
});
