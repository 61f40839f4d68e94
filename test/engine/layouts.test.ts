/**
 * Values in blocked layouts: what the caller sees stays row-major, and the numbers stay the same.
 */

import { describe, expect, test } from 'vitest';
import type { Storage } from '../../src/engine/engine.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import type { Program } from '../../src/engine/program.ts';
import { withOff } from '../../src/engine/switches.ts';
import { list } from './buffers.ts';
import { seeded, type } from './cases/case.ts';

const engine = cpuEngine();
const attrs = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };

/** y = conv(x, w); w <- w - 0.01 * (w's gradient for g = y): a training step in one layer. */
const STEP: Program = {
  values: [
    type('float32', 2, 32, 6, 5),
    type('float32', 48, 32, 3, 3),
    type('float32', 2, 48, 6, 5),
    type('float32', 48, 32, 3, 3),
    type('float32', 48, 32, 3, 3),
  ],
  instructions: [
    { kernel: 'conv2d_fwd', inputs: [0, 1], outputs: [2], attrs, label: 'conv' },
    { kernel: 'conv2d_bwd_weight', inputs: [2, 0], outputs: [3], attrs, label: 'gradient' },
    {
      kernel: 'pointwise',
      inputs: [1, 3],
      outputs: [4],
      attrs: {
        fns: ['const', 'mul', 'sub'],
        types: ['float32', 'float32', 'float32'],
        args: [-1, -1, -1, 1, 2, -1, 0, 3, -1],
        imms: [1e-4, 0, 0],
        results: [4],
      },
      label: 'update',
    },
  ],
  bindings: [
    { access: 'read', value: 0 },
    { access: 'update', value: 1, result: 4 },
    { access: 'write', value: 2 },
  ],
  scalars: [],
};

/** Takes every ninth weight in row-major order. */
const READ_ROWS: Program = {
  values: [type('float32', 48, 32, 3, 3), type('float32', 48 * 32 * 9), type('float32', 100)],
  instructions: [
    { kernel: 'alias', inputs: [0], outputs: [1], attrs: {}, label: 'flatten' },
    {
      kernel: 'copy_view',
      inputs: [1],
      outputs: [2],
      attrs: { offset: 7, strides: [9] },
      label: 'slice',
    },
  ],
  bindings: [
    { access: 'read', value: 0 },
    { access: 'write', value: 2 },
  ],
  scalars: [],
};

function filled(name: string, numel: number): Storage {
  const random = seeded(name);
  const storage = engine.allocate('float32', numel);
  engine.write(
    storage,
    Float32Array.from({ length: numel }, () => random() - 0.5),
  );
  return storage;
}

const buffers = () => [
  filled('x', 2 * 32 * 30),
  filled('w', 48 * 32 * 9),
  engine.allocate('float32', 2 * 48 * 30),
];

function expectClose(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  const worst = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
  expect(worst).toBeLessThan(1e-4);
}

describe('blocked layouts', () => {
  test('steps agree with steps in rows, and their buffers read as rows', async () => {
    const plain = withOff(['layouts'], () => engine.load(STEP));
    const blocked = engine.load(STEP);
    expect(plain.plan()).not.toMatch(/aBcd|ABcd/);
    const [expected, actual] = [buffers(), buffers()];
    for (let step = 0; step < 3; step++) {
      plain.runSync(expected, []);
      blocked.runSync(actual, []);
      for (const [k, storage] of actual.entries()) {
        expectClose(list(engine.readSync(storage)), list(engine.readSync(expected[k]!)));
        expectClose(list(await engine.read(storage)), list(engine.readSync(storage)));
      }
    }
  });

  test('a Program that reads rows finds rows, and the step goes on from there', async () => {
    const [plain, blocked] = [withOff(['layouts'], () => engine.load(STEP)), engine.load(STEP)];
    const rows = engine.load(READ_ROWS);
    const [expected, actual] = [buffers(), buffers()];
    const slice = engine.allocate('float32', 100);
    for (let step = 0; step < 3; step++) {
      plain.runSync(expected, []);
      // Queued one behind the other: each finds what the one before leaves.
      const runs = [blocked.run(actual, []), rows.run([actual[1]!, slice], [])];
      const weights = list(engine.readSync(expected[1]!));
      const wanted = Array.from({ length: 100 }, (_, i) => weights[7 + 9 * i]!);
      expectClose(list(engine.readSync(slice)), wanted);
      expectClose(list(engine.readSync(actual[1]!)), weights);
      await Promise.all(runs);
    }
  });

  test('what is written goes in as rows', () => {
    const blocked = engine.load(STEP);
    const [fresh, used] = [buffers(), buffers()];
    blocked.runSync(used, []);
    engine.write(used[1]!, engine.readSync(fresh[1]!));
    blocked.runSync(fresh, []);
    blocked.runSync(used, []);
    for (const [k, storage] of used.entries()) {
      expect(list(engine.readSync(storage))).toEqual(list(engine.readSync(fresh[k]!)));
    }
  });

  test('one buffer may be read in two layouts by one run', () => {
    const conv = (x: number, w: number, y: number) => ({
      kernel: 'conv2d_fwd' as const,
      inputs: [x, w],
      outputs: [y],
      attrs: { ...attrs, padding: [0, 0] },
      label: 'conv',
    });
    const square = type('float32', 32, 32, 3, 3);
    const program: Program = {
      values: [square, square, type('float32', 32, 32, 1, 1)],
      instructions: [conv(0, 1, 2)],
      bindings: [
        { access: 'read', value: 0 },
        { access: 'read', value: 1 },
        { access: 'write', value: 2 },
      ],
      scalars: [],
    };
    const both = filled('both', 32 * 32 * 9);
    const results = [[], ['layouts']].map((off) => {
      const y = engine.allocate('float32', 32 * 32);
      withOff(off, () => engine.load(program)).runSync([both, both, y], []);
      return list(engine.readSync(y));
    });
    expectClose(results[0]!, results[1]!);
  });
});
