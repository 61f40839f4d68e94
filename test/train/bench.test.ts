import { describe, expect, it } from 'vitest';
import { bench } from '../../src/train/bench.ts';
import { Setting } from './setting.ts';

describe('bench', () => {
  it('times steps on made-up batches and splits them by instruction', async () => {
    const setting = await Setting.make();
    const report = await bench({ loaded: setting.config(), steps: 12, warmup: 2, threads: 1 });
    expect(report).toMatchObject({ name: 'shades', steps: 12, threads: 1 });
    expect(report.ms_per_step_min).toBeGreaterThan(0);
    expect(report.ms_per_step_median).toBeGreaterThanOrEqual(report.ms_per_step_min);
    expect(report.peak_bytes).toBe(report.arena_bytes + report.binding_bytes);
    expect(report.rss_bytes).toBeGreaterThan(report.peak_bytes);
    expect(report.plan).toContain('arena');
    const total = report.instructions.reduce((sum, { ms }) => sum + ms, 0);
    expect(total).toBeGreaterThan(0);
    expect(report.instructions.some(({ label }) => label.includes('(hidden)'))).toBe(true);
  });

  it('counts the operations of forward and backward products', async () => {
    const setting = await Setting.make();
    const { flops_per_step, instructions } = await bench({
      loaded: setting.config(),
      steps: 1,
      warmup: 1,
    });
    // Batch 8 through 16 -> 12 -> 3; no gradient of the data is needed.
    const hidden = 2 * 8 * 16 * 12;
    const out = 2 * 8 * 12 * 3;
    expect(flops_per_step).toBe(2 * hidden + 3 * out);
    expect(instructions.reduce((sum, { flops }) => sum + flops, 0)).toBe(flops_per_step);
  });

  it("takes the config's own data when asked to, epoch after epoch", async () => {
    const setting = await Setting.make();
    const loaded = setting.config(['data.train.samples=20']);
    const { steps } = await bench({ loaded, steps: 7, warmup: 1, data: true });
    expect(steps).toBe(7);
  });

  it('leaves no plan to chance: the same config gives the same instructions', async () => {
    const setting = await Setting.make();
    const run = () => bench({ loaded: setting.config(), steps: 1, warmup: 1, threads: 2 });
    const [first, second] = [await run(), await run()];
    expect(second.plan).toBe(first.plan);
  });
});
