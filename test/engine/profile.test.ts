import { describe, expect, it } from 'vitest';
import { compile, grad, nn, randn, type Tensor } from '../../src/index.ts';
import { ENGINES, useEngine } from '../core/engines.ts';

describe.each(ENGINES)('%s', (_, engine) => {
  useEngine(engine);

  const step = compile((a: Tensor) => {
    const product = a.matmul(a.transpose(0, 1));
    return product.reshape([-1]).sum().add(1);
  });

  it('times every kernel of a run, in order and on the clock of performance.now()', async () => {
    const a = randn([64, 32]).realize();
    const expected = step.sync(a).item();
    const before = performance.now();
    const { result, kernels, clock } = await step.profile(a);
    const after = performance.now();
    expect(result.item()).toBe(expected);
    expect(kernels.map(({ kernel }) => kernel)).toEqual(
      step.inspect(a).kernels.map((k) => k.kernel),
    );
    expect(clock).toHaveLength(kernels.length + 2);
    expect([...clock].sort((x, y) => x - y)).toEqual([...clock]);
    // The engine may count in another unit of the same clock; a hundredth of a millisecond is kept.
    expect(clock[0]!).toBeGreaterThan(before - 0.01);
    expect(clock.at(-1)!).toBeLessThan(after + 0.01);
  });

  it('says how many operations each kernel stands for', () => {
    const { kernels } = step.inspect(randn([64, 32]).realize());
    const flops = kernels.map((kernel) => kernel.flops);
    expect(flops.reduce((sum, value) => sum + value)).toBe(2 * 64 * 64 * 32);
    expect(kernels[flops.findIndex((value) => value > 0)]!.kernel).toBe('matmul');
  });

  it('counts both gradients of a product within a fused op', () => {
    const x = randn([2, 3, 8, 4], { requires_grad: true });
    const attend = compile((): [Tensor] => {
      const y = nn.functional.scaledDotProductAttention(x, x, x, {});
      return grad(y.sum(), [x]) as [Tensor];
    });
    const flops = attend.inspect().kernels.map((kernel) => kernel.flops);
    const product = 2 * 2 * 3 * 8 * 8 * 4;
    expect(flops.filter((value) => value > 0)).toEqual([2 * product, 4 * product]);
  });

  it('gives an alias no time', async () => {
    const { kernels, clock } = await step.profile(randn([64, 32]).realize());
    const i = kernels.findIndex(({ kernel }) => kernel === 'alias');
    expect(i).toBeGreaterThanOrEqual(0);
    if (engine.name === 'cpu') expect(clock[i + 1]).toBe(clock[i]);
  });
});
