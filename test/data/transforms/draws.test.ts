/** What random transforms draw: their distributions, and what these depend on. */

import { describe, expect, test } from 'vitest';
import '../../../src/data/index.ts';
import { Draws } from '../../../src/data/transforms/draws.ts';
import { sampleWork } from '../../../src/data/transforms/pipeline.ts';
import { buildTransforms } from '../../../src/data/transforms/transforms.ts';
import type { ImageOp, ImageWork } from '../../../src/engine/image-ops/op.ts';
import type { ImageShape } from '../../../src/engine/image-ops/pixels.ts';

const SHAPE = { channels: 3, height: 40, width: 60 };
const COUNT = 4000;

/** What a pipeline does to many samples. */
function drawn(specs: (string | object)[], shape: ImageShape = SHAPE, epoch = 0): ImageWork[] {
  const work = workOf(specs, shape);
  return Array.from({ length: COUNT }, (_, sample) => work.draw(shape, { seed: 5, epoch, sample }));
}

function workOf(specs: (string | object)[], { channels, ...size }: ImageShape) {
  const parsed = specs.map((spec) => (typeof spec === 'string' ? { type: spec } : spec));
  const pipeline = buildTransforms(parsed as { type: string }[]);
  return sampleWork(pipeline, { channels, size });
}

function opsOf(spec: object, shape: ImageShape = SHAPE): (readonly ImageOp[])[] {
  return drawn([spec, 'ToTensor'], shape).map(({ ops }) => ops);
}

type Kind<K extends ImageOp['kind']> = Extract<ImageOp, { kind: K }>;

function ofKind<K extends ImageOp['kind']>(all: (readonly ImageOp[])[], kind: K): Kind<K>[] {
  return all.flat().filter((op): op is Kind<K> => op.kind === kind);
}

/** Within four standard errors of a share. */
function expectShare(count: number, of: number, share: number): void {
  const error = Math.sqrt((share * (1 - share)) / of);
  expect(Math.abs(count / of - share)).toBeLessThanOrEqual(4 * error);
}

/** Uniform from `low` to `high`: the ends are nearly met, the mean is the middle. */
function expectUniform(values: number[], low: number, high: number): void {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  expect(least).toBeGreaterThanOrEqual(low);
  expect(most).toBeLessThanOrEqual(high);
  const width = high - low;
  expect(least - low).toBeLessThan(width / 50);
  expect(high - most).toBeLessThan(width / 50);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const error = width / Math.sqrt(12 * values.length);
  expect(Math.abs(mean - (low + high) / 2)).toBeLessThan(4 * error);
}

describe('what is drawn', () => {
  const pipeline = [
    { type: 'RandomResizedCrop', size: 8 },
    { type: 'ColorJitter', brightness: 0.4, hue: 0.1 },
    'TrivialAugmentWide',
    'ToTensor',
    { type: 'RandomErasing', value: 'random', p: 1 },
  ];

  test('follows from the seed, the epoch and the sample', () => {
    const work = workOf(pipeline, SHAPE);
    const at = { seed: 1, epoch: 2, sample: 3 };
    const first = work.draw(SHAPE, at);
    expect(work.draw(SHAPE, at)).toEqual(first);
    for (const other of [{ seed: 2 }, { epoch: 3 }, { sample: 4 }, { seed: 2 ** 40 + 1 }]) {
      expect(work.draw(SHAPE, { ...at, ...other })).not.toEqual(first);
    }
  });

  test('takes further blocks where one is not enough, and places never share numbers', () => {
    const words = [0, 1].flatMap((place) => {
      const draws = new Draws({ seed: 9, epoch: 0, sample: 0, place });
      return Array.from({ length: 100 }, () => draws.word());
    });
    expect(new Set(words).size).toBe(200);
  });

  test('of a crop and a flip is the same as moves and within a longer pipeline', () => {
    const moves = [{ type: 'RandomCrop', size: 32, padding: 4 }, 'RandomHorizontalFlip'];
    const alone = workOf([...moves, 'ToTensor'], SHAPE);
    expect(alone.to).toBeUndefined();
    expect(alone.moves.map(({ kind }) => kind)).toEqual(['crop', 'flip']);
    const longer = workOf([...moves, 'RandomGrayscale', 'ToTensor'], SHAPE);
    expect(longer.moves).toEqual([]);
    expect(longer.to).toEqual({ channels: 3, height: 32, width: 32 });
  });
});

describe('RandomResizedCrop', () => {
  test('takes boxes of the area and the ratio it is given, anywhere', () => {
    const boxes = ofKind(opsOf({ type: 'RandomResizedCrop', size: [7, 9] }), 'resize');
    expect(boxes).toHaveLength(COUNT);
    for (const { top, left, height, width, to } of boxes) {
      expect(to).toEqual({ height: 7, width: 9 });
      expect(Math.min(top, left)).toBeGreaterThanOrEqual(0);
      expect(top + height).toBeLessThanOrEqual(40);
      expect(left + width).toBeLessThanOrEqual(60);
    }
  });

  test('draws the area and the logarithm of the ratio alike', () => {
    const large = { channels: 1, height: 1000, width: 1000 };
    const spec = { type: 'RandomResizedCrop', size: 7, scale: [0.1, 0.5] };
    const boxes = ofKind(opsOf(spec, large), 'resize');
    const areas = boxes.map(({ height, width }) => (height * width) / 1e6);
    const ratios = boxes.map(({ height, width }) => width / height);
    // Whole pixels leave a little on both sides.
    expect(Math.min(...areas)).toBeCloseTo(0.1, 2);
    expect(Math.max(...areas)).toBeCloseTo(0.5, 2);
    expect(Math.min(...ratios)).toBeCloseTo(3 / 4, 2);
    expect(Math.max(...ratios)).toBeCloseTo(4 / 3, 2);
    for (const part of [0.25, 0.5, 0.75]) {
      const area = 0.1 + part * 0.4;
      expectShare(areas.filter((value) => value < area).length, COUNT, part);
      const ratio = 0.75 * (16 / 9) ** part;
      expectShare(ratios.filter((value) => value < ratio).length, COUNT, part);
    }
  });

  test('takes the middle when ten tries do not fit', () => {
    const spec = { type: 'RandomResizedCrop', size: 4, scale: [1, 1], ratio: [1, 1] };
    const boxes = ofKind(opsOf(spec, { channels: 1, height: 10, width: 31 }), 'resize');
    expect(
      new Set(boxes.map(({ top, left, height, width }) => [top, left, height, width].join())),
    ).toEqual(new Set(['0,10,10,10']));
  });
});

test('RandomCrop pads what is too small on both sides, and finds every place', () => {
  const spec = { type: 'RandomCrop', size: [44, 8], pad_if_needed: true, padding_mode: 'reflect' };
  const all = opsOf(spec);
  expect(
    ofKind(all, 'pad').every(({ top, bottom, left }) => top === 4 && bottom === 4 && left === 0),
  ).toBe(true);
  const crops = ofKind(all, 'crop');
  expect([...new Set(crops.map(({ top }) => top))].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  expect(new Set(crops.map(({ left }) => left)).size).toBe(53);
});

test.each([
  ['RandomHorizontalFlip', {}, 'horizontal_flip', 0.5],
  ['RandomVerticalFlip', { p: 0.2 }, 'vertical_flip', 0.2],
  ['RandomGrayscale', {}, 'grayscale', 0.1],
  ['RandomInvert', {}, 'invert', 0.5],
  ['RandomPosterize', { bits: 3 }, 'posterize', 0.5],
  ['RandomSolarize', { threshold: 99, p: 0.9 }, 'solarize', 0.9],
  ['RandomAutocontrast', {}, 'autocontrast', 0.5],
  ['RandomEqualize', { p: 1 }, 'equalize', 1],
  ['RandomAdjustSharpness', { sharpness_factor: 2 }, 'sharpness', 0.5],
  ['RandomPerspective', {}, 'perspective', 0.5],
] as const)('%s is done with its probability', (type, options, kind, p) => {
  const all = drawn([{ type, ...options }, 'RandomGrayscale', 'ToTensor']).map(({ ops }) => ops);
  const first = all.filter((ops) => ops[0]?.kind === kind);
  // RandomGrayscale stands behind so that a flip is no move; it may come first too.
  const expected = kind === 'grayscale' ? 0.1 + 0.9 * 0.1 : p;
  expectShare(first.length, COUNT, expected);
});

describe('ColorJitter', () => {
  test('draws its factors, and their order', () => {
    const spec = {
      type: 'ColorJitter',
      brightness: 0.4,
      contrast: [0.5, 3],
      saturation: 2,
      hue: 0.2,
    };
    const all = opsOf(spec);
    for (const [kind, low, high] of [
      ['brightness', 0.6, 1.4],
      ['contrast', 0.5, 3],
      ['saturation', 0, 3],
      ['hue', -0.2, 0.2],
    ] as const) {
      expectUniform(
        ofKind(all, kind).map(({ factor }) => factor),
        low,
        high,
      );
    }
    const orders = new Map<string, number>();
    for (const ops of all) {
      const order = ops.map(({ kind }) => kind).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    expect(orders.size).toBe(24);
    for (const count of orders.values()) expectShare(count, COUNT, 1 / 24);
  });

  test('leaves out what changes nothing', () => {
    expect(opsOf({ type: 'ColorJitter', brightness: 0, hue: [0, 0] }).flat()).toEqual([]);
  });
});

test('RandomRotation turns by degrees to the left, and by quarters without loss', () => {
  const angles = ofKind(opsOf({ type: 'RandomRotation', degrees: [10, 50] }), 'affine').map(
    ({ matrix }) => (Math.atan2(matrix[3]!, matrix[0]!) * 180) / Math.PI,
  );
  expectUniform(angles, 10, 50);
  expect(opsOf({ type: 'RandomRotation', degrees: [180, 180] })[0]).toEqual([
    { kind: 'rot90', turns: 2 },
  ]);
  expect(opsOf({ type: 'RandomRotation', degrees: [360, 360] })[0]).toEqual([]);
});

test('RandomAffine shifts, scales and shears within its ranges', () => {
  const spec = { type: 'RandomAffine', degrees: 0, translate: [0.1, 0.25], scale: [0.5, 2] };
  const ops = ofKind(opsOf(spec), 'affine');
  const scales = ops.map(({ matrix }) => 1 / matrix[0]!);
  expectUniform(scales, 0.5, 2);
  const shifts = ops.map(({ matrix }, i) => -matrix[2]! * scales[i]!);
  expect(Math.max(...shifts)).toBeCloseTo(6, 9);
  expect(Math.min(...shifts)).toBeCloseTo(-6, 9);
  const sheared = ofKind(opsOf({ type: 'RandomAffine', degrees: 0, shear: 20 }), 'affine');
  const angles = sheared.map(({ matrix }) => (Math.atan(matrix[1]!) * 180) / Math.PI);
  expectUniform(angles, -20, 20);
  expect(sheared.every(({ matrix }) => Math.abs(matrix[3]!) < 1e-12)).toBe(true);
});

test('GaussianBlur draws sigma, from which the weights follow', () => {
  const ops = ofKind(opsOf({ type: 'GaussianBlur', kernel_size: [3, 5] }), 'gaussian_blur');
  const sigmas = ops.map(({ kernel_x }) =>
    Math.sqrt(1 / (2 * Math.log(kernel_x[1]! / kernel_x[0]!))),
  );
  // Below 0.3 the outer weights are too small to tell.
  const seen = sigmas.filter((sigma) => sigma > 0.3);
  expectShare(seen.length, COUNT, 1.7 / 1.9);
  expectUniform(seen, 0.3, 2);
  expect(ops[0]!.kernel_y).toHaveLength(5);
});

describe('RandomErasing', () => {
  const erased = (options: object) =>
    drawn(['ToTensor', { type: 'RandomErasing', ...options }]).map(({ erase }) => erase);

  test('erases boxes of the area and the ratio it is given', () => {
    const boxes = erased({ scale: [0.1, 0.3], ratio: [0.5, 2] }).flat();
    expectShare(boxes.length, COUNT, 0.5);
    const areas = boxes.map(({ height, width }) => (height * width) / 2400);
    expect(Math.min(...areas)).toBeGreaterThan(0.09);
    expect(Math.max(...areas)).toBeLessThan(0.31);
    expect(boxes.every(({ top, height }) => top >= 0 && top + height <= 40)).toBe(true);
    expect(boxes.every(({ value }) => JSON.stringify(value) === '[0,0,0]')).toBe(true);
  });

  test('writes what later transforms make of the value', () => {
    const normalize = { type: 'Normalize', mean: [0.5, 0.25, 0], std: [0.5, 0.5, 2] };
    const [work] = drawn(['ToTensor', { type: 'RandomErasing', p: 1, value: 1 }, normalize]);
    expect(work!.erase[0]!.value).toEqual([1, 1.5, 0.5]);
  });

  test('draws a key of its own for noise', () => {
    const keys = erased({ p: 1, value: 'random' })
      .flat()
      .map(({ value }) => JSON.stringify(value));
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('transforms of transforms', () => {
  const invert = { type: 'RandomInvert', p: 1 };
  const equalize = { type: 'RandomEqualize', p: 1 };
  const flip = { type: 'RandomVerticalFlip', p: 1 };

  test('RandomApply applies all or none', () => {
    const all = opsOf({ type: 'RandomApply', transforms: [invert, flip], p: 0.3 });
    const applied = all.filter((ops) => ops.length > 0);
    expect(new Set(applied.map((ops) => ops.map(({ kind }) => kind).join()))).toEqual(
      new Set(['invert,vertical_flip']),
    );
    expectShare(applied.length, COUNT, 0.3);
  });

  test('RandomChoice takes one by its weight', () => {
    const all = opsOf({ type: 'RandomChoice', transforms: [invert, flip, equalize], p: [1, 0, 3] });
    expect(all.every((ops) => ops.length === 1)).toBe(true);
    expectShare(ofKind(all, 'equalize').length, COUNT, 0.75);
    expect(ofKind(all, 'vertical_flip')).toEqual([]);
  });

  test('RandomOrder applies all in any order', () => {
    const all = opsOf({ type: 'RandomOrder', transforms: [invert, flip, equalize] });
    const orders = all.map((ops) => ops.map(({ kind }) => kind).join());
    expect(new Set(orders).size).toBe(6);
    for (const order of new Set(orders)) {
      expectShare(orders.filter((other) => other === order).length, COUNT, 1 / 6);
    }
  });
});

describe('learned and drawn policies', () => {
  test('AutoAugment takes its lines alike, and changes by their probabilities', () => {
    const all = opsOf({ type: 'AutoAugment', policy: 'cifar10' });
    // Invert: 0.1 in line 1, 0 in line 15, 0.1 in line 24, of 25.
    expectShare(ofKind(all, 'invert').length, COUNT, 0.2 / 25);
    const equalize = [0.9, 0.6, 0.5, 0.3, 0.2, 0.2, 0.6, 0.6, 0.8].reduce((a, b) => a + b);
    const count = ofKind(all, 'equalize').length;
    expect(Math.abs(count / COUNT - equalize / 25)).toBeLessThan(4 * Math.sqrt(0.3 / COUNT));
    expect(all.every((ops) => ops.length <= 2)).toBe(true);
  });

  test('RandAugment does num_ops changes of one magnitude', () => {
    const all = opsOf({ type: 'RandAugment', num_ops: 3, magnitude: 15 });
    const factors = ofKind(all, 'brightness').map(({ factor }) => Math.abs(factor - 1));
    // Step 15 of 30 up to 0.9.
    for (const factor of factors) expect(factor).toBeCloseTo(0.45, 6);
    expectShare(factors.length, 3 * COUNT, 1 / 14);
    expectShare(all.flat().length, 3 * COUNT, 13 / 14);
    expect(ofKind(all, 'posterize').every(({ bits }) => bits === 6)).toBe(true);
    expect(ofKind(all, 'solarize').every(({ threshold }) => threshold === 127.5)).toBe(true);
  });

  test('TrivialAugmentWide does one change of any magnitude', () => {
    const all = opsOf({ type: 'TrivialAugmentWide' });
    expect(all.every((ops) => ops.length <= 1)).toBe(true);
    const factors = ofKind(all, 'contrast').map(({ factor }) => factor);
    expect(Math.min(...factors)).toBeCloseTo(0.01, 6);
    expect(Math.max(...factors)).toBeCloseTo(1.99, 6);
    expect(new Set(ofKind(all, 'posterize').map(({ bits }) => bits))).toEqual(
      new Set([8, 7, 6, 5, 4, 3, 2]),
    );
  });

  test('AugMix mixes chains with shares whose sum is 1', () => {
    const mixes = ofKind(opsOf({ type: 'AugMix', mixture_width: 4 }), 'mix');
    expect(mixes).toHaveLength(COUNT);
    for (const { own, chains } of mixes) {
      expect(chains).toHaveLength(4);
      expect(chains.reduce((sum, { share }) => sum + share, own)).toBeCloseTo(1, 9);
    }
    // Beta(1, 1) is uniform, and so is what the image keeps.
    expectUniform(
      mixes.map(({ own }) => own),
      0,
      1,
    );
    const plain = ofKind(opsOf({ type: 'AugMix', all_ops: false }), 'mix');
    const kinds = plain.flatMap(({ chains }) =>
      chains.flatMap(({ ops }) => ops.map((op) => op.kind)),
    );
    expect(new Set(kinds)).toEqual(
      new Set(['affine', 'posterize', 'solarize', 'autocontrast', 'equalize']),
    );
  });
});
