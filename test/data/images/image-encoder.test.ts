import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import { DataLoader, datasets } from '../../../src/data/index.ts';
import { cpuEngine } from '../../../src/engine/native/cpu.ts';

const IMAGE = 'test/fixtures/images/colour.png';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'encoder-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const NORMALIZE = { type: 'Normalize', mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] };

/** What a data set gives a model for its first sample. */
async function firstSample(spec: object): Promise<Float32Array> {
  const engine = cpuEngine();
  const loader = new DataLoader({ dataset: await datasets.build(spec).load(), engine });
  const [batch] = loader.epoch(0);
  const values = (await engine.read(batch!.inputs)) as Float32Array;
  loader.dispose();
  return values;
}

describe('the encoder of a data set of images', () => {
  it('gives what the data set gives', async () => {
    mkdirSync(join(root, 'a'));
    const path = join(root, 'a', 'x.png');
    copyFileSync(IMAGE, path);
    const resize = { type: 'Resize', size: [9, 12] };
    const transforms = [resize, { type: 'CenterCrop', size: 8 }, 'ToTensor', NORMALIZE];
    const spec = { type: 'ImageFolder', root, transforms };
    const { length, inputs, note } = await datasets.build(spec).encoder!.encode(path);
    expect([length, note]).toEqual([1, undefined]);
    expect(inputs).toEqual(await firstSample(spec));
  });

  it('leaves out what is random, but takes the size it would give from the middle', async () => {
    const path = join(root, 'x.png');
    const pixels = Uint8Array.from({ length: 36 }, (_, i) => i);
    const raw = { width: 6, height: 6, channels: 1 } as const;
    await sharp(pixels, { raw }).png().toFile(path);
    const encoded = async (transforms: unknown[]) => {
      const fake = { type: 'FakeData', size: 1, image_size: [1, 6, 6], transforms };
      const { inputs } = await datasets.build(fake).encoder!.encode(path);
      return Array.from(inputs as Float32Array, (value) => Math.round(value * 255));
    };
    const flip = { type: 'RandomHorizontalFlip', p: 1 };
    expect(await encoded([{ type: 'RandomCrop', size: 2 }, flip, 'ToTensor'])).toEqual([
      ...[14, 15],
      ...[20, 21],
    ]);
    const padded = { type: 'RandomCrop', size: 6, padding: 2 };
    expect(await encoded([padded, 'ToTensor'])).toEqual([...pixels]);
  });

  it('resizes images to those of the data set, and makes them grey where those are', async () => {
    const fake = (image_size: number[]) =>
      datasets.build({ type: 'FakeData', size: 1, image_size }).encoder;
    const gray = await fake([1, 5, 7])!.encode(IMAGE);
    expect(gray.inputs.length).toBe(35);
    expect(gray.note).toBe('images of other sizes are resized to 5 x 7');
    const path = join(root, 'green.png');
    const background = { r: 0, g: 255, b: 0 };
    await sharp({ create: { width: 2, height: 2, channels: 3, background } })
      .png()
      .toFile(path);
    const green = await fake([1, 2, 2])!.encode(path);
    expect(green.inputs[0]).toBeCloseTo(150 / 255);
    expect(green.note).toBeUndefined();
    expect(fake([4, 5, 7])).toBeUndefined();
  });

  it('says what it does: as the transforms of a data set, that does the same', async () => {
    mkdirSync(join(root, 'a'));
    const path = join(root, 'a', 'x.png');
    copyFileSync(IMAGE, path);
    const flip = { type: 'RandomHorizontalFlip' };
    const resize = { type: 'Resize', size: 12 };
    const spec = {
      ...{ type: 'ImageFolder', root },
      transforms: [resize, { type: 'RandomCrop', size: 9 }, flip, 'ToTensor', NORMALIZE],
    };
    const encoder = datasets.build(spec).encoder!;
    const { transforms } = encoder.preparation!;
    const types = transforms.map(({ type }) => type);
    expect(types).toEqual(['Resize', 'CenterCrop', 'ToTensor', 'Normalize']);
    expect(transforms[1]).toEqual({ type: 'CenterCrop', size: [9, 9] });
    const { inputs } = await encoder.encode(path);
    expect(await firstSample({ ...spec, transforms })).toEqual(inputs);
    const { encoder: fake } = datasets.build({ type: 'FakeData', size: 1, image_size: [3, 4, 5] });
    expect(fake!.preparation!.transforms[0]).toEqual({ type: 'Resize', size: [4, 5] });
  });

  it('names a file that is no image', async () => {
    const path = join(root, 'x.png');
    writeFileSync(path, 'text');
    const { encoder } = datasets.build({ type: 'FakeData' });
    await expect(encoder!.encode(path)).rejects.toThrow(FileError);
    await expect(encoder!.encode(path)).rejects.toThrow(path);
  });
});
