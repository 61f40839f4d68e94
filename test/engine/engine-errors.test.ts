/** What every engine refuses, and how it says so; and batches of images with what they refuse. */

import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/base/errors.ts';
import type { Engine, Storage } from '../../src/engine/engine.ts';
import type { ImageSource } from '../../src/engine/images.ts';
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

  describe('images', () => {
    // Two channels of one row of two pixels; the second channel's table is shifted by 1000.
    const table = Float32Array.from({ length: 512 }, (_, i) => (i < 256 ? i / 2 : i - 256 + 1000));
    const source = (): ImageSource => ({
      images: filled(engine, 'uint8', [0, 1, 2, 3, 10, 11, 12, 13, 252, 253, 254, 255]),
      labels: filled(engine, 'int64', [5, 6, 7]),
      ...{ table, channels: 2, height: 1, width: 2, moves: [], seed: 0 },
    });
    const slot = (size: number, outputs = size * 4) => ({
      inputs: engine.allocate('float32', outputs),
      targets: engine.allocate('int64', size),
    });

    test('maps the bytes of chosen images through a table for each channel', () => {
      const batch = slot(3);
      engine.images(source()).gather(Int32Array.of(2, 0, 2), 0, batch);
      const last = [126, 126.5, 1254, 1255];
      const first = [0, 0.5, 1002, 1003];
      expect(list(engine.readSync(batch.inputs))).toEqual([...last, ...first, ...last]);
      expect(list(engine.readSync(batch.targets))).toEqual([7, 5, 7]);
    });

    test('numbers the images of several sources one source after the other', () => {
      const batch = slot(3);
      const scaled = { ...source(), table: table.map((value) => -value) };
      engine.images(source(), scaled).gather(Int32Array.of(5, 0, 3), 0, batch);
      expect(list(engine.readSync(batch.inputs))).toEqual(
        [-126, -126.5, -1254, -1255].concat([0, 0.5, 1002, 1003], [-0, -0.5, -1002, -1003]),
      );
      expect(list(engine.readSync(batch.targets))).toEqual([7, 5, 5]);
    });

    test('finds images that lie apart', () => {
      const batch = slot(2);
      const apart = { ...source(), begins: Float64Array.of(8, 1, 8) };
      engine.images(apart).gather(Int32Array.of(1, 2), 0, batch);
      expect(list(engine.readSync(batch.inputs))).toEqual(
        [0.5, 1, 1003, 1010].concat([126, 126.5, 1254, 1255]),
      );
      for (const wrong of [
        [8, 9, 0],
        [0, -1, 0],
        [0, Number.NaN, 0],
        [0, 2 ** 60, 0],
        [0, 0],
      ]) {
        const begins = Float64Array.from(wrong);
        expect(() => engine.images({ ...source(), begins })).toThrow(EngineError);
      }
    });

    test('refuses no source, and sources that give several shapes', () => {
      const other = { ...source(), height: 2, width: 1 };
      for (const refused of [[], [source(), other], [source(), { ...source(), width: 5 }]]) {
        expect(() => engine.images(...refused)).toThrow(EngineError);
      }
      const images = engine.images(source(), source());
      for (const index of [6, -1]) {
        const gather = () => images.gather(Int32Array.of(index), 0, slot(1));
        expect(gather).toThrow(`index ${index}`);
        expect(gather).toThrow('is out of range for 6 images');
      }
    });

    test('refuses indices out of range and sizes that do not fit', () => {
      const images = engine.images(source());
      const gather = (indices: number[], outputs?: number) => () =>
        images.gather(Int32Array.from(indices), 0, slot(indices.length, outputs));
      for (const refused of [gather([0, 3]), gather([-1]), gather([0, 1], 7)]) {
        expect(refused).toThrow(EngineError);
      }
      for (const wrong of [{ width: 5 }, { table: table.subarray(1) }, { channels: 1 }]) {
        expect(() => engine.images({ ...source(), ...wrong })).toThrow(EngineError);
      }
    });
  });
});
