import { describe, expect, it } from 'vitest';
import { Pipeline } from '../../../src/train/loop/pipeline.ts';

function run() {
  let finish: () => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const done = new Promise<void>((resolve, reject) => {
    finish = resolve;
    fail = reject;
  });
  return { done, finish, fail };
}

describe('Pipeline', () => {
  it('is full at its depth, and has room again when a run is done', async () => {
    const pipeline = new Pipeline(2);
    const [first, second] = [run(), run()];
    pipeline.add(first.done);
    expect(pipeline.full).toBe(false);
    pipeline.add(second.done);
    expect(pipeline.full).toBe(true);
    let hasRoom = false;
    const waiting = pipeline.room().then(() => {
      hasRoom = true;
    });
    await Promise.resolve();
    expect(hasRoom).toBe(false);
    first.finish();
    await waiting;
    expect(pipeline.full).toBe(false);
    second.finish();
    await pipeline.idle();
  });

  it('is idle at once when nothing runs', async () => {
    await new Pipeline(3).idle();
  });

  it('throws the first failure to whoever waits, and to everyone after', async () => {
    const pipeline = new Pipeline(3);
    const [first, second, third] = [run(), run(), run()];
    for (const { done } of [first, second, third]) pipeline.add(done);
    const waiting = pipeline.idle();
    second.fail(new Error('second'));
    third.fail(new Error('third'));
    await expect(waiting).rejects.toThrow('second');
    await expect(pipeline.room()).rejects.toThrow('second');
    expect(pipeline.full).toBe(true);
    first.finish();
    await expect(pipeline.idle()).rejects.toThrow('second');
  });
});
