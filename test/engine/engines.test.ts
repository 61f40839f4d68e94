/** What every engine promises beyond its kernels: buffers, bindings, and the order of things. */

import { describe, expect, test } from 'vitest';
import { DTYPES, toHostArray } from '../../src/base/dtype.ts';
import { EngineError } from '../../src/base/errors.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import type { Attrs } from '../../src/engine/program.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { add, filled, list, SUM } from './buffers.ts';
import { type } from './cases/case.ts';
import { group } from './cases/groups.ts';

describe.each([
  ['reference', referenceEngine()],
  ['cpu', cpuEngine()],
] as const)('%s', (name, engine: Engine) => {
  test('says its name', () => {
    expect(engine.name).toBe(name);
  });

  test.each(DTYPES)(
    'a %s buffer is zero at birth and gives back what was written',
    async (dtype) => {
      const storage = engine.allocate(dtype, 3);
      expect(storage).toMatchObject({ dtype, numel: 3, disposed: false });
      expect(engine.readSync(storage)).toEqual(toHostArray(dtype, [0, 0, 0]));
      const data = toHostArray(dtype, [1, 0, 1]);
      engine.write(storage, data);
      expect(engine.readSync(storage)).toEqual(data);
      expect(await engine.read(storage)).toEqual(data);
      expect(() => engine.write(storage, toHostArray(dtype, [1]))).toThrow(EngineError);
      storage.dispose();
      expect(storage.disposed).toBe(true);
      expect(() => engine.readSync(storage)).toThrow(EngineError);
    },
  );

  test('bfloat16 is rounded to nearest even when it is read', () => {
    // 1 + 2^-8 is halfway between 1 and 1 + 2^-7; 1 + 3 * 2^-8 between 1 + 2^-7 and 1 + 2^-6.
    const storage = filled(engine, 'bfloat16', [
      1 + 2 ** -8,
      1 + 3 * 2 ** -8,
      1e-40,
      NaN,
      -Infinity,
    ]);
    const [down, up, tiny, nan, infinite] = engine.readSync(storage);
    expect([down, up]).toEqual([1, 1 + 2 ** -6]);
    expect(tiny).toBeLessThan(1.1e-40);
    expect(nan).toBeNaN();
    expect(infinite).toBe(-Infinity);
  });

  test('float16 is rounded to nearest even, its smallest numbers with fewer digits', () => {
    // 1 + 2^-11 is halfway between 1 and 1 + 2^-10; 2^-25 between 0 and the smallest number.
    const values = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25, 3 * 2 ** -26, 65519, 65520, NaN];
    const storage = filled(engine, 'float16', [...values, -Infinity]);
    const expected = [1, 1 + 2 ** -9, 0, 2 ** -24, 65504, Infinity, NaN, -Infinity];
    expect([...engine.readSync(storage)]).toEqual(expected);
  });

  test('an empty buffer', () => {
    const storage = engine.allocate('float32', 0);
    engine.write(storage, new Float32Array(0));
    expect(engine.readSync(storage)).toHaveLength(0);
  });

  test('runs in order, each run and write seeing the ones before', async () => {
    const executable = engine.load(SUM);
    const a = filled(engine, 'float32', [1, 2, 3]);
    const b = filled(engine, 'float32', [10, 20, 30]);
    const c = engine.allocate('float32', 3);
    const d = engine.allocate('float32', 3);
    const runs = [executable.run([a, b, c], []), executable.run([c, b, d], [])];
    engine.write(a, Float32Array.of(0, 0, 0));
    expect(list(engine.readSync(d))).toEqual([21, 42, 63]);
    await Promise.all(runs);
    executable.runSync([a, b, c], []);
    expect(list(await engine.read(c))).toEqual([10, 20, 30]);
    executable.dispose();
  });

  test('one buffer read twice', () => {
    const a = filled(engine, 'float32', [1, 2, 3]);
    const c = engine.allocate('float32', 3);
    engine.load(SUM).runSync([a, a, c], []);
    expect(list(engine.readSync(c))).toEqual([2, 4, 6]);
  });

  test('updates replace contents at the end: every instruction sees the old ones', () => {
    // x <- x + y, y <- x + x, both from the old x and y.
    const executable = engine.load({
      values: new Array(4).fill(type('float32', 2)),
      instructions: [add(0, 1, 2), add(0, 0, 3)],
      bindings: [
        { access: 'update', value: 0, result: 2 },
        { access: 'update', value: 1, result: 3 },
      ],
      scalars: [],
    });
    const x = filled(engine, 'float32', [1, 2]);
    const y = filled(engine, 'float32', [10, 20]);
    executable.runSync([x, y], []);
    expect([...list(engine.readSync(x)), ...list(engine.readSync(y))]).toEqual([11, 22, 2, 4]);
    executable.runSync([x, y], []);
    expect([...list(engine.readSync(x)), ...list(engine.readSync(y))]).toEqual([13, 26, 22, 44]);
  });

  test('two buffers change places', () => {
    const executable = engine.load({
      values: [type('float32', 2), type('float32', 2)],
      instructions: [],
      bindings: [
        { access: 'update', value: 0, result: 1 },
        { access: 'update', value: 1, result: 0 },
      ],
      scalars: [],
    });
    const x = filled(engine, 'float32', [1, 2]);
    const y = filled(engine, 'float32', [3, 4]);
    executable.runSync([x, y], []);
    expect([...list(engine.readSync(x)), ...list(engine.readSync(y))]).toEqual([3, 4, 1, 2]);
  });

  test('a written value may be an input, an alias, and bound twice', () => {
    const executable = engine.load({
      values: [type('float32', 4), type('float32', 2, 2), type('float32', 2, 2)],
      instructions: [
        { kernel: 'alias', inputs: [0], outputs: [1], attrs: {}, label: 'reshape' },
        add(1, 1, 2),
      ],
      bindings: [
        { access: 'read', value: 0 },
        { access: 'write', value: 0 },
        { access: 'write', value: 1 },
        { access: 'write', value: 2 },
        { access: 'write', value: 2 },
      ],
      scalars: [],
    });
    const x = filled(engine, 'float32', [1, 2, 3, 4]);
    const out = [0, 1, 2, 3].map(() => engine.allocate('float32', 4));
    executable.runSync([x, ...out], []);
    expect(out.map((storage) => list(engine.readSync(storage)))).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
      [2, 4, 6, 8],
      [2, 4, 6, 8],
    ]);
  });

  test('an update through an alias of the old contents', () => {
    // x <- x + x while a reshaped x is also written out: the alias must show the old contents.
    const executable = engine.load({
      values: [type('float32', 2), type('float32', 2, 1), type('float32', 2)],
      instructions: [
        { kernel: 'alias', inputs: [0], outputs: [1], attrs: {}, label: 'reshape' },
        add(0, 0, 2),
      ],
      bindings: [
        { access: 'update', value: 0, result: 2 },
        { access: 'write', value: 1 },
      ],
      scalars: [],
    });
    const x = filled(engine, 'float32', [1, 2]);
    const old = engine.allocate('float32', 2);
    executable.runSync([x, old], []);
    expect([...list(engine.readSync(x)), ...list(engine.readSync(old))]).toEqual([2, 4, 1, 2]);
  });

  test('scalars are given anew at every run, in their dtype', () => {
    const executable = engine.load({
      values: [
        type('float32', 3),
        type('float32'),
        type('int64'),
        type('float32', 3),
        type('int64'),
      ],
      instructions: [
        add(0, 1, 3),
        {
          ...{ kernel: 'pointwise', inputs: [2], outputs: [4], label: 'neg' },
          attrs: group(1, [['neg', 'int64', [0]]]) as Attrs,
        },
      ],
      bindings: [
        { access: 'read', value: 0 },
        { access: 'write', value: 3 },
        { access: 'write', value: 4 },
      ],
      scalars: [1, 2],
    });
    const x = filled(engine, 'float32', [1, 2, 3]);
    const y = engine.allocate('float32', 3);
    const n = engine.allocate('int64', 1);
    executable.runSync([x, y, n], [0.5, 2 ** 40]);
    expect([...list(engine.readSync(y)), ...list(engine.readSync(n))]).toEqual([
      1.5,
      2.5,
      3.5,
      -(2 ** 40),
    ]);
    executable.runSync([x, y, n], [-1, 7]);
    expect([...list(engine.readSync(y)), ...list(engine.readSync(n))]).toEqual([0, 1, 2, -7]);
  });

  test('a long chain of intermediates', () => {
    // x[i + 2] = x[i + 1] - x[i] repeats itself after six steps, without rounding.
    const length = 199;
    const attrs = group(2, [['sub', 'float32', [0, 1]]]) as Attrs;
    const executable = engine.load({
      values: new Array(length + 2).fill(type('float32', 3)),
      instructions: Array.from({ length }, (_, i) => ({
        ...{ kernel: 'pointwise', inputs: [i + 1, i], outputs: [i + 2], attrs },
        label: `step ${i}`,
      })),
      bindings: [
        { access: 'read', value: 0 },
        { access: 'read', value: 1 },
        { access: 'write', value: length + 1 },
      ],
      scalars: [],
    });
    const out = engine.allocate('float32', 3);
    const first = filled(engine, 'float32', [1, 2, -5]);
    const second = filled(engine, 'float32', [10, 2.5, 0]);
    executable.runSync([first, second, out], []);
    expect(list(engine.readSync(out))).toEqual([9, 0.5, 5]);
    expect(executable.kernels.map(({ label }) => label)).toContain('step 198');
    expect(executable.memory.binding_bytes).toBe(3 * 3 * 4);
    expect(executable.memory.arena_bytes).toBeGreaterThan(0);
    expect(executable.plan()).toContain('step 198');
  });
});
