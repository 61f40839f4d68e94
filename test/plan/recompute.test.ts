/** Recomputation makes the arena smaller and changes no bit. */

import { expect, test } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { compile, manualSeed, nn, rand, type Tensor, withEngine } from '../../src/index.ts';
import type { PlanOptions } from '../../src/plan/plan.ts';

/** x / 2 (1 + erf(x / sqrt 2)): a chain of steps over one product. */
const gelu = (x: Tensor): Tensor => x.div(Math.SQRT2).erf().add(1).mul(x.mul(0.5));

/** A deep network's gradients, and the memory its step takes. */
function run(plan: PlanOptions) {
  manualSeed(0);
  const layers = Array.from(
    { length: 8 },
    () => new nn.Linear({ in_features: 64, out_features: 64 }),
  );
  const model = new nn.Sequential(layers);
  const x = rand([256, 64]).realize();
  const step = compile(
    (input: Tensor) => {
      model.zeroGrad();
      const output = layers.reduce((value, layer) => gelu(layer.call(value)), input);
      output.mul(output).mean().backward();
      return model.parameters().map((parameter) => parameter.grad!);
    },
    { state: [model], plan },
  );
  const { memory, program } = step.inspect(x);
  const gradients = step.sync(x).map((gradient) => Array.from(gradient.dataSync(), Number));
  step.dispose();
  return { arena: memory.arena_bytes, gradients, erfs: program.match(/\berf\b/g)!.length };
}

test('a network of matrix products and GELU', () => {
  withEngine(cpuEngine(), () => {
    const plain = run({});
    const small = run({ recompute: true });
    expect(small.gradients).toEqual(plain.gradients);
    expect(small.erfs).toBeGreaterThan(plain.erfs);
    expect(small.arena).toBeLessThan(0.85 * plain.arena);
  });
});
