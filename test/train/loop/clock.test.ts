import { describe, expect, it } from 'vitest';
import { Clock } from '../../../src/train/loop/clock.ts';

function clockAt(start: number) {
  const time = { now: start };
  return { time, clock: new Clock(() => time.now) };
}

describe('Clock', () => {
  it('counts seconds, and on from what the run took before', () => {
    const { time, clock } = clockAt(5000);
    time.now += 1500;
    expect(clock.elapsed).toBe(1.5);
    clock.goOnFrom(10);
    expect(clock.elapsed).toBe(11.5);
  });

  it('leaves pauses out of the training time', async () => {
    const { time, clock } = clockAt(0);
    time.now = 1000;
    await clock.pause(async () => {
      time.now = 4000;
      expect(clock.training).toBe(1);
    });
    time.now = 4500;
    expect([clock.training, clock.elapsed]).toEqual([1.5, 4.5]);
  });

  it('goes on after a pause that failed', async () => {
    const { time, clock } = clockAt(0);
    const failing = clock.pause(async () => {
      time.now = 2000;
      throw new Error('no space left');
    });
    await expect(failing).rejects.toThrow('no space left');
    time.now = 3000;
    expect(clock.training).toBe(1);
  });

  it('gives the speed of the last seconds, not of the whole run', () => {
    const { time, clock } = clockAt(0);
    expect(clock.mark(0)).toBe(0);
    time.now = 1000;
    expect(clock.mark(100)).toBe(100);
    for (let second = 2; second <= 20; second++) {
      time.now = second * 1000;
      clock.mark(100 + (second - 1) * 500);
    }
    time.now = 21_000;
    expect(clock.mark(100 + 20 * 500)).toBe(500);
  });
});
