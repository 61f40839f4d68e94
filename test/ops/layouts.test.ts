/** Normalisation and pooling behind a convolution, whose results lie with channels in blocks. */

import { describe, expect, test } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { withOff } from '../../src/engine/switches.ts';
import { autocast, compile, nn, type Tensor, tensor, withEngine } from '../../src/index.ts';

const filled = (shape: number[], seed: number) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) =>
      Math.sin(seed + 0.37 * i + 0.0013 * i * i),
    ),
    { shape },
  );

const { batchNorm, relu, maxPool2d, avgPool2d } = nn.functional;

/** From the convolution's result and one number a channel to what is pooled or normalised. */
type Body = (x: Tensor, weight: Tensor) => Tensor;

const BODIES: Record<string, Body> = {
  'batch norm': (x, weight) =>
    batchNorm(x, null, null, { weight, bias: weight.neg(), training: true }),
  'batch norm, add and ReLU': (x, weight) =>
    relu(batchNorm(x, null, null, { weight, bias: weight, training: true }).add(x)),
  'batch norm and ReLU, read twice': (x, weight) => {
    const y = relu(batchNorm(x, null, null, { weight, bias: weight, training: true }));
    return y.add(batchNorm(y, null, null, { weight, bias: weight, training: true }));
  },
  'average pooling': (x) => avgPool2d(x, { kernel_size: 2 }),
  'average pooling, padded': (x) => avgPool2d(x, { kernel_size: 3, stride: 2, padding: 1 }),
  'max-pooling': (x) => maxPool2d(x, { kernel_size: 2 }),
  'max-pooling, overlapping': (x) => maxPool2d(x, { kernel_size: 3, stride: 2, padding: 1 }),
};

/** The body's result behind a convolution, every gradient, and the plan. */
function run(body: Body, shape: number[], off: readonly string[]) {
  return withOff(off, () => {
    const step = compile((x: Tensor, kernel: Tensor, weight: Tensor) => {
      const leaves = [x, kernel, weight].map((leaf) => leaf.mul(1).detach().requires_grad_());
      const [image, taps, scale] = leaves as [Tensor, Tensor, Tensor];
      const y = body(nn.functional.conv2d(image, taps, null, { padding: 1 }), scale);
      y.mul(y).mul(y).sum().backward();
      return [y, ...leaves.flatMap(({ grad }) => grad ?? [])];
    });
    const args = [filled(shape, 1), filled([48, shape[1]!, 3, 3], 2), filled([48], 3)] as const;
    const results = step.sync(...args).map((result) => [...result.dataSync()].map(Number));
    return { results, plan: step.inspect(...args).plan };
  });
}

const SHAPES = [
  [2, 16, 7, 5],
  [3, 32, 16, 16],
  [1, 16, 2, 2],
];

describe.each(Object.entries(BODIES))('%s', (_, body) => {
  test.each(SHAPES.flatMap((shape) => [1, 2].map((mixed) => ({ shape, mixed: mixed === 2 }))))(
    'gives in blocks what it gives in rows: $shape, bfloat16 $mixed',
    ({ shape, mixed }) => {
      withEngine(cpuEngine(), () => {
        // The same convolutions both times, so that only the layouts differ.
        const without = ['onednn_winograd'];
        const calculate = (off: string[]) =>
          autocast(() => run(body, shape, off), { enabled: mixed });
        const blocks = calculate(without);
        const rows = calculate([...without, 'layouts']);
        if (/onednn/.test(blocks.plan)) expect(blocks.plan).toMatch(/ a?Bcd\d+b /);
        for (const [k, result] of blocks.results.entries()) {
          const scale = Math.max(...rows.results[k]!.map(Math.abs));
          const off = result.map((value, i) => Math.abs(value - rows.results[k]![i]!) / scale);
          expect(Math.max(...off), `result ${k}`).toBeLessThan(mixed ? 0.02 : 1e-5);
        }
      });
    },
  );
});
