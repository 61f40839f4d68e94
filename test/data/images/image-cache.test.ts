import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DataLoader, datasets, ImageDataset } from '../../../src/data/index.ts';
import { cpuEngine } from '../../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../../src/engine/reference/engine.ts';
import { FileBytes } from '../../../src/io/open-file.ts';
import { openSections, writeSections } from '../../../src/io/sections.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const IMAGES = fileURLToPath(new URL('../../fixtures/images', import.meta.url));
const PARQUET = fileURLToPath(new URL('../../fixtures/data', import.meta.url));

let root: string;
let cache: string;
/** What was said on standard error. */
let said: string[];
beforeEach(async () => {
  root = await temporaryFolder();
  cache = join(await temporaryFolder(), 'cache');
  for (const path of ['a/1.png', 'a/2.png', 'b/1.png']) put(path);
  put('b/2.jpg', 'colour.jpg');
  said = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function put(path: string, image = 'colour.png'): void {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(IMAGES, image), target);
}

const EVEN = [{ type: 'CenterCrop', size: 8 }, 'RandomHorizontalFlip', 'ToTensor'];
/** The images keep the sizes that they have. */
const UNEVEN = [{ type: 'RandomResizedCrop', size: 6 }, 'ToTensor'];

const source = (options: object = {}) =>
  datasets.build({ type: 'ImageFolder', root, cache, transforms: EVEN, ...options });

async function load(options?: object): Promise<ImageDataset> {
  const dataset = await source(options).load();
  if (!(dataset instanceof ImageDataset)) throw new Error('not images');
  return dataset;
}

const isMapped = ({ stores }: ImageDataset) =>
  stores.every((store) => store.images instanceof FileBytes);

/** Two shuffled epochs. */
function batches(dataset: ImageDataset, engine = cpuEngine()) {
  using loader = new DataLoader({ dataset, engine, batch_size: 3, shuffle: true, seed: 5 });
  return [0, 1].flatMap((epoch) =>
    [...loader.epoch(epoch)].map(({ inputs, targets }) => [
      engine.readSync(inputs).slice(),
      engine.readSync(targets).slice(),
    ]),
  );
}

/** The one file there is. */
function cacheFile(): string {
  const [name, ...others] = readdirSync(cache);
  expect(others).toEqual([]);
  return join(cache, name!);
}

describe('the cache of decoded images', () => {
  it.each([
    ['of one size', { transforms: EVEN }],
    ['of sizes of their own', { transforms: UNEVEN }],
    ['that are limited', { limit_per_class: 1, limit: 2 }],
    ['of a split', { split: 'train', test_size: 0.5 }],
  ])('changes no batch of images %s', async (_, options) => {
    await sharp({ create: { width: 9, height: 12, channels: 3, background: 'red' } })
      .png()
      .toFile(join(root, 'b/0.png'));
    const plain = await load({ ...options, cache: false });
    const made = await load(options);
    const found = await load(options);
    expect([plain, made, found].map(isMapped)).toEqual([false, true, true]);
    for (const dataset of [made, found]) {
      expect(dataset.stores[0]!.sizes).toEqual(plain.stores[0]!.sizes);
      expect(dataset.images).toEqual(plain.images);
      expect(dataset.labels).toEqual(plain.labels);
      expect(batches(dataset)).toEqual(batches(plain));
      expect(batches(dataset, referenceEngine() as never)).toEqual(batches(plain));
    }
    expect(plain.stores[0]!.sizes === undefined).toBe(
      !('transforms' in options && options.transforms === UNEVEN),
    );
    expect(said).toEqual([expect.stringMatching(/^torchts: caching \d images in .*\.images\n$/)]);
  });

  it('holds images of Parquet files, and is in the folder of torchts unless another is given', async () => {
    vi.stubEnv('TORCHTS_CACHE', cache);
    const spec = {
      type: 'ParquetImageDataset',
      path: join(PARQUET, 'images-*.parquet'),
      transforms: EVEN,
    };
    const read = (more: object) => datasets.build({ ...spec, ...more }).load();
    const plain = (await read({})) as ImageDataset;
    const cached = (await read({ cache: true })) as ImageDataset;
    vi.unstubAllEnvs();
    expect(cached.images).toEqual(plain.images);
    expect(readdirSync(join(cache, 'images'))).toEqual([
      expect.stringMatching(/^images-\S+\.parquet-[0-9a-f]{16}\.images$/),
    ]);
  });

  it.each([
    ['of one size', EVEN],
    ['of sizes of their own', UNEVEN],
  ])('stays in the file when some are chosen, %s', async (_, transforms) => {
    const [plain, cached] = [await load({ transforms, cache: false }), await load({ transforms })];
    const choices = [[3, 0, 3, 2], [2], []].map((places) => Int32Array.from(places));
    for (const places of choices) {
      const [expected, actual] = [plain.take(places), cached.take(places)];
      expect([expected, actual].map(isMapped)).toEqual([false, true]);
      expect(actual.images).toEqual(expected.images);
      expect(actual.labels).toEqual(expected.labels);
      if (places.length > 0) expect(batches(actual)).toEqual(batches(expected));
      if (places.length > 1) {
        const [again, alike] = [actual, expected].map((set) => set.take(Int32Array.of(2, 1)));
        expect(batches(again!, referenceEngine() as never)).toEqual(batches(alike!));
      }
    }
  });

  it('serves as part of other sets', async () => {
    const spec = { type: 'ImageFolder', root, transforms: EVEN };
    const of = (more: object) => ({
      type: 'Subset',
      dataset: { type: 'ConcatDataset', datasets: [{ ...spec, ...more }, spec] },
      indices: [7, 1, 2],
    });
    const built = datasets.build(of({ cache }));
    expect(await built.makeCaches!()).toMatchObject([{ images: 4, made: true }]);
    expect(datasets.build(of({})).makeCaches).toBeUndefined();
    const [cached, plain] = [await built.load(), await datasets.build(of({})).load()];
    expect(batches(cached as ImageDataset)).toEqual(batches(plain as ImageDataset));
  });

  const changes: [string, () => unknown, RegExp][] = [
    ['an image is written again', () => touch('a/1.png'), /4 images.* have changed/],
    ['an image is another', () => put('a/1.png', 'colour.jpg'), /4 images.* have changed/],
    ['there is one more', () => put('a/9.png'), /5 images.* have changed/],
    ['there is another class', () => put('c/1.png'), /5 images.* have changed/],
    ['it is cut off', () => truncateSync(cacheFile(), 4100), /has 4100 bytes, but its images end/],
    ['it is empty', () => writeFileSync(cacheFile(), ''), /0 bytes are too few/],
    ['it is another file', () => writeFileSync(cacheFile(), LONG), /is no file of sections/],
    ['its header is damaged', () => flip(100), /its header is damaged/],
    ['it declares no images', () => declare({ count: 0 }), /its header is malformed/],
    ['it declares too many', () => declare({ count: 5 }), /holds 5 images, not 4/],
    [
      'it declares too much',
      () => declare({ height: 2 ** 20, width: 2 ** 20 }),
      /take 13\d+ bytes/,
    ],
    ['it declares an overflow', () => declare({ height: 2 ** 53 }), /its header is malformed/],
    ['it has sizes of no image', () => declare({}, [8, 8, 8, 8, 8, 8, 8, -8]), /of no image/],
    ['it has too many sizes', () => declare({}, new Array(10).fill(8)), /have 8 heights and w/],
    ['it has sizes of more', () => declare({}, [8, 8, 8, 8, 8, 8, 8, 2 ** 20]), /take \d+ bytes/],
  ];
  it.each(changes)('is made anew when %s', async (_, change, message) => {
    await load();
    said = [];
    const before = cacheFile();
    await change();
    const dataset = await load();
    expect(said).toEqual([expect.stringMatching(message)]);
    expect(said[0]).toContain(`in ${before} anew: `);
    expect(dataset.images).toEqual((await load({ cache: false })).images);
    expect(cacheFile()).toBe(before);
  });

  const LONG = 'x'.repeat(5000);
  /** A file whose checksums are right, but not what it says. */
  async function declare(wrong: object, sizes?: number[]): Promise<void> {
    const path = cacheFile();
    const file = openSections(path, 'images');
    const images = { name: 'images', chunks: [file.read('images')] };
    const own = { name: 'sizes', chunks: [new Uint8Array(Int32Array.from(sizes ?? []).buffer)] };
    const meta = () => ({ ...(file.meta as object), ...wrong });
    const sections = sizes === undefined ? [images] : [images, own];
    await writeSections(path, { kind: 'images', sections, meta });
  }
  const touch = (path: string) => utimesSync(join(root, path), 1, 1);
  function flip(place: number): void {
    const path = cacheFile();
    const bytes = readFileSync(path);
    bytes[place]! ^= 1;
    writeFileSync(path, bytes);
  }

  it('has a file for each way to prepare or choose images, but not for what is done later', async () => {
    await load();
    await load({ transforms: [EVEN[0], 'ToTensor'] });
    expect(readdirSync(cache)).toHaveLength(1);
    await load({ transforms: [{ type: 'CenterCrop', size: 7 }, 'ToTensor'] });
    await load({ limit: 1 });
    expect(readdirSync(cache)).toHaveLength(3);
  });

  it('is made ahead, with progress', async () => {
    const seen: unknown[] = [];
    const make = (options: object) => source().makeCaches!({ ...options, onProgress });
    const onProgress = (progress: unknown) => seen.push(progress);
    const [report] = await make({});
    const path = cacheFile();
    const bytes = 4096 + 4 * 3 * 64;
    expect(report).toEqual({ path, images: 4, bytes, made: true });
    expect(statSync(path).size).toBe(bytes);
    const step = `caching 4 images in ${path}`;
    expect(seen).toEqual([0, 1, 2, 3, 4].map((done) => ({ step, done, total: 4, unit: 'images' })));
    expect(await make({})).toEqual([{ path, images: 4, bytes, made: false }]);
    expect(await make({ force: true })).toMatchObject([{ made: true }]);
    expect(said).toEqual([]);
  });

  it('is compared with its checksum where that is asked for', async () => {
    const whole = (await load()).images;
    flip(4096 + 5);
    expect((await load()).images).not.toEqual(whole);
    expect(await source().makeCaches!({})).toMatchObject([{ made: false }]);
    expect(await source().makeCaches!({ check: true })).toMatchObject([{ made: true }]);
    expect((await load()).images).toEqual(whole);
  });

  it('stays mapped when another takes its place', async () => {
    const before = await load();
    const images = before.images.slice();
    using loader = new DataLoader({ dataset: before, engine: cpuEngine(), batch_size: 4 });
    put('a/1.png', 'gray.png');
    await load();
    expect(before.images).toEqual(images);
    expect([...loader.epoch(0)]).toHaveLength(1);
  });

  it('comes to no harm where several make it at the same time', async () => {
    const loaded = await Promise.all([load(), load(), load()]);
    for (const { images } of loaded) expect(images).toEqual(loaded[0]!.images);
    expect(readdirSync(cache)).toHaveLength(1);
  });

  it('leaves nothing when an image cannot be read, or when it is stopped', async () => {
    writeFileSync(join(root, 'b/3.png'), 'words');
    await expect(load()).rejects.toThrow(`cannot read the image ${join(root, 'b/3.png')}`);
    expect(readdirSync(cache)).toEqual([]);
    const stop = new AbortController();
    const onProgress = ({ done }: { done: number }) => done === 2 && stop.abort('enough');
    const made = source({ limit: 3 }).makeCaches!({ signal: stop.signal, onProgress });
    await expect(made).rejects.toThrow();
    expect(readdirSync(cache)).toEqual([]);
  });

  it('says which folder cannot be made', async () => {
    writeFileSync(cache, 'a file');
    await expect(load()).rejects.toThrow(`cannot create ${cache}: `);
  });

  it.each([[0], [''], [{ folder: 'x' }]])('is refused where it is %j', (wrong) => {
    expect(() => source({ cache: wrong })).toThrow('cache');
  });
});
