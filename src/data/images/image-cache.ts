/**
 * Decoded and prepared images in one file, which is mapped into memory: decoded once, shared by all
 * processes that use them, and dropped from memory when it is short.
 *
 * A file is used as long as its fingerprint is that of the images it was made of. Its header and
 * the sizes of its images are checked whenever it is opened; the bytes of the images themselves
 * only where that is asked for, as it takes reading all of them.
 */

import { createHash, type Hash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { FileError, TorchtsError } from '../../base/errors.ts';
import { INTERPRETED } from '../../base/registry.ts';
import { version } from '../../base/version.ts';
import { tell } from '../../base/warn.ts';
import { count as inWords } from '../../base/words.ts';
import { fileError, removeAbandoned } from '../../io/atomic.ts';
import { waitForLock } from '../../io/lock.ts';
import { openSections, type SectionFile, writeSections } from '../../io/sections.ts';
import type { CacheOptions, CacheReport } from '../dataset.ts';
import { cacheFolder } from '../paths.ts';
import { type ImagePixels, ImageStore, LargestSize } from './image-store.ts';
import type { Pixels } from './pixels.ts';

const KIND = 'images';

/** Larger sides, or more channels, are those of no image. */
const MOST = 2 ** 20;

const side = z.int().min(1).max(MOST);

const metaSchema = z.strictObject({
  fingerprint: z.string(),
  count: z.int().min(1),
  channels: side,
  /** Of every image; of the largest where they have sizes of their own. */
  height: side,
  width: side,
});

/** Images to be cached. */
export interface CachedImages {
  readonly path: string;
  /** Changes with all that the images are made of. */
  readonly fingerprint: string;
  readonly count: number;
  readonly channels: number;
  /** The images in order, decoded and prepared. */
  images(): AsyncIterable<Pixels>;
}

/**
 * The place of a cache file, in torchts' own folder unless another is given. `identity`, which JSON
 * can hold, tells a set from others, so that each has a file of its own.
 */
export function cachePath(folder: string | undefined, name: string, identity: unknown): string {
  const id = createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 16);
  const stem = name.replaceAll(/[^\w.-]+/g, '_').slice(0, 60);
  return resolve(folder ?? join(cacheFolder(), 'images'), `${stem}-${id}.images`);
}

/** Collects what images are made of. */
export class Fingerprint {
  readonly #hash: Hash = createHash('sha256');
  readonly #files = new Map<string, number>();

  /** @param steps what is done to every image, as JSON can hold it; so are the classes. */
  constructor(classes: readonly string[], steps: unknown) {
    this.#add([version(), classes, steps]);
  }

  /** An image: its number in the set, its class, and the file it is in. Throws a `FileError`. */
  add(place: number, label: number, file: string): void {
    let known = this.#files.get(file);
    if (known === undefined) {
      known = this.#files.size;
      this.#files.set(file, known);
      this.#add([file, ...stampOf(file)]);
    }
    this.#add([place, label, known]);
  }

  get digest(): string {
    return this.#hash.copy().digest('hex');
  }

  #add(facts: readonly unknown[]): void {
    this.#hash.update(`${JSON.stringify(facts)}\n`);
  }
}

/** The size of a file, and when it was written, to the nanosecond. */
function stampOf(path: string): string[] {
  try {
    const { size, mtimeNs } = statSync(path, { bigint: true });
    return [String(size), String(mtimeNs)];
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
}

/** The images, from their file; it is made where there is none that fits. Throws a `FileError`. */
export async function loadCached(images: CachedImages): Promise<ImagePixels> {
  const found = openOrReason(images);
  if (typeof found !== 'string') return found.pixels;
  await makeCache(images);
  return openCache(images).pixels;
}

/**
 * Makes the file, unless there is one that fits. Of two processes that want the same one, one waits
 * for the other. Throws a `FileError`.
 */
export async function makeCache(
  images: CachedImages,
  options: CacheOptions = {},
): Promise<CacheReport> {
  const { path, count } = images;
  await createFolder(dirname(path));
  const unlock = await waitForLock(`${path}.lock`, {
    onWait: (pid) => tell(`${path} is being made by process ${pid}; waiting for its end`),
    signal: options.signal,
  });
  try {
    const reason = reasonToMake(images, options);
    if (reason !== undefined) {
      await removeAbandoned(path);
      await write(images, reporter(images, reason, options));
    }
    return { path, images: count, bytes: statSync(path).size, made: reason !== undefined };
  } finally {
    await unlock();
  }
}

async function createFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw fileError(`cannot create ${path}`, error);
  }
}

/** Why the file must be made, in words; nothing where it can be used. */
function reasonToMake(images: CachedImages, { force, check }: CacheOptions): string | undefined {
  const found = openOrReason(images);
  if (typeof found === 'string') return found;
  try {
    if (force) return 'as was asked for';
    return check && !found.file.isWhole('images') ? 'its images are damaged' : undefined;
  } finally {
    found.file.close();
  }
}

/** What is told that so many images were written. Throws where it is time to stop. */
function reporter(
  { path, count }: CachedImages,
  reason: string,
  { onProgress, signal }: CacheOptions,
): (done: number) => void {
  const what = `caching ${inWords(count)} images in ${path}`;
  const step = existsSync(path) ? `${what} anew: ${reason}` : what;
  if (onProgress === undefined) tell(step);
  return (done) => {
    signal?.throwIfAborted();
    onProgress?.({ step, done, total: count, unit: 'images' });
  };
}

async function write(images: CachedImages, progress: (done: number) => void): Promise<void> {
  const { fingerprint, count, channels } = images;
  const largest = new LargestSize();
  const sizes = new Int32Array(2 * count);
  let done = 0;
  const chunks = async function* () {
    progress(0);
    for await (const { height, width, data } of images.images()) {
      largest.add({ height, width });
      sizes.set([height, width], 2 * done++);
      yield data;
      progress(done);
    }
  };
  const sections = function* () {
    yield { name: 'images', chunks: chunks() };
    if (!largest.isEven) yield { name: 'sizes', chunks: [new Uint8Array(sizes.buffer)] };
  };
  const meta = () => {
    const { height, width } = largest;
    return { fingerprint, count, channels, height, width };
  };
  await writeSections(images.path, { kind: KIND, sections: sections(), meta });
}

interface OpenCache {
  readonly file: SectionFile;
  readonly pixels: ImagePixels;
}

/** The file, or in words why it cannot be used. */
function openOrReason(images: CachedImages): OpenCache | string {
  if (!existsSync(images.path)) return 'there is none';
  try {
    return openCache(images);
  } catch (error) {
    if (!(error instanceof TorchtsError)) throw error;
    return error.message.replace(`${images.path}: `, '');
  }
}

/** Throws an error that says why the file is not that of the images. */
function openCache({ path, fingerprint, count, channels }: CachedImages): OpenCache {
  const file = openSections(path, KIND);
  try {
    const parsed = metaSchema.safeParse(file.meta, INTERPRETED);
    if (!parsed.success) throw new FileError(`${path}: its header is malformed`);
    const { data: meta } = parsed;
    if (meta.fingerprint !== fingerprint)
      throw new FileError(`${path}: its images or what is done to them have changed`);
    if (meta.count !== count || meta.channels !== channels) {
      throw new FileError(`${path}: holds ${meta.count} images, not ${count}`);
    }
    const { height, width } = meta;
    const sizes = file.has('sizes') ? sizesIn(file, path) : undefined;
    const pixels = { channels, height, width, images: file.bytes('images'), sizes };
    new ImageStore(count, pixels); // throws where the sizes are not those of the bytes
    return { file, pixels };
  } catch (error) {
    file.close();
    throw error;
  }
}

function sizesIn(file: SectionFile, path: string): Int32Array {
  const bytes = file.read('sizes');
  if (bytes.length % 4 !== 0) throw new FileError(`${path}: its sizes are damaged`);
  const sizes = new Int32Array(bytes.buffer, 0, bytes.length / 4);
  if (sizes.every((size) => size >= 1 && size <= MOST)) return sizes;
  throw new FileError(`${path}: its sizes are those of no image`);
}
