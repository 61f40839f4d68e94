/** Moved images on both engines, batches made ahead, and several runs in one call. */

import { describe, expect, test } from 'vitest';
import { EngineError } from '../../src/base/errors.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { BatchSlot, ImageSource, PixelMove } from '../../src/engine/images.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { filled, list, SUM } from './buffers.ts';

const CHANNELS = 2;
const HEIGHT = 5;
const WIDTH = 4;
const COUNT = 9;

const CROP: PixelMove = {
  kind: 'crop',
  ...{ height: 4, width: 6, left: 2, top: 0, right: 1, bottom: 1 },
};
const FLIP: PixelMove = { kind: 'flip', probability: 0.5 };

function sourceOn(engine: Engine, moves: readonly PixelMove[]): ImageSource {
  const size = COUNT * CHANNELS * HEIGHT * WIDTH;
  const bytes = Array.from({ length: size }, (_, i) => (i * 37) % 256);
  return {
    images: filled(engine, 'uint8', bytes),
    labels: filled(engine, 'int64', [...Array(COUNT).keys()]),
    table: Float32Array.from({ length: CHANNELS * 256 }, (_, i) => i / 8 - 3),
    ...{ channels: CHANNELS, height: HEIGHT, width: WIDTH, moves, seed: 2 ** 40 + 7 },
  };
}

function slotOn(engine: Engine, samples: number, pixels: number): BatchSlot {
  return {
    inputs: engine.allocate('float32', samples * CHANNELS * pixels),
    targets: engine.allocate('int64', samples),
  };
}

describe('moved images', () => {
  test.each([
    ['a crop with padding', [CROP], 24],
    ['a flip', [FLIP], HEIGHT * WIDTH],
    ['both, in either order', [FLIP, CROP, FLIP], 24],
  ])('%s: cpu shows the pixels that reference shows', (_, moves, pixels) => {
    const indices = Int32Array.of(3, 8, 0, 3);
    const seen = new Set<string>();
    for (const epoch of [0, 1, 3, 2 ** 31]) {
      const [expected, actual] = [referenceEngine(), cpuEngine()].map((engine) => {
        const slot = slotOn(engine, indices.length, pixels);
        engine.images(sourceOn(engine, moves)).gather(indices, epoch, slot);
        return list(engine.readSync(slot.inputs));
      });
      expect(actual).toEqual(expected);
      seen.add(actual!.join());
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  test('a crop larger than the padded image is refused', () => {
    const engine = cpuEngine();
    const source = sourceOn(engine, [{ ...CROP, height: 7 }]);
    expect(() => engine.images(source)).toThrow('larger than the padded image');
  });
});

describe('a stream', () => {
  const engine = cpuEngine();
  const order = Int32Array.from({ length: 30 }, (_, i) => (i * 4) % COUNT);

  test('gives the batches that gather gives, in turn, a smaller one at the end', () => {
    const images = engine.images(sourceOn(engine, [CROP, FLIP]));
    const slots = [0, 1, 2, 3].map(() => slotOn(engine, 4, 24));
    const tail = slotOn(engine, 2, 24);
    const stream = images.stream!({ order, batch_size: 4, epoch: 3, slots, tail, ahead: 2 });
    for (let i = 0; i < 8; i++) {
      const indices = order.subarray(4 * i, 4 * i + 4);
      stream.take();
      const slot = i === 7 ? tail : slots[i % 4]!;
      const expected = slotOn(engine, indices.length, 24);
      images.gather(indices, 3, expected);
      expect(engine.readSync(slot.inputs)).toEqual(engine.readSync(expected.inputs));
      expect(engine.readSync(slot.targets)).toEqual(engine.readSync(expected.targets));
    }
    expect(() => stream.take()).toThrow('all 8 were taken');
    stream.dispose();
    expect(() => stream.take()).toThrow(EngineError);
  });

  test('fills what was taken when it is given up, and frees itself when it is forgotten', () => {
    const images = engine.images(sourceOn(engine, []));
    const slots = [0, 1, 2].map(() => slotOn(engine, 3, HEIGHT * WIDTH));
    const request = { order, batch_size: 3, epoch: 0, slots, ahead: 1 };
    const stream = images.stream!(request);
    for (let i = 0; i < 3; i++) stream.take();
    stream.dispose();
    expect(list(engine.readSync(slots[2]!.targets))).toEqual([...order.subarray(6, 9)]);
    images.stream!(request);
  });

  test('a batch gathered by hand into a promised slot comes after the promised one', () => {
    const images = engine.images(sourceOn(engine, []));
    const batch_size = 40_000;
    const slots = [0, 1, 2, 3].map(() => slotOn(engine, batch_size, HEIGHT * WIDTH));
    const order = new Int32Array(4 * batch_size).fill(1);
    const indices = new Int32Array(batch_size).fill(7);
    const stream = images.stream!({ order, batch_size, epoch: 0, slots, ahead: 4 });
    for (let i = 0; i < 4; i++) stream.take();
    // The last one to be filled: the stream has other work for longer than this takes.
    const slot = slots[3]!;
    images.gather(indices, 0, slot);
    stream.dispose(); // returns once everything promised is filled
    expect(new Set(list(engine.readSync(slot.targets)))).toEqual(new Set([7]));
  });

  test.each([
    ['a batch of nothing', { batch_size: 0 }],
    ['a sample that does not exist', { order: Int32Array.of(0, COUNT) }],
    ['slots of another size', { batch_size: 5 }],
    ['more ahead than there are slots', { ahead: 3 }],
    ['a smaller batch without a place', { order: order.subarray(0, 4) }],
  ])('refuses %s', (_, change) => {
    const images = engine.images(sourceOn(engine, []));
    const slots = [0, 1].map(() => slotOn(engine, 3, HEIGHT * WIDTH));
    const request = { order, batch_size: 3, epoch: 0, slots, ahead: 1, ...change };
    expect(() => images.stream!(request)).toThrow(EngineError);
  });
});

describe.each([
  ['reference', referenceEngine()],
  ['cpu', cpuEngine()],
] as const)('several runs in one call: %s', (_, engine: Engine) => {
  const run = (a: number[], b: number[]) => ({
    storages: [
      filled(engine, 'float32', a),
      filled(engine, 'float32', b),
      engine.allocate('float32', a.length),
    ],
    scalars: [],
  });

  test('run in order, each with its own buffers', async () => {
    const executable = engine.load(SUM);
    const first = run([1, 2, 3], [1, 1, 1]);
    const second = run([0, 0, 0], [5, 6, 7]);
    // The third adds the results of the first two.
    const third = { ...run([0, 0, 0], [0, 0, 0]) };
    third.storages[0] = first.storages[2]!;
    third.storages[1] = second.storages[2]!;
    await executable.runMany([first, second, third]);
    expect(list(engine.readSync(third.storages[2]!))).toEqual([7, 9, 11]);
    await executable.runMany([]);
    executable.dispose();
  });

  test('those before one with wrong arguments are done', async () => {
    const executable = engine.load(SUM);
    const good = run([1, 2, 3], [1, 1, 1]);
    const bad = run([1, 2], [1, 1]);
    await expect(executable.runMany([good, bad, good])).rejects.toThrow(EngineError);
    expect(list(engine.readSync(good.storages[2]!))).toEqual([2, 3, 4]);
    executable.dispose();
  });
});
