/** Buffers of the bytes of a file, on both engines. */

import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/base/errors.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { addonPath } from '../../src/engine/native/loader.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';
import { filled, list } from './buffers.ts';

const BYTES = Uint8Array.from({ length: 20_000 }, (_, i) => (i * 37) % 251);

async function file(): Promise<string> {
  const path = join(await temporaryFolder(), 'bytes');
  writeFileSync(path, BYTES);
  return path;
}

function map(engine: Engine, path: string, offset: number, length: number) {
  const fd = openSync(path, 'r');
  try {
    return engine.map({ fd, path, offset, length });
  } finally {
    closeSync(fd);
  }
}

describe.each([cpuEngine(), referenceEngine()])('a file mapped by $name', (engine) => {
  test.each([
    [0, 20_000],
    [4096, 100],
    [5001, 14_999],
    [20_000, 0],
  ])('has the bytes from %i on, %i of them', async (offset, length) => {
    const storage = map(engine, await file(), offset, length);
    expect([storage.dtype, storage.numel]).toEqual(['uint8', length]);
    expect(engine.readSync(storage)).toEqual(BYTES.slice(offset, offset + length));
    storage.dispose();
    expect(() => engine.readSync(storage)).toThrow(EngineError);
  });

  test('is not changed by what is written to the buffer', async () => {
    const path = await file();
    const storage = map(engine, path, 10, 3);
    engine.write(storage, Uint8Array.of(1, 2, 3));
    expect(list(engine.readSync(storage))).toEqual([1, 2, 3]);
    expect(new Uint8Array(readFileSync(path))).toEqual(BYTES);
  });

  test.each([
    [0, 20_001],
    [20_001, 0],
    [2 ** 53 - 1, 10],
  ])('is refused where it ends before byte %i + %i', async (offset, length) => {
    const path = await file();
    expect(() => map(engine, path, offset, length)).toThrow(EngineError);
    expect(() => map(engine, path, offset, length)).toThrow(
      `[map] ${path}: has 20000 bytes, but ${length} are asked for from byte ${offset} on`,
    );
  });

  test('serves as the images that batches are made of', async () => {
    const path = await file();
    const batch = (images: ReturnType<typeof map>) => {
      const slot = { inputs: engine.allocate('float32', 12), targets: engine.allocate('int64', 2) };
      const labels = filled(engine, 'int64', [5, 6, 7, 8]);
      const table = Float32Array.from({ length: 256 }, (_, i) => i / 2);
      const shape = { channels: 1, height: 2, width: 3, moves: [], seed: 0 };
      const source = engine.images({ images, labels, table, ...shape });
      source.gather(Int32Array.of(3, 1), 0, slot);
      images.dispose();
      return [list(engine.readSync(slot.inputs)), list(engine.readSync(slot.targets))];
    };
    const written = filled(engine, 'uint8', [...BYTES.subarray(4096, 4120)]);
    expect(batch(map(engine, path, 4096, 24))).toEqual(batch(written));
  });
});

test('a worker that ends leaves the mappings of others alone', async () => {
  const path = await file();
  const own = map(cpuEngine(), path, 0, 20_000);
  const code = `
    const { workerData: { addon, path }, parentPort } = require('node:worker_threads');
    const { Storage } = require(addon);
    const fd = require('node:fs').openSync(path, 'r');
    const storage = new Storage('uint8', 20000, { fd, path, offset: 0 });
    parentPort.postMessage(storage.readSync(new Uint8Array(20000)));`;
  const worker = new Worker(code, { eval: true, workerData: { addon: addonPath(), path } });
  const seen = await new Promise((resolve, reject) => {
    worker.on('message', resolve).on('error', reject);
  });
  await worker.terminate();
  expect(seen).toEqual(BYTES);
  expect(cpuEngine().readSync(own)).toEqual(BYTES);
});
