import { expect, test } from 'vitest';
import { compile } from '../../src/core/compile.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { Conv2d } from '../../src/nn/conv.ts';
import { randn } from '../../src/ops/draws.ts';

test('a compiled step does without what is off, in every trace', () => {
  const conv = new Conv2d({ in_channels: 64, out_channels: 64, kernel_size: 3, padding: 1 });
  const planOf = (off: string[], batch: number) =>
    compile((x) => conv.call(x), { off }).inspect(randn([batch, 64, 8, 8])).plan;
  const present = cpuEngine().implementations().conv2d_fwd!.includes('onednn_winograd');
  for (const batch of [1, 2]) {
    expect(planOf([], batch).includes('onednn_winograd')).toBe(present);
    expect(planOf(['onednn_winograd'], batch)).not.toContain('onednn_winograd');
  }
});
