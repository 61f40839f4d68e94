import { describe, expect, it } from 'vitest';
import type { BenchReport, BenchRequest } from '../../src/train/bench.ts';
import { torchts } from './harness.ts';

const CONFIG = 'configs/cifar10-cnn.yaml';

const REPORT: BenchReport = {
  name: 'net',
  steps: 1200,
  steps_per_call: 16,
  threads: 2,
  parameters: 62006,
  ms_per_step_median: 0.25,
  ms_per_step_min: 0.2,
  flops_per_step: 12.5e6,
  peak_bytes: 3 << 20,
  arena_bytes: 2 << 20,
  binding_bytes: 1 << 20,
  rss_bytes: 80 << 20,
  instructions: [
    { label: 'add (a)', kernel: 'pointwise', method: 'portable', ms: 0.05, flops: 0 },
    { label: 'matmul (a)', kernel: 'matmul', method: 'packed', ms: 0.05, flops: 1e6 },
    { label: 'matmul (a)', kernel: 'reorder', method: 'reorder', ms: 0.0125, flops: 0 },
    { label: 'matmul (a)', kernel: 'matmul', method: 'skinny', ms: 0.0375, flops: 5e6 },
  ],
  plan: 'arena 2097152 bytes',
};

function benchmark() {
  const requests: BenchRequest[] = [];
  const bench = async (request: BenchRequest) => {
    requests.push(request);
    return REPORT;
  };
  return { requests, services: { bench } };
}

describe('torchts bench', () => {
  it('prints a table by label, the slowest first, and what the step takes', async () => {
    const { services } = benchmark();
    const { code, out } = await torchts(`bench ${CONFIG}`, { services });
    expect(code).toBe(0);
    expect(out).toBe(`\
op          calls      ms  share  GFLOP/s  kernel and method
----------  -----  ------  -----  -------  -------------------------------------
matmul (a)      3  0.1000  66.7%     60.0  matmul packed, reorder, matmul skinny
add (a)         1  0.0500  33.3%        -  pointwise portable

net: 0.2500 ms a step (median of 1,200, 16 a call; minimum 0.2000), 2 threads
kernels  0.1500 ms in 4 instructions
FLOPs    12.5 M a step: 50.0 GFLOP/s
memory   3.0 MiB at the peak: 2.0 MiB for intermediate values, 1.0 MiB for the parameters, the optimizer and the batch
process  80.0 MiB resident at the peak
`);
  });

  it('hands on the config, the overrides and the options', async () => {
    const { requests, services } = benchmark();
    const args = `bench ${CONFIG} data.batch_size=7 --steps 5 --warmup 2 --data --threads 1`;
    expect((await torchts(args, { services })).code).toBe(0);
    expect(requests[0]).toMatchObject({ steps: 5, warmup: 2, data: true, threads: 1 });
    expect(requests[0]!.loaded.config.data.batch_size).toBe(7);
  });

  it('prints one object with --json', async () => {
    const { services } = benchmark();
    const { plan, ...rest } = REPORT;
    const { out } = await torchts(`bench ${CONFIG} --json`, { services });
    expect(JSON.parse(out)).toEqual({ event: 'bench', ...rest });
    const whole = await torchts(`bench ${CONFIG} --json --plan`, { services });
    expect(JSON.parse(whole.out).plan).toBe(plan);
  });

  it('lists the plan and every reorder left in it', async () => {
    const { services } = benchmark();
    const { out } = await torchts(`bench ${CONFIG} --plan`, { services });
    expect(out).toMatch(
      /^arena 2097152 bytes\nreorder: instruction 2, 0.0125 ms, matmul \(a\)\n1 /,
    );
  });
});
