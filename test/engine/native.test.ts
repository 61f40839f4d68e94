/** What the native engine adds to an engine's promises: threads, errors, queues and costs. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test } from 'vitest';
import { EngineError } from '../../src/base/errors.ts';
import type { Executable } from '../../src/engine/engine.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { engineInfo } from '../../src/engine/native/info.ts';
import { loadFrom } from '../../src/engine/native/loader.ts';
import type { Program } from '../../src/engine/program.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { nn, noGrad, ones, withEngine } from '../../src/index.ts';
import { add, filled, list, SUM } from './buffers.ts';
import { type } from './cases/case.ts';

const engine = cpuEngine();

/** x <- x + step, over `numel` elements: each run shows in the contents. */
function counter(numel: number): Program {
  return {
    values: [type('float32', numel), type('float32'), type('float32', numel)],
    instructions: [add(0, 1, 2)],
    bindings: [{ access: 'update', value: 0, result: 2 }],
    scalars: [1],
  };
}

describe('threads', () => {
  const before = engine.threads;

  afterEach(() => {
    engine.setThreads(before);
  });

  test('share the pass behind a convolution that leaves its ReLU to it', () => {
    engine.setThreads(2);
    withEngine(engine, () => {
      const conv = new nn.Conv2d({ in_channels: 16, out_channels: 32, kernel_size: 3, stride: 2 });
      const output = noGrad(() => conv.call(ones([64, 16, 17, 17])).relu());
      const { weight, bias } = conv;
      // All pixels are ones, so every output of a channel is the sum of its weights.
      const sums = noGrad(() => weight.sum([1, 2, 3]).add(bias!).relu());
      const expected = sums.reshape([1, 32, 1, 1]).expand([64, 32, 8, 8]);
      expect(output.sub(expected).abs().max().item()).toBeLessThan(1e-5);
    });
  });

  test('can be set, to positive integers only', () => {
    engine.setThreads(3);
    expect(engine.threads).toBe(3);
    for (const wrong of [0, -1, 1.5, Number.NaN, 1e9]) {
      expect(() => engine.setThreads(wrong)).toThrow(EngineError);
    }
    expect(engine.threads).toBe(3);
  });
});

describe('info', () => {
  test('says what was loaded, and why the rest was not', () => {
    const info = engineInfo();
    if (!info.available) throw new Error(info.reason);
    expect(['baseline', 'avx2', 'avx512']).toContain(info.isa);
    expect(info.threads).toBe(engine.threads);
    expect(info.cpus).toBeGreaterThanOrEqual(1);
    expect(info.providers).toContainEqual({
      name: `torchts_cpu_${info.isa}`,
      loaded: true,
      reason: null,
    });
    for (const { loaded, reason } of info.providers) expect(reason === null).toBe(loaded);
  });

  test('a missing addon names the command that builds it, a broken one the fault', () => {
    expect(() => loadFrom('/nowhere/torchts.node')).toThrow(EngineError);
    expect(() => loadFrom('/nowhere/torchts.node')).toThrow(/npm run build/);
    expect(() => loadFrom(import.meta.filename)).toThrow(EngineError);
  });
});

describe('runs', () => {
  test('settle in the order they were queued', async () => {
    const executable = engine.load(counter(4));
    const x = engine.allocate('float32', 4);
    const settled: number[] = [];
    const runs = Array.from({ length: 100 }, (_, i) =>
      executable.run([x], [1]).then(() => settled.push(i)),
    );
    await Promise.all(runs);
    expect(settled).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(list(engine.readSync(x))).toEqual([100, 100, 100, 100]);
  });

  test('take their scalars at the call', async () => {
    const executable = engine.load(counter(1));
    const x = engine.allocate('float32', 1);
    const scalars = [1];
    const first = executable.run([x], scalars);
    scalars[0] = 10;
    await Promise.all([first, executable.run([x], scalars)]);
    expect(list(engine.readSync(x))).toEqual([11]);
  });

  test('finish with buffers and executables disposed while they wait', async () => {
    const executable = engine.load(counter(1 << 16));
    const x = engine.allocate('float32', 1 << 16);
    const runs = Array.from({ length: 50 }, () => executable.run([x], [1]));
    const last = engine.read(x);
    x.dispose();
    executable.dispose();
    // New buffers must not be given the memory that the queue still uses.
    const fresh = Array.from({ length: 20 }, () => engine.allocate('float32', 1 << 16));
    await Promise.all(runs);
    expect((await last)[0]).toBe(50);
    for (const storage of fresh) expect(engine.readSync(storage).every((v) => v === 0)).toBe(true);
    await expect(executable.run([fresh[0]!], [1])).rejects.toThrow(EngineError);
  });

  test('refuse a buffer that is written and bound twice', () => {
    const executable = engine.load(SUM);
    const [a, b] = [filled(engine, 'float32', [1, 2, 3]), engine.allocate('float32', 3)];
    expect(() => executable.runSync([a, b, b], [])).toThrow(/binding 1 reads a buffer/);
    executable.runSync([a, a, b], []);
    expect(list(engine.readSync(b))).toEqual([2, 4, 6]);
  });

  test('refuse a buffer of another engine', () => {
    const foreign = referenceEngine().allocate('float32', 3);
    expect(() => engine.readSync(foreign)).toThrow(EngineError);
    expect(() => engine.load(SUM).runSync([foreign, foreign, foreign], [])).toThrow(EngineError);
  });

  test('that fail name kernel, operands and label, and the next run is fine', async () => {
    const executable = engine.load({
      values: [type('float32', 3), type('int64', 2), type('float32', 2)],
      instructions: [
        {
          kernel: 'gather',
          inputs: [0, 1],
          outputs: [2],
          attrs: { dim: 0 },
          label: 'pick at head',
        },
      ],
      bindings: [
        { access: 'read', value: 0 },
        { access: 'read', value: 1 },
        { access: 'write', value: 2 },
      ],
      scalars: [],
    });
    const buffers = [
      filled(engine, 'float32', [1, 2, 3]),
      filled(engine, 'int64', [0, 5]),
      engine.allocate('float32', 2),
    ];
    const message =
      /^\[gather\] .*float32 \(3,\), int64 \(2,\) -> float32 \(2,\) \(at pick at head\)$/;
    expect(() => executable.runSync(buffers, [])).toThrow(message);
    const failed = executable.run(buffers, []);
    await expect(failed).rejects.toThrow(EngineError);
    await expect(failed).rejects.toThrow(message);
    engine.write(buffers[1]!, BigInt64Array.of(2n, 0n));
    await executable.run(buffers, []);
    expect(list(engine.readSync(buffers[2]!))).toEqual([3, 1]);
  });
});

test.each(['bfloat16', 'float16'] as const)(
  '%s runs in float32 where nothing computes on it',
  (dtype) => {
    const executable = engine.load({
      values: [type(dtype, 2, 3), type(dtype, 3, 2), type(dtype, 2, 2)],
      instructions: [
        {
          kernel: 'matmul',
          inputs: [0, 1],
          outputs: [2],
          attrs: { transpose_a: false, transpose_b: false },
          label: 'matmul',
        },
      ],
      bindings: [
        { access: 'read', value: 0 },
        { access: 'read', value: 1 },
        { access: 'write', value: 2 },
      ],
      scalars: [],
    });
    const a = filled(engine, dtype, [1, 2, 3, 4, 5, 6]);
    const b = filled(engine, dtype, [1, 0, 0, 1, 1, 1]);
    const c = engine.allocate(dtype, 4);
    executable.runSync([a, b, c], []);
    expect(list(engine.readSync(c))).toEqual([4, 5, 10, 11]);
  },
);

test('memory that cannot be had is an EngineError', () => {
  expect(() => engine.allocate('float64', 2 ** 46)).toThrow(EngineError);
  expect(() => engine.allocate('float32', -1)).toThrow(EngineError);
  expect(() => engine.allocate('float32', 1.5)).toThrow(EngineError);
});

describe('costs', () => {
  const collectGarbage = (): void => {
    setFlagsFromString('--expose-gc');
    (runInNewContext('gc') as () => void)();
  };

  test('10,000 runs leave the process at its size', async () => {
    const executable = engine.load(counter(64));
    const x = engine.allocate('float32', 64);
    const runs = async (count: number) => {
      for (let i = 0; i < count; i++) {
        executable.runSync([x], [1]);
        await executable.run([x], [1]);
      }
      collectGarbage();
      return process.memoryUsage.rss();
    };
    await runs(2000);
    // V8 grows and shrinks its heap for reasons of its own; a leak would show in every round.
    const growth: number[] = [];
    for (let round = 0; round < 4; round++) {
      const before = await runs(10);
      growth.push((await runs(5000)) - before);
    }
    expect(Math.min(...growth)).toBeLessThan(2 ** 20);
  });

  test('buffers and executables that are dropped or disposed give their memory back', async () => {
    const use = async (): Promise<number> => {
      for (let i = 0; i < 40; i++) {
        const x = engine.allocate('float32', 1 << 20);
        const executable = engine.load(counter(1 << 20));
        executable.runSync([x], [1]);
        if (i % 2 === 0) {
          x.dispose();
          executable.dispose();
        }
      }
      collectGarbage();
      await new Promise((resolve) => setImmediate(resolve)); // finalizers run
      return process.memoryUsage.rss();
    };
    await use();
    const growth: number[] = [];
    for (let round = 0; round < 3; round++) {
      const before = await use();
      growth.push((await use()) - before);
    }
    // One round allocates 160 MB of buffers.
    expect(Math.min(...growth)).toBeLessThan(40 * 2 ** 20);
  });

  /** Microseconds a run, in the fastest of many batches: other processes only add time. */
  async function fastest(run: () => void | Promise<void>): Promise<number> {
    let best = Number.POSITIVE_INFINITY;
    for (let batch = 0; batch < 200; batch++) {
      const start = performance.now();
      for (let i = 0; i < 25; i++) await run();
      best = Math.min(best, ((performance.now() - start) / 25) * 1000);
    }
    return best;
  }

  test('a run of one tiny instruction costs microseconds', async () => {
    const executable: Executable = engine.load(counter(4));
    const x = engine.allocate('float32', 4);
    const sync = await fastest(() => executable.runSync([x], [1]));
    const async = await fastest(() => executable.run([x], [1]));
    process.stdout.write(`runSync ${sync.toFixed(1)} us, run ${async.toFixed(1)} us\n`);
    expect(sync).toBeLessThan(40);
    expect(async).toBeLessThan(40);
  });
});
