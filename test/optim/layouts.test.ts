/** Updates and clipping of parameters that convolutions keep in layouts of their own. */

import { expect, test } from 'vitest';
import { withOff } from '../../src/engine/switches.ts';
import { autocast, compile, nn, optim, type Tensor, tensor } from '../../src/index.ts';

/** Two convolutions, trained for three steps; the parameters, and the plan of a step. */
function trained(build: (params: Tensor[]) => optim.Optimizer, off: readonly string[]) {
  return withOff(off, () => {
    const fill = (size: number, seed: number) =>
      Float32Array.from({ length: size }, (_, i) => Math.sin(seed + 0.37 * i) / 8);
    const conv = { in_channels: 32, out_channels: 32, kernel_size: 3, padding: 1 };
    const model = new nn.Sequential([new nn.Conv2d(conv), new nn.ReLU(), new nn.Conv2d(conv)]);
    for (const [i, p] of model.parameters().entries()) {
      p.requires_grad_(false)
        .copy_(tensor(fill(p.numel(), i), { shape: p.shape }))
        .requires_grad_();
    }
    const optimizer = build(model.parameters());
    const step = compile(
      (x: Tensor) => {
        optimizer.zeroGrad();
        const y = model.call(x);
        y.mul(y).mean().backward();
        nn.utils.clipGradNorm_(model.parameters(), 0.01);
        optimizer.step();
      },
      { state: [model, optimizer] },
    );
    const x = tensor(fill(4 * 32 * 8 * 8, 9), { shape: [4, 32, 8, 8] });
    for (let k = 0; k < 3; k++) step.sync(x);
    const { plan } = step.inspect(x);
    return { values: optimizer.stateTensors().flatMap((p) => [...p.dataSync()].map(Number)), plan };
  });
}

test.each<[string, (params: Tensor[]) => optim.Optimizer]>([
  ['SGD', (params) => new optim.SGD(params, { lr: 0.1, momentum: 0.9, weight_decay: 0.01 })],
  ['AdamW', (params) => new optim.AdamW(params, { amsgrad: true })],
])('%s gives the same in every layout, and needs no reorder', (_, build) => {
  const kept = trained(build, []);
  const plain = trained(build, ['layouts']);
  expect(kept.values.length).toBe(plain.values.length);
  for (const [i, value] of kept.values.entries()) {
    expect(Math.abs(value - plain.values[i]!)).toBeLessThan(2e-5);
  }
  const reorders = kept.plan.split('\n').filter((line) => /instruction \d+ reorder/.test(line));
  expect(reorders.filter((line) => /fused_|clip_norm|update/.test(line))).toEqual([]);
});

test('a float32 parameter lies as the readers of its bfloat16 copy want it', () => {
  const build = (params: Tensor[]) => new optim.SGD(params, { lr: 0.1, momentum: 0.9 });
  const kept = autocast(() => trained(build, []));
  const plain = autocast(() => trained(build, ['layouts']));
  for (const [i, value] of kept.values.entries()) {
    expect(Math.abs(value - plain.values[i]!)).toBeLessThan(2e-4);
  }
  const reorders = kept.plan.split('\n').filter((line) => /instruction \d+ reorder/.test(line));
  expect(reorders.filter((line) => /float32/.test(line))).toEqual([]);
});
