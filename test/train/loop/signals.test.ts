/** SIGINT and SIGTERM, at moments when training is busy with something else. */

import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { StepQueue } from '../../../src/train/loop/step-queue.ts';
import { projectOf, trainIn } from '../process.ts';

const GET = 'get(i: number) { return [[i, 1, 2, 3], [i % 3]] as const; }';

describe('a signal', { timeout: 60_000 }, () => {
  it('while the data are read ends the command without a run', async () => {
    const folder = await projectOf(`${GET}
      async load() {
        console.log('reading');
        await new Promise((resolve) => setTimeout(resolve, 40_000));
      }`);
    const ended = await trainIn(folder, [], { act: (_, child) => child.kill('SIGINT') });
    expect(ended).toMatchObject({ code: 130, err: '' });
    expect(ended.out).toBe('reading\nstopped by SIGINT before training began\n');
    expect(ended.seconds).toBeLessThan(15);
  });

  it('during a long evaluation writes a checkpoint of the step before it', async () => {
    const folder = await projectOf(
      'get(i: number) { if (this.held_out) busy(1000); return [[i, 1, 2, 3], [1]] as const; }',
    );
    const ended = await trainIn(folder, ['--json'], {
      act: (said, child) => said.includes('"event":"metrics","step":8') && child.kill('SIGTERM'),
    });
    expect(ended).toMatchObject({ code: 143, err: '' });
    expect(ended.out).toContain('{"event":"stopped","step":8,"signal":"SIGTERM","checkpoint":"');
    expect(ended.out).not.toContain('"split":"val"');
    expect(ended.seconds).toBeLessThan(15);
  });

  it('that is repeated ends the command at once', async () => {
    const folder = await projectOf(
      'get(i: number) { busy(800); return [[i, 1, 2, 3], [1]] as const; }',
    );
    const ended = await trainIn(folder, [], {
      act: (said, child) => {
        if (!said.includes('writing')) return false;
        child.kill('SIGINT');
        sleep(700).then(() => child.kill('SIGINT'));
        return true;
      },
    });
    expect(ended.code).toBe(130);
    expect(ended.seconds).toBeLessThan(10);
  });
});

describe('steps whose batches take long to make', () => {
  it('let others have a turn, however soon the engine is done with them', async () => {
    const field = { dtype: 'float32', shape: [] } as const;
    const loader = { dataset: { input: field, target: field }, batchSize: 1 } as never;
    const queue = new StepQueue({ many: async () => [undefined] }, loader);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    for (let i = 0; i < 5; i++) {
      for (const end = performance.now() + 150; performance.now() < end; );
      queue.add({ inputs: {}, targets: {}, size: 1 } as never);
      if (queue.full) await queue.room();
    }
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(5);
  });
});

describe('steps that take long', () => {
  it('are handed over one at a time, so that a signal waits for one', async () => {
    let ms = 0;
    const step = { many: () => sleep(ms).then(() => [undefined]) };
    const field = { dtype: 'float32', shape: [] } as const;
    const loader = { dataset: { input: field, target: field }, batchSize: 1 } as never;
    const queue = new StepQueue(step, loader);
    const batch = () => ({ inputs: {}, targets: {}, size: 1 }) as never;
    const isFullAfterOne = () => {
      queue.add(batch());
      return queue.full;
    };
    expect(isFullAfterOne()).toBe(true); // nobody knows yet
    await queue.idle();
    queue.add(batch());
    await queue.idle();
    expect(isFullAfterOne()).toBe(false);
    await queue.idle();
    ms = 1100;
    queue.add(batch());
    await queue.idle();
    expect(isFullAfterOne()).toBe(true);
    await queue.idle();
  });
});
