import { describe, expect, test } from 'vitest';
import { isOff, switchedOff, withOff } from '../../src/engine/switches.ts';

describe('withOff', () => {
  test('switches off inside of the body alone, on top of what is off', () => {
    const before = switchedOff();
    withOff(['fuse'], () => {
      expect(isOff('fuse')).toBe(true);
      withOff(['cse'], () => expect(switchedOff()).toEqual([...before, 'cse', 'fuse'].sort()));
      expect(isOff('cse')).toBe(false);
    });
    expect(switchedOff()).toEqual(before);
  });

  test('ends when the body throws, and when its promise settles', async () => {
    expect(() =>
      withOff(['a'], () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(isOff('a')).toBe(false);
    const later = withOff(['a'], async () => {
      await Promise.resolve();
      return isOff('a');
    });
    expect(isOff('a')).toBe(true);
    expect(await later).toBe(true);
    expect(isOff('a')).toBe(false);
  });
});
