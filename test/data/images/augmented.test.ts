/** Data sets of images with transforms that compute with pixels, through the loader. */

import { copyFileSync, mkdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/base/build-error.ts';
import { ArgumentError } from '../../../src/base/errors.ts';
import { DataLoader, datasets, ImageDataset } from '../../../src/data/index.ts';
import { buildTransforms, transforms } from '../../../src/data/transforms/transforms.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { cpuEngine } from '../../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../../src/engine/reference/engine.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const IMAGES = fileURLToPath(new URL('../../fixtures/images', import.meta.url));

type Specs = (string | object)[];

const IMAGENET: Specs = [
  { type: 'RandomResizedCrop', size: 10 },
  'RandomHorizontalFlip',
  { type: 'ColorJitter', brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  'TrivialAugmentWide',
  'ToTensor',
  { type: 'Normalize', mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] },
  { type: 'RandomErasing', value: 1.5 },
];

const EVERYTHING: Specs = [
  'ToImage',
  { type: 'Pad', padding: [1, 2], padding_mode: 'reflect' },
  { type: 'RandomRotation', degrees: 30, expand: true, interpolation: 'bilinear', fill: [1, 2, 3] },
  { type: 'Resize', size: [14, 15] },
  { type: 'RandomAffine', degrees: 5, translate: [0.1, 0.1], shear: 5 },
  { type: 'RandomPerspective', p: 1 },
  { type: 'GaussianBlur', kernel_size: 3 },
  { type: 'RandomChoice', transforms: ['AugMix', 'RandAugment', 'AutoAugment'] },
  { type: 'RandomApply', transforms: ['RandomEqualize', 'RandomVerticalFlip'] },
  { type: 'RandomOrder', transforms: [{ type: 'RandomPosterize', bits: 4 }, 'RandomInvert'] },
  { type: 'Grayscale', num_output_channels: 3 },
  { type: 'RandomCrop', size: 12, padding: 2, fill: 9, padding_mode: 'edge' },
  { type: 'CenterCrop', size: [13, 9] },
  { type: 'ToDtype', dtype: 'float32', scale: true },
];

async function fake(pipeline: Specs): Promise<ImageDataset> {
  const source = datasets.build({
    type: 'FakeData',
    size: 20,
    image_size: [3, 16, 18],
    transforms: pipeline,
  });
  const dataset = (await source.load()) as ImageDataset;
  expect(dataset.input).toEqual(source.input);
  return dataset;
}

/** Of two epochs. */
function valuesOf(dataset: ImageDataset, engine: Engine, num_workers?: number): number[][] {
  using loader = new DataLoader({ dataset, engine, batch_size: 8, seed: 3, num_workers });
  return [0, 1].flatMap((epoch) =>
    Array.from(loader.epoch(epoch), ({ inputs }) => Array.from(engine.readSync(inputs), Number)),
  );
}

describe('a pipeline', () => {
  it.each([
    ['of ImageNet', IMAGENET],
    ['of everything', EVERYTHING],
  ])('%s gives the same on both engines, for any number of workers', async (_, pipeline) => {
    const dataset = await fake(pipeline);
    const expected = valuesOf(dataset, referenceEngine());
    for (const workers of [undefined, 0, 1, 2, 4]) {
      expect(valuesOf(dataset, cpuEngine(), workers)).toEqual(expected);
    }
    expect(expected[3]).not.toEqual(expected[0]);
  });

  it('of a crop and a flip draws the same alone, where engines move, and among others', async () => {
    const moves = [{ type: 'RandomCrop', size: [12, 15], padding: [3, 1] }, 'RandomHorizontalFlip'];
    const alone = await fake([...moves, 'ToTensor']);
    const longer = await fake([...moves, { type: 'RandomInvert', p: 0 }, 'ToTensor']);
    expect(alone.moves).toHaveLength(2);
    expect(longer.moves).toEqual([]);
    for (const engine of [cpuEngine(), referenceEngine()]) {
      expect(valuesOf(longer, engine)).toEqual(valuesOf(alone, engine));
    }
  });

  it('goes on in the middle of an epoch with what it would have drawn', async () => {
    const dataset = await fake(IMAGENET);
    using loader = new DataLoader({ dataset, engine: cpuEngine(), batch_size: 4, shuffle: true });
    const read = (batches: ReturnType<typeof loader.epoch>) =>
      Array.from(batches, ({ inputs }) => Array.from(cpuEngine().readSync(inputs), Number));
    expect(read(loader.epoch(2, { start: 3 }))).toEqual(read(loader.epoch(2)).slice(3));
  });

  it.each<[string, Specs, string]>([
    [
      'bytes after floats',
      ['ToTensor', 'RandomInvert'],
      '[RandomInvert] must come before ToTensor',
    ],
    ['an early erasing', ['RandomErasing', 'ToTensor'], '[RandomErasing] must come after ToTensor'],
    [
      'noise before Normalize',
      [
        'ToTensor',
        { type: 'RandomErasing', value: 'random' },
        { type: 'Normalize', mean: [0], std: [1] },
      ],
      'random values must come after Normalize',
    ],
    ['no ToTensor', ['RandomInvert'], 'images need ToTensor; got RandomInvert'],
    [
      'a size that varies',
      [{ type: 'RandomRotation', degrees: 9, expand: true }, 'ToTensor'],
      'sizes of their own',
    ],
    [
      'a crop that is too large',
      [{ type: 'RandomCrop', size: 17 }, 'ToTensor'],
      'larger than the image, 16 x 18',
    ],
    [
      'a mirror that is too large',
      [{ type: 'Pad', padding: 16, padding_mode: 'reflect' }, 'ToTensor'],
      'mirrors at most 15 rows and 17 columns of images of 16 x 18',
    ],
    [
      'a kernel that is too large',
      [{ type: 'GaussianBlur', kernel_size: 33 }, 'ToTensor'],
      'reaches over',
    ],
    [
      'fills of others',
      [{ type: 'RandomAffine', degrees: 1, fill: [1, 2] }, 'ToTensor'],
      'fill has 2 numbers',
    ],
    [
      'values of others',
      ['ToTensor', { type: 'RandomErasing', value: [1, 2] }],
      'value has 2 numbers',
    ],
    [
      'channels that vary',
      [{ type: 'RandomApply', transforms: ['Grayscale'] }, 'ToTensor'],
      'different numbers of channels',
    ],
    [
      'a Normalize in a list',
      [{ type: 'RandomOrder', transforms: ['ToTensor'] }, 'ToTensor'],
      'ToTensor cannot be one',
    ],
    [
      'a strength that is none',
      [{ type: 'RandAugment', magnitude: 31 }, 'ToTensor'],
      'not below num_magnitude_bins',
    ],
    ['too much hue', [{ type: 'ColorJitter', hue: 0.6 }, 'ToTensor'], 'hue must be 0.5 at most'],
  ])('is refused with %s', async (_, pipeline, message) => {
    await expect(fake(pipeline)).rejects.toThrow(BuildError);
    await expect(fake(pipeline)).rejects.toThrow(message);
  });

  it.each<[object, string]>([
    [{ type: 'RandomResizedCrop' }, 'size'],
    [{ type: 'RandomResizedCrop', size: 8, scale: [0.9, 0.1] }, 'must not be greater'],
    [{ type: 'GaussianBlur', kernel_size: 4 }, 'must be odd'],
    [{ type: 'RandomInvert', q: 1 }, 'unknown key "q"'],
    [{ type: 'RandomRotation', degrees: -3 }, 'degrees'],
    [
      { type: 'RandomApply', transforms: [{ type: 'RandomFlop' }] },
      'unknown transform "RandomFlop"',
    ],
  ])('is refused for its arguments: %j', (spec, message) => {
    expect(() => transforms.build(spec)).toThrow(ArgumentError);
    expect(() => transforms.build(spec)).toThrow(message);
  });
});

describe('images of sizes of their own', () => {
  const data = {
    classes: ['a', 'b'],
    channels: 3,
    height: 20,
    width: 12,
    sizes: Int32Array.of(20, 5, 6, 12, 7, 7),
    images: Uint8Array.from({ length: 3 * (100 + 72 + 49) }, (_, i) => (i * 31) % 256),
    labels: Int32Array.of(0, 1, 1),
  };
  const built = (specs: Specs) =>
    buildTransforms(
      specs.map((spec) => (typeof spec === 'string' ? { type: spec } : spec)) as never,
    );

  it('are decoded once and cropped anew, from folders', async () => {
    const root = await temporaryFolder();
    for (const [place, image] of [
      ['a/1.png', 'colour.png'],
      ['a/2.jpg', 'colour.jpg'],
      ['b/1.png', 'gray.png'],
    ] as const) {
      mkdirSync(join(root, place, '..'), { recursive: true });
      copyFileSync(join(IMAGES, image), join(root, place));
    }
    await writeFile(join(root, 'note.txt'), '');
    const source = datasets.build({ type: 'ImageFolder', root, transforms: IMAGENET });
    expect(source.input.shape).toEqual([3, 10, 10]);
    const dataset = (await source.load()) as ImageDataset;
    const expected = valuesOf(dataset, referenceEngine());
    expect(valuesOf(dataset, cpuEngine())).toEqual(expected);
    expect(expected[0]).not.toEqual(expected[1]);
  });

  it('can be resized to one shorter side first', () => {
    const pipeline = [{ type: 'Resize', size: 8 }, { type: 'RandomCrop', size: 8 }, 'ToTensor'];
    const dataset = new ImageDataset(data, built(pipeline));
    expect(dataset.shape(0)).toEqual({ channels: 3, height: 32, width: 8 });
    expect(dataset.shape(1)).toEqual({ channels: 3, height: 8, width: 16 });
    expect(valuesOf(dataset, cpuEngine())).toEqual(valuesOf(dataset, referenceEngine()));
  });

  it('can be taken apart and joined again', () => {
    const dataset = new ImageDataset(data, built(IMAGENET));
    const parts = [[0], [1, 2]].map((places) => dataset.take(Int32Array.from(places)));
    const [first, second] = parts as [ImageDataset, ImageDataset];
    const whole = first.join([second])!;
    expect(whole.image(2)).toEqual(dataset.image(2));
    expect(valuesOf(whole, cpuEngine())).toEqual(valuesOf(dataset, cpuEngine()));
    expect(
      first.join([
        new ImageDataset(
          data,
          built(
            ['CenterCrop']
              .map((type) => ({ type, size: 10 }))
              .concat([{ type: 'ToTensor' } as never]),
          ),
        ),
      ]),
    ).toBeUndefined();
  });

  it('are refused where one is too small, or bytes are missing', () => {
    const crop = [{ type: 'RandomCrop', size: 6 }, 'ToTensor'];
    expect(() => new ImageDataset(data, built(crop))).toThrow('the image, 20 x 5');
    const images = data.images.subarray(1);
    expect(() => new ImageDataset({ ...data, images }, built(IMAGENET))).toThrow('take 663 bytes');
    const sizes = Int32Array.of(1, 1);
    expect(() => new ImageDataset({ ...data, sizes }, built(IMAGENET))).toThrow('got 2');
  });
});
