import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { datasets, ImageDataset } from '../../../src/data/index.ts';

const IMAGES = fileURLToPath(new URL('../../fixtures/images', import.meta.url));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'images-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, image = 'colour.png'): void {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(IMAGES, image), target);
}

const CROP = [{ type: 'CenterCrop', size: 8 }, 'ToTensor'];

function folder(options: object = {}) {
  return datasets.build({ type: 'ImageFolder', root, transforms: CROP, ...options });
}

async function load(options?: object): Promise<ImageDataset> {
  const dataset = await folder(options).load();
  if (!(dataset instanceof ImageDataset)) throw new Error('not images');
  return dataset;
}

describe('ImageFolder', () => {
  it('takes folders as classes and files below them, both in the order of their names', async () => {
    put('cat/b.png');
    put('cat/a.PNG', 'gray.png');
    put('Dog/deep/er/c.jpg', 'colour.jpg');
    writeFileSync(join(root, 'cat', 'notes.txt'), 'not an image');
    const source = folder();
    expect(source.classes).toEqual(['Dog', 'cat']);
    expect(source.input).toEqual({ dtype: 'float32', shape: [3, 8, 8] });
    const dataset = await load();
    expect([...dataset.labels]).toEqual([0, 1, 1]);
    const gray = dataset.images.subarray(192, 256);
    expect(dataset.images.subarray(256, 320)).toEqual(gray);
    expect(dataset.images.subarray(384, 448)).not.toEqual(gray);
  });

  it('takes the first images of each class', async () => {
    for (const path of ['a/1.png', 'a/2.png', 'a/3.png', 'b/1.png']) put(path);
    expect([...(await load({ limit_per_class: 2 })).labels]).toEqual([0, 0, 1]);
    expect([...(await load({ limit: 3, limit_per_class: 1 })).labels]).toEqual([0, 1]);
  });

  it('holds the same part of each class back', async () => {
    for (let i = 0; i < 10; i++) put(`a/${i}.png`);
    for (let i = 0; i < 5; i++) put(`b/${i}.png`);
    const count = async (split: string) => {
      const { labels } = await load({ split });
      return [0, 1].map((label) => labels.filter((found) => found === label).length);
    };
    expect(await count('train')).toEqual([8, 4]);
    expect(await count('test')).toEqual([2, 1]);
  });

  it('prepares images once and moves them in every epoch', async () => {
    put('a/1.png');
    const transforms = [
      { type: 'Resize', size: [10, 12] },
      { type: 'RandomCrop', size: 6 },
      'ToTensor',
    ];
    const dataset = await load({ transforms });
    expect(dataset.images.length).toBe(3 * 10 * 12);
    expect(dataset.input.shape).toEqual([3, 6, 6]);
  });

  it.each([
    ['no size', ['ToTensor'], 'sizes of their own; add CenterCrop'],
    ['a ratio that varies', [{ type: 'Resize', size: 8 }, 'ToTensor'], 'sizes of their own'],
    ['a late Resize', ['ToTensor', CROP[0]], 'must come before ToTensor or ToDtype'],
    ['a max_size below size', [{ type: 'Resize', size: 8, max_size: 8 }], '[Resize] max_size 8'],
  ])('refuses %s', (_, transforms, message) => {
    put('a/1.png');
    expect(() => folder({ transforms })).toThrow(message);
  });

  it('refuses a folder without folders', () => {
    expect(() => folder()).toThrow(`${root} holds no folders; each class needs one`);
  });

  it('refuses a class without images', async () => {
    put('a/1.png');
    mkdirSync(join(root, 'b'));
    await expect(load()).rejects.toThrow(`${join(root, 'b')} holds no images (.jpg, `);
  });

  it.each([
    ['is cut off', (path: string) => writeFileSync(path, readStart('colour.png', 300))],
    [
      'is cut off within its pixels',
      (path: string) => writeFileSync(path, readStart('colour.jpg', 800)),
    ],
    ['is empty', (path: string) => writeFileSync(path, '')],
    ['is no image', (path: string) => writeFileSync(path, 'words')],
  ])('names an image that %s', async (_, spoil) => {
    put('a/1.png');
    spoil(join(root, 'a', '1.png'));
    await expect(load()).rejects.toThrow(`cannot read the image ${join(root, 'a', '1.png')}: `);
  });
});

function readStart(name: string, bytes: number): Buffer {
  return readFileSync(join(IMAGES, name)).subarray(0, bytes);
}
