import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readImage } from '../../../src/data/images/image-files.ts';
import '../../../src/data/index.ts';
import { preparations, prepareImage } from '../../../src/data/transforms/pipeline.ts';
import { transforms } from '../../../src/data/transforms/transforms.ts';
import { readSafetensors } from '../../../src/io/safetensors.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/images', import.meta.url));
const { tensors } = await readSafetensors(join(FOLDER, 'expected.safetensors'));

/** The greatest difference between an image and what Pillow made of it. */
function difference(image: { data: Uint8Array; height: number; width: number }, name: string) {
  const { shape, data } = tensors.get(name)!;
  expect([3, image.height, image.width]).toEqual(shape);
  return image.data.reduce((most, byte, i) => Math.max(most, Math.abs(byte - Number(data[i]))), 0);
}

describe('readImage', () => {
  it.each([
    'colour.png',
    'gray.png',
    'alpha.png',
    'palette.png',
    'palette.gif',
    'lossless.webp',
    'colour.jpg',
    'progressive.jpg',
    'gray.jpg',
  ])('reads %s as Pillow does', async (name) => {
    expect(difference(await readImage(join(FOLDER, name)), name)).toBe(0);
  });
});

describe('the transforms that give images a size', () => {
  const names = [...tensors.keys()].filter((name) => /^(resize|crop|grayscale)/.test(name));
  it.each(names)('%s is what torchvision gives', async (name) => {
    const [kind, mode = '', text] = name.split('_');
    const sizes = (text ?? mode).split('x').map(Number);
    const size = sizes.length === 1 ? sizes[0]! : sizes;
    const spec =
      name === 'resize_max'
        ? { type: 'Resize', size: 20, max_size: 25 }
        : kind === 'resize'
          ? { type: 'Resize', size, interpolation: mode }
          : kind === 'crop'
            ? { type: 'CenterCrop', size }
            : { type: 'Grayscale', num_output_channels: 3 };
    const steps = preparations([transforms.build(spec)]);
    const image = await readImage(join(FOLDER, 'colour.png'));
    expect(difference(prepareImage(image, steps), name)).toBe(0);
  });
});
