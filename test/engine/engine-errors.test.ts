/** What every engine refuses, and how it says so; and gatherRows with what it refuses. */

import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/base/errors.ts';
import type { Engine, Storage } from '../../src/engine/engine.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import type { Program } from '../../src/engine/program.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { add, filled, list, SUM } from './buffers.ts';
import { programOf, type } from './cases/case.ts';
import { MALFORMED } from './cases/malformed.ts';

describe.each([
  ['reference', referenceEngine()],
  ['cpu', cpuEngine()],
] as const)('%s', (_, engine: Engine) => {
  describe('refuses', () => {
    const refused = (change: Partial<Program>, message: RegExp) => {
      expect(() => engine.load({ ...SUM, ...change })).toThrow(EngineError);
      expect(() => engine.load({ ...SUM, ...change })).toThrow(message);
    };

    test('a Program that reads what was not made, or makes it twice', () => {
      refused({ bindings: SUM.bindings.slice(1) }, /value 0/);
      refused({ instructions: [add(0, 7, 2)] }, /value 7/);
      refused({ instructions: [add(0, 1, 2), add(0, 1, 2)] }, /value 2/);
      refused({ bindings: [...SUM.bindings, { access: 'read', value: 0 }] }, /value 0/);
    });

    test('an unknown kernel and operands that do not fit, naming the label', () => {
      const unknown = { ...add(0, 1, 2, 'my layer'), kernel: 'no_such_kernel' as 'pointwise' };
      refused({ instructions: [unknown] }, /no_such_kernel/);
      const values = [type('float32', 3), type('float32', 4), type('float32', 3)];
      refused({ values, instructions: [add(0, 1, 2, 'my layer')] }, /my layer/);
    });

    test.for(MALFORMED.map((kernelCase) => [kernelCase.name, kernelCase] as const))(
      'to load %s',
      ([name, kernelCase]) => {
        expect(() => engine.load(programOf(kernelCase))).toThrow(EngineError);
        expect(() => engine.load(programOf(kernelCase))).toThrow(name);
      },
    );

    test('buffers of another number, size or dtype, and disposed ones', async () => {
      const executable = engine.load(SUM);
      const good = [0, 1, 2].map(() => engine.allocate('float32', 3));
      const run =
        (...storages: Storage[]) =>
        () =>
          executable.runSync(storages, []);
      expect(run(good[0]!, good[1]!)).toThrow(EngineError);
      expect(run(good[0]!, engine.allocate('float32', 4), good[2]!)).toThrow(EngineError);
      expect(run(good[0]!, engine.allocate('int32', 3), good[2]!)).toThrow(EngineError);
      expect(() => executable.runSync(good, [1])).toThrow(EngineError);
      good[1]!.dispose();
      expect(run(...good)).toThrow(EngineError);
      await expect(executable.run(good, [])).rejects.toThrow(EngineError);
    });

    test('to run after dispose', () => {
      const executable = engine.load(SUM);
      executable.dispose();
      const buffers = [0, 1, 2].map(() => engine.allocate('float32', 3));
      expect(() => executable.runSync(buffers, [])).toThrow(EngineError);
    });
  });

  describe('gatherRows', () => {
    // Two channels of two pixels; the second channel's table is shifted by 1000.
    const table = Float32Array.from({ length: 512 }, (_, i) => (i < 256 ? i / 2 : i - 256 + 1000));
    const request = (indices: number[], outputs = indices.length * 4) => ({
      source: filled(engine, 'uint8', [0, 1, 2, 3, 10, 11, 12, 13, 252, 253, 254, 255]),
      indices: Int32Array.from(indices),
      ...{ table, channels: 2, pixels: 2 },
      destination: engine.allocate('float32', outputs),
    });

    test('maps the bytes of chosen rows through a table for each channel', () => {
      const batch = request([2, 0, 2]);
      engine.gatherRows(batch);
      const last = [126, 126.5, 1254, 1255];
      expect(list(engine.readSync(batch.destination))).toEqual([
        ...last,
        0,
        0.5,
        1002,
        1003,
        ...last,
      ]);
    });

    test('refuses indices out of range and sizes that do not fit', () => {
      expect(() => engine.gatherRows(request([0, 3]))).toThrow(EngineError);
      expect(() => engine.gatherRows(request([-1]))).toThrow(EngineError);
      expect(() => engine.gatherRows(request([0, 1], 7))).toThrow(EngineError);
      expect(() => engine.gatherRows({ ...request([0]), pixels: 5 })).toThrow(EngineError);
      expect(() => engine.gatherRows({ ...request([0]), table: table.subarray(1) })).toThrow(
        EngineError,
      );
    });
  });
});
