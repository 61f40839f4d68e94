import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Setting } from '../setting.ts';

interface Event {
  readonly name: string;
  readonly cat: string;
  readonly ph: string;
  readonly ts: number;
  readonly dur: number;
  readonly tid: number;
  readonly args?: Record<string, unknown>;
}

async function traced(setting: Setting, file: string) {
  const { displayTimeUnit, traceEvents } = JSON.parse(await readFile(file, 'utf8'));
  expect(displayTimeUnit).toBe('ns');
  const events = traceEvents as Event[];
  const spans = events.filter(({ ph }) => ph === 'X');
  const threads = new Map(
    events.filter(({ ph }) => ph === 'M').map(({ tid, args }) => [args!.name, tid]),
  );
  const on = (thread: string) => spans.filter(({ tid }) => tid === threads.get(thread));
  return { main: on('main thread'), engine: on('engine thread'), spans, setting };
}

describe('--profile', () => {
  it('writes a trace of steps with their instructions inside, into the run', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ profile: true });
    const { main, engine, spans } = await traced(setting, join(summary.directory, 'profile.json'));
    expect(spans.every(({ ts, dur }) => Number.isFinite(ts) && dur >= 0)).toBe(true);

    const steps = engine.filter(({ cat }) => cat === 'step');
    const instructions = engine.filter(({ cat }) => cat === 'instruction');
    // 21 steps in all: the last 20 are recorded.
    expect(steps.map(({ name }) => name)).toEqual(
      Array.from({ length: 20 }, (_, i) => `step ${i + 2}`),
    );
    steps.forEach((step, i) => {
      if (i > 0) expect(endOf(steps[i - 1]!)).toBeLessThan(step.ts + 2e-3);
    });
    for (const { ts, dur } of instructions) {
      const around = steps.filter((step) => ts >= step.ts && ts + dur <= endOf(step));
      expect(around).toHaveLength(1);
    }
    expect(instructions.some(({ name }) => name.includes('(hidden)'))).toBe(true);
    expect(instructions[0]!.args).toMatchObject({
      kernel: expect.any(String),
      instruction: expect.any(Number),
    });

    const queued = main.filter(({ name }) => name.startsWith('queue step'));
    expect(queued).toHaveLength(20);
    expect(main.filter(({ name }) => name === 'load batch')).toHaveLength(20);
    queued.forEach((queue, i) => {
      expect(queue.ts).toBeLessThan(endOf(steps[i]!));
    });
  });

  it('writes to a file of choice, and a short run from its first step on', async () => {
    const setting = await Setting.make();
    const file = join(setting.folder, 'trace.json');
    await setting.train({ profile: file, overrides: ['trainer.max_steps=3'] });
    const { engine } = await traced(setting, file);
    const steps = engine.filter(({ cat }) => cat === 'step').map(({ name }) => name);
    expect(steps).toEqual(['step 1', 'step 2', 'step 3']);
  });

  it('changes nothing of the training', async () => {
    const setting = await Setting.make();
    const plain = await setting.train();
    const profiled = await setting.train({ profile: true });
    expect(profiled.summary.metrics).toEqual(plain.summary.metrics);
  });
});

function endOf({ ts, dur }: Event): number {
  // Sums of microseconds in float64 are good to a nanosecond.
  return ts + dur + 1e-3;
}
