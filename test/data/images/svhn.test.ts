import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readSvhn } from '../../../src/data/images/svhn.ts';
import { datasets, type ImageDataset } from '../../../src/data/index.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/data/${name}`, import.meta.url));
const { svhn } = JSON.parse(readFileSync(fixture('expected.json'), 'utf8'));

describe('SVHN', () => {
  it('reads images and labels as scipy does, 10 standing for 0', async () => {
    const root = await temporaryFolder();
    await copyFile(fixture('compressed.mat'), join(root, 'test_32x32.mat'));
    const source = datasets.build({ type: 'SVHN', root, split: 'test' });
    expect(source.input.shape).toEqual([3, 32, 32]);
    const { images, labels } = (await source.load()) as ImageDataset;
    expect([...labels]).toEqual(svhn.labels);
    expect(images.reduce((sum, value, i) => sum + (i + 1) * value, 0)).toBe(svhn.sum);
    const stored = readSvhn(fixture('stored.mat'));
    expect([...stored.images]).toEqual(Array.from(images, (value) => value >> 6));
    await expect(datasets.build({ type: 'SVHN', root }).load()).rejects.toThrow(
      'train_32x32.mat is missing; fetch it with: torchts data fetch svhn',
    );
    await expect(datasets.build({ type: 'SVHN', root, split: 'extra' }).load()).rejects.toThrow(
      'fetch it with: torchts data fetch svhn-extra',
    );
  });
});
