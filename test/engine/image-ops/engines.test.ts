/** Every op on images on the cpu engine beside the reference, whose bytes it must give. */

import { describe, expect, test } from 'vitest';
import { EngineError } from '../../../src/base/errors.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { ImageOp, ImageWork } from '../../../src/engine/image-ops/op.ts';
import { shapeAfterAll } from '../../../src/engine/image-ops/op.ts';
import type { ImageShape } from '../../../src/engine/image-ops/pixels.ts';
import type { ImageSource } from '../../../src/engine/images.ts';
import { cpuEngine } from '../../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../../src/engine/reference/engine.ts';
import { filled, list } from '../buffers.ts';

const COLOR = { channels: 3, height: 21, width: 34 };
const GRAY = { channels: 1, height: 18, width: 7 };
const TINY = { channels: 3, height: 1, width: 1 };

/** Noise over slopes, so that neither edges nor plain colours are missing. */
function bytesOf({ channels, height, width }: ImageShape): number[] {
  return Array.from({ length: channels * height * width }, (_, i) => {
    const noise = Math.imul(i + 7, 2654435761) >>> 25;
    const slope = Math.floor((i % width) * 5 + (i / width) * 3);
    return i % 11 === 0 ? (i % 2) * 255 : (noise + slope) % 256;
  });
}

function sourceOn(engine: Engine, shape: ImageShape, to: ImageShape): ImageSource {
  return {
    images: filled(engine, 'uint8', bytesOf(shape)),
    labels: filled(engine, 'int64', [4]),
    table: Float32Array.from({ length: to.channels * 256 }, (_, i) => i),
    ...shape,
    moves: [],
    seed: 0,
    to,
  };
}

function resultOn(engine: Engine, shape: ImageShape, work: ImageWork): number[] {
  const to = shapeAfterAll(work.ops, shape);
  const slot = {
    inputs: engine.allocate('float32', to.channels * to.height * to.width),
    targets: engine.allocate('int64', 1),
  };
  const images = engine.images(sourceOn(engine, shape, to));
  images.gather(Int32Array.of(0), 0, slot, () => [work]);
  return list(engine.readSync(slot.inputs)) as number[];
}

function same(shape: ImageShape, ops: readonly ImageOp[]): void {
  const [expected, actual] = [referenceEngine(), cpuEngine()].map((engine) =>
    resultOn(engine, shape, { ops, erase: [] }),
  );
  expect(actual).toEqual(expected);
  const image = { ...shape, data: Uint8Array.from(bytesOf(shape)) };
  expect(cpuEngine().applyOps(image, ops)).toEqual(referenceEngine().applyOps(image, ops));
}

const factors = [0, 0.31, 1, 1.99, 1000];
const whole = ({ height, width }: ImageShape) => ({ top: 0, left: 0, height, width });
const fillFor = ({ channels }: ImageShape) => [12, 250.5, 99].slice(0, channels);

function opsFor(shape: ImageShape): ImageOp[] {
  const { height, width, channels } = shape;
  const ops: ImageOp[] = [
    { kind: 'crop', top: -3, left: 2, height: height + 4, width: width + 9 },
    { kind: 'crop', top: 50, left: -90, height: 3, width: 5 },
    { kind: 'horizontal_flip' },
    { kind: 'vertical_flip' },
    ...[1, 2, 3].map((turns) => ({ kind: 'rot90', turns }) as const),
    { kind: 'grayscale', channels: channels as 1 | 3, as: 'tensor' },
    { kind: 'grayscale', channels: 1, as: 'PIL' },
    { kind: 'grayscale', channels: 3, as: 'PIL' },
    { kind: 'invert' },
    { kind: 'autocontrast' },
    { kind: 'equalize' },
    ...[0, 1, 5, 8].map((bits) => ({ kind: 'posterize', bits }) as const),
    ...[-1, 0, 127.5, 255].map((threshold) => ({ kind: 'solarize', threshold }) as const),
    ...[-0.5, -0.2, 0, 0.07, 0.5].map((factor) => ({ kind: 'hue', factor }) as const),
    { kind: 'gaussian_blur', kernel_x: [1], kernel_y: [1] },
  ];
  for (const kind of ['brightness', 'contrast', 'saturation', 'sharpness'] as const) {
    ops.push(...factors.map((factor) => ({ kind, factor })));
  }
  const sides = { left: 4, top: 1, right: 0, bottom: 3 };
  ops.push({ kind: 'pad', ...sides, mode: 'constant', fill: fillFor(shape) });
  ops.push({ kind: 'pad', ...sides, mode: 'edge', fill: fillFor(shape) });
  const most = { left: width, top: height, right: 0, bottom: height };
  ops.push({ kind: 'pad', ...most, mode: 'symmetric', fill: fillFor(shape) });
  const less = { left: width - 1, top: height - 1, right: 0, bottom: 0 };
  ops.push({ kind: 'pad', ...less, mode: 'reflect', fill: fillFor(shape) });
  if (height > 2 && width > 2) {
    const kernel = [0.1, 0.2, 0.4, 0.2, 0.1];
    ops.push({ kind: 'gaussian_blur', kernel_x: kernel, kernel_y: [0.25, 0.5, 0.25] });
  }
  for (const to of [
    { height: 5, width: 9 },
    { height: 40, width: width },
    { height, width: 1 },
  ]) {
    for (const interpolation of ['nearest', 'nearest-exact', 'bilinear', 'bicubic'] as const) {
      for (const antialias of [true, false]) {
        ops.push({ kind: 'resize', ...whole(shape), to, interpolation, antialias, as: 'tensor' });
      }
    }
    for (const interpolation of ['nearest', 'box', 'hamming', 'bicubic', 'lanczos'] as const) {
      ops.push({ kind: 'resize', ...whole(shape), to, interpolation, antialias: true, as: 'PIL' });
    }
  }
  for (const interpolation of ['nearest', 'bilinear'] as const) {
    for (const fill of [null, fillFor(shape)]) {
      const matrix = [0.8, 0.3, -1.25, -0.4, 1.1, 2.5];
      ops.push({ kind: 'affine', matrix, to: { height: 9, width: 12 }, interpolation, fill });
      const far = [1e30, 0, 0, 0, 1e-30, 1e38];
      ops.push({ kind: 'affine', matrix: far, to: { height: 3, width: 4 }, interpolation, fill });
      const coefficients = [0.9, 0.1, 1, -0.1, 1.2, 0, 0.01, -0.004];
      ops.push({ kind: 'perspective', coefficients, interpolation, fill });
      const flat = [1, 0, 0, 0, 1, 0, 0, -2];
      ops.push({ kind: 'perspective', coefficients: flat, interpolation, fill });
    }
  }
  return ops;
}

describe.each([
  ['color', COLOR],
  ['gray', GRAY],
  ['one pixel', TINY],
])('%s', (_, shape) => {
  test.each(opsFor(shape).map((op) => [JSON.stringify(op), op] as const))('%s', (_, op) => {
    same(shape, [op]);
  });

  test('ops one after the other', () => {
    const to = { height: 12, width: 10 };
    const box = whole(shape);
    same(shape, [
      { kind: 'resize', ...box, to, interpolation: 'bilinear', antialias: true, as: 'tensor' },
      { kind: 'horizontal_flip' },
      { kind: 'contrast', factor: 1.4 },
      { kind: 'rot90', turns: 1 },
      { kind: 'hue', factor: 0.1 },
    ]);
  });

  test('a mix of chains', () => {
    const chains = [
      { share: 0.25, ops: [{ kind: 'vertical_flip' }, { kind: 'equalize' }] },
      { share: 0.125, ops: [] },
      { share: 0.4, ops: [{ kind: 'solarize', threshold: 100 }] },
    ] as const;
    same(shape, [{ kind: 'mix', own: 0.225, chains }]);
  });
});

describe('an image larger than vectors and blocks', () => {
  const LARGE = { channels: 3, height: 37, width: 150 };
  const to = { height: 20, width: 135 };
  const box = { top: 3, left: 5, height: 33, width: 140 };
  const gauss = (size: number, sigma: number) => {
    const weights = Array.from({ length: size }, (_, i) =>
      Math.exp(-((i - (size - 1) / 2) ** 2) / (2 * sigma ** 2)),
    );
    const sum = weights.reduce((a, b) => a + b);
    return weights.map((weight) => weight / sum);
  };
  const matrix = [0.97, 0.2, -6, -0.25, 1.04, 3];
  const coefficients = [1.1, 0.08, -4, 0.02, 1.2, -3, 0.0009, 0.002];
  const fill = fillFor(LARGE);
  const same150 = { height: 37, width: 150 };

  test.each<[string, ImageOp]>([
    ['a blur', { kind: 'gaussian_blur', kernel_x: gauss(9, 2), kernel_y: gauss(7, 1.5) }],
    ['a wide blur', { kind: 'gaussian_blur', kernel_x: gauss(31, 5), kernel_y: gauss(25, 4) }],
    ['a loud blur', { kind: 'gaussian_blur', kernel_x: [0.9, 1, 0.3], kernel_y: [1, 1, 1] }],
    [
      'means, many of them halves',
      { kind: 'gaussian_blur', kernel_x: [0.25, 0.5, 0.25], kernel_y: [0.25, 0.5, 0.25] },
    ],
    ['a flip', { kind: 'horizontal_flip' }],
    ['autocontrast', { kind: 'autocontrast' }],
    ...(['nearest', 'bilinear'] as const).flatMap((interpolation): [string, ImageOp][] => [
      [`affine, ${interpolation}`, { kind: 'affine', matrix, to: same150, interpolation, fill }],
      [`tilted, ${interpolation}`, { kind: 'perspective', coefficients, interpolation, fill }],
      [`black, ${interpolation}`, { kind: 'perspective', coefficients, interpolation, fill: null }],
    ]),
    ...(['PIL', 'tensor'] as const).map((as): [string, ImageOp] => [
      `a resize of ${as}`,
      { kind: 'resize', ...box, to, interpolation: 'bicubic', antialias: true, as },
    ]),
  ])('%s', (_, op) => same(LARGE, [op]));

  test('is moved row by row', () => {
    const indices = Int32Array.of(0);
    const moves = [
      { kind: 'crop', height: 40, width: 141, left: 3, top: 4, right: 0, bottom: 2 },
      { kind: 'flip', probability: 1 },
      { kind: 'crop', height: 38, width: 139, left: 0, top: 1, right: 8, bottom: 0 },
    ] as const;
    const [expected, actual] = [referenceEngine(), cpuEngine()].map((engine) => {
      const inputs = engine.allocate('float32', 3 * 38 * 139);
      const slot = { inputs, targets: engine.allocate('int64', 1) };
      const source = { ...sourceOn(engine, LARGE, LARGE), to: undefined, moves };
      engine.images(source).gather(indices, 7, slot);
      return list(engine.readSync(inputs));
    });
    expect(actual).toEqual(expected);
  });
});

describe('erased boxes', () => {
  const erase = [
    { top: 2, left: 3, height: 5, width: 7, value: [1.5, -2, 3.25] },
    { top: 0, left: 0, height: 21, width: 34, value: { key: [17, 4294967295] } },
    { top: 20, left: 33, height: 1, width: 1, value: [7, 8, 9] },
  ] as const;

  test('the cpu writes what the reference writes, noise to the last digits', () => {
    const [expected, actual] = [referenceEngine(), cpuEngine()].map((engine) =>
      resultOn(engine, COLOR, { ops: [], erase }),
    );
    for (const [i, value] of actual!.entries()) expect(value).toBeCloseTo(expected![i]!, 5);
  });

  test('noise is normal', () => {
    const noise = resultOn(cpuEngine(), COLOR, { ops: [], erase: [erase[1]] });
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
    // 2,142 numbers: three standard errors.
    expect(Math.abs(mean)).toBeLessThan(3 / Math.sqrt(noise.length));
    expect(Math.abs(variance - 1)).toBeLessThan(3 * Math.sqrt(2 / noise.length));
    expect(new Set(noise).size).toBe(noise.length);
  });
});

describe('images of sizes of their own', () => {
  const sizes = Int32Array.of(4, 3, 1, 1, 9, 2);
  const to = { channels: 2, height: 2, width: 2 };
  const source = (engine: Engine): ImageSource => ({
    images: filled(engine, 'uint8', bytesOf({ channels: 2, height: 31, width: 1 })),
    labels: filled(engine, 'int64', [5, 6, 7]),
    table: Float32Array.from({ length: 512 }, (_, i) => i / 3),
    ...{ channels: 2, height: 9, width: 3, sizes, moves: [], seed: 0, to, workers: 2 },
  });
  const workOf = (indices: Int32Array) =>
    Array.from(indices, (i): ImageWork => {
      const box = { top: 0, left: 0, height: sizes[2 * i]!, width: sizes[2 * i + 1]! };
      const how = { interpolation: 'bilinear', antialias: true, as: 'tensor' } as const;
      return { ops: [{ kind: 'resize', ...box, to, ...how }], erase: [] };
    });

  test('are found where they begin', () => {
    const [expected, actual] = [referenceEngine(), cpuEngine()].map((engine) => {
      const slot = {
        inputs: engine.allocate('float32', 32),
        targets: engine.allocate('int64', 4),
      };
      engine.images(source(engine)).gather(Int32Array.of(2, 0, 1, 2), 0, slot, workOf);
      return [list(engine.readSync(slot.inputs)), list(engine.readSync(slot.targets))];
    });
    expect(actual).toEqual(expected);
    expect(actual![1]).toEqual([7, 5, 6, 7]);
  });

  test.each([
    ['too few bytes', { sizes: Int32Array.of(4, 3, 1, 1, 9, 3) }, 'not those of the images'],
    ['too few sizes', { sizes: Int32Array.of(4, 3) }, 'not the sizes of 3 images'],
    ['a size of 0', { sizes: Int32Array.of(4, 3, 0, 1, 9, 2) }, 'must be 1 to 2^20'],
    ['no ops', { to: undefined }, 'need ops that give them one'],
    ['no workers', { workers: 0 }, 'workers must be 1 to 256'],
    ['a table of others', { to: { channels: 3, height: 2, width: 2 } }, 'table has 512 values'],
  ])('are refused with %s', (_, change, message) => {
    const engine = cpuEngine();
    expect(() => engine.images({ ...source(engine), ...change })).toThrow(EngineError);
    expect(() => engine.images({ ...source(engine), ...change })).toThrow(message);
  });
});

describe('a stream', () => {
  const engine = cpuEngine();
  const count = 23;
  const to = { channels: 3, height: 6, width: 6 };
  const order = Int32Array.from({ length: 50 }, (_, i) => (i * 7) % count);
  const workOf = (indices: Int32Array, epoch: number) =>
    Array.from(
      indices,
      (i): ImageWork => ({
        ops: [
          { kind: 'crop', top: (i + epoch) % 3, left: i % 4, height: 6, width: 6 },
          { kind: 'brightness', factor: 0.5 + i / count },
        ],
        erase: [{ top: i % 5, left: 0, height: 1, width: 2, value: [0, i, -1] }],
      }),
    );

  function batches(workers: number): unknown[][] {
    const shape = { channels: 3, height: 8, width: 9 };
    const images = engine.images({
      images: filled(engine, 'uint8', bytesOf({ ...shape, height: 8 * count })),
      labels: filled(engine, 'int64', [...Array(count).keys()]),
      table: Float32Array.from({ length: 768 }, (_, i) => i),
      ...{ ...shape, moves: [], seed: 0, to, workers },
    });
    const slotOf = (size: number) => ({
      inputs: engine.allocate('float32', size * 108),
      targets: engine.allocate('int64', size),
    });
    const slots = [0, 1, 2, 3].map(() => slotOf(8));
    const tail = slotOf(2);
    const request = { order, batch_size: 8, epoch: 1, slots, tail, ahead: 2, work: workOf };
    const stream = images.stream!(request);
    const results: unknown[][] = [];
    for (let i = 0; i < 7; i++) {
      stream.take();
      const slot = i === 6 ? tail : slots[i % 4]!;
      const expected = slotOf(i === 6 ? 2 : 8);
      images.gather(order.subarray(8 * i, 8 * i + 8), 1, expected, workOf);
      results.push(list(engine.readSync(slot.inputs)));
      expect(results.at(-1)).toEqual(list(engine.readSync(expected.inputs)));
      expect(engine.readSync(slot.targets)).toEqual(engine.readSync(expected.targets));
    }
    expect(() => stream.take()).toThrow('all 7 were taken');
    stream.dispose();
    return results;
  }

  test('gives the same batches for any number of workers', () => {
    const one = batches(1);
    expect(batches(2)).toEqual(one);
    expect(batches(4)).toEqual(one);
  });
});

test.each<[string, ImageOp[], string]>([
  ['a box outside', [resize({ top: 20, left: 0, height: 2, width: 2 })], 'not inside an image'],
  [
    'a huge image',
    [{ kind: 'crop', ...whole({ ...COLOR, height: 2 ** 20, width: 2 ** 20 }) }],
    'too large',
  ],
  ['a half number', [{ kind: 'posterize', bits: 2.5 }], 'bits must be 0 to 8'],
  ['a number that is none', [{ kind: 'brightness', factor: Number.NaN }], 'not finite'],
  ['a negative factor', [{ kind: 'contrast', factor: -1 }], 'a factor must be'],
  ['a turn too many', [{ kind: 'rot90', turns: 4 }], 'turns must be 1 to 3'],
  ['a fill that is no byte', [pad([0, 0, 256], 'constant')], 'a fill must be 0 to 255'],
  ['too few fills', [pad([0, 0], 'constant')], 'a fill must be 0 to 255|padding mode|end before'],
  [
    'too much to reflect',
    [{ ...pad([0, 0, 0], 'reflect'), left: 34 }],
    'mirrors more than there is',
  ],
  [
    'an even kernel',
    [{ kind: 'gaussian_blur', kernel_x: [0.5, 0.5], kernel_y: [1] }],
    'a kernel of 2',
  ],
  [
    'a mix in a mix',
    [{ kind: 'mix', own: 1, chains: [{ share: 1, ops: [{ kind: 'mix', own: 1, chains: [] }] }] }],
    'cannot hold another one',
  ],
  [
    'a chain of another shape',
    [{ kind: 'mix', own: 1, chains: [{ share: 1, ops: [{ kind: 'rot90', turns: 1 }] }] }],
    'gives an image of 3 x 34 x 21',
  ],
])('the cpu refuses %s', (_, ops, message) => {
  const engine = cpuEngine();
  const images = engine.images(sourceOn(engine, COLOR, COLOR));
  const slot = {
    inputs: engine.allocate('float32', 3 * 21 * 34),
    targets: engine.allocate('int64', 1),
  };
  const gather = () => images.gather(Int32Array.of(0), 0, slot, () => [{ ops, erase: [] }]);
  expect(gather).toThrow(EngineError);
  expect(gather).toThrow(new RegExp(message));
  const image = { ...COLOR, data: Uint8Array.from(bytesOf(COLOR)) };
  expect(() => engine.applyOps(image, ops)).toThrow(new RegExp(message));
});

test.each([
  ['too few bytes', { ...COLOR, data: new Uint8Array(5) }, 'the array has 5 elements'],
  ['no pixels', { ...COLOR, height: 0, data: new Uint8Array(0) }, 'sizes are 1 to 2^20'],
  [
    'a product that would overflow',
    { channels: 2 ** 20, height: 2 ** 21, width: 2 ** 20, data: new Uint8Array(0) },
    'sizes are 1 to 2^20',
  ],
])('the cpu changes no image of %s', (_, image, message) => {
  const change = () => cpuEngine().applyOps(image, [{ kind: 'invert' }]);
  expect(change).toThrow(EngineError);
  expect(change).toThrow(message);
});

function resize(box: { top: number; left: number; height: number; width: number }): ImageOp {
  const how = { interpolation: 'bilinear', antialias: true, as: 'tensor' } as const;
  return { kind: 'resize', ...box, to: { height: 4, width: 4 }, ...how };
}

function pad(fill: number[], mode: 'constant' | 'reflect') {
  return { kind: 'pad', left: 1, top: 0, right: 0, bottom: 0, mode, fill } as const;
}
