/** Reading what `torch.save` wrote: `.pt`, `.pth`, `.bin`. */

import { type FileHandle, open } from 'node:fs/promises';
import type { HostArray } from '../../base/dtype.ts';
import { FileError } from '../../base/errors.ts';
import { fileError } from '../atomic.ts';
import type { HostTensor } from '../host-tensor.ts';
import { fileSource, type Source } from '../source.ts';
import { openZip } from '../zip-source.ts';
import { readArchive } from './archive.ts';
import { LEGACY_START, readLegacy } from './legacy.ts';
import { contents, type ElementType, type Storage, View } from './storage.ts';

/** A file that was read up to the bytes of its storages. */
export interface TorchContents {
  /** Maps, lists, numbers and text, with a `View` for each tensor. */
  readonly value: unknown;
  bytes(storage: Storage): Promise<Uint8Array>;
}

const ZIP_START = Uint8Array.of(0x50, 0x4b);

/**
 * Reads a file of `torch.save`, zipped or legacy: dictionaries as `Map`, lists and tuples as
 * arrays, tensors as `HostTensor`. Tensors that share a storage get copies of their own. Nothing in
 * the file is executed; only what `torch.load(weights_only=True)` takes is taken.
 *
 * @throws FileError that names the file and what is wrong with it.
 */
export async function readTorch(path: string): Promise<unknown> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { size } = await handle.stat();
    const source = fileSource(path, handle, size);
    return await withTensors(await readContents(source), path);
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  } finally {
    await handle?.close();
  }
}

async function readContents(source: Source): Promise<TorchContents> {
  const start = new Uint8Array(Math.min(source.size, LEGACY_START.length));
  await source.read(start, 0);
  if (ZIP_START.every((byte, i) => start[i] === byte)) {
    return readArchive(await openZip(source), source);
  }
  if (LEGACY_START.every((byte, i) => start[i] === byte)) return readLegacy(source);
  throw new FileError(
    `${source.name} is no file of torch.save: it is no zip, and does not begin as its older files do`,
  );
}

/** The value with each view's contents in its place. */
async function withTensors({ value, bytes }: TorchContents, file: string): Promise<unknown> {
  const views = new Set<View>();
  collect(value, views, new Set());
  checkSize(views, file);
  const tensors = new Map<View, HostTensor>();
  for (const group of byStorage(views)) {
    const [{ storage }] = group as [View];
    const raw = await bytes(storage);
    const decoded = new Map<ElementType, HostArray>();
    for (const view of group) {
      const elements =
        decoded.get(view.type) ?? decode(raw, view.type, `${file}: storage ${storage.key}`);
      decoded.set(view.type, elements);
      tensors.set(view, contents(view, elements));
    }
  }
  return replaced(value, tensors, new Map());
}

/** Tensors may share storages, as tied weights do; but copies of them are made. */
const MOST_COPIES = 16;
/** Up to here nobody minds. */
const ALWAYS_ALLOWED = 2 ** 24;

function checkSize(views: Iterable<View>, file: string): void {
  const storages = new Map<string, number>();
  let total = 0;
  for (const { storage, shape } of views) {
    storages.set(storage.key, storage.bytes);
    total += shape.reduce((product, length) => product * length, 1);
  }
  const stored = [...storages.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (total <= Math.max(ALWAYS_ALLOWED, MOST_COPIES * stored)) return;
  throw new FileError(
    `${file}: its tensors have ${total} elements, of ${stored} bytes in the file`,
  );
}

function byStorage(views: Iterable<View>): Iterable<View[]> {
  const groups = new Map<string, View[]>();
  for (const view of views) {
    const group = groups.get(view.storage.key);
    if (group === undefined) groups.set(view.storage.key, [view]);
    else group.push(view);
  }
  return groups.values();
}

function decode(raw: Uint8Array, type: ElementType, what: string): HostArray {
  try {
    const whole = raw.length - (raw.length % type.itemsize);
    return type.decode(raw.slice(0, whole).buffer as ArrayBuffer);
  } catch (error) {
    throw new FileError(`${what}: ${(error as Error).message}`);
  }
}

/** Deeper than any state of a model or an optimizer. */
const MOST_DEPTH = 64;

function partsOf(value: unknown): readonly unknown[] {
  if (value instanceof Map) return [...value.values()];
  return Array.isArray(value) ? value : [];
}

function collect(value: unknown, views: Set<View>, seen: Set<unknown>, depth = 0): void {
  if (value instanceof View) views.add(value);
  const parts = partsOf(value);
  if (parts.length === 0 || seen.has(value)) return;
  if (depth > MOST_DEPTH) throw new FileError(`its values are nested deeper than ${MOST_DEPTH}`);
  seen.add(value);
  for (const part of parts) collect(part, views, seen, depth + 1);
}

/** A value that stands in several places is replaced once, so one inside itself ends. */
function replaced(
  value: unknown,
  tensors: ReadonlyMap<View, HostTensor>,
  done: Map<unknown, unknown>,
): unknown {
  if (value instanceof View) return tensors.get(value);
  const known = done.get(value);
  if (known !== undefined) return known;
  if (value instanceof Map) {
    const result = new Map<unknown, unknown>();
    done.set(value, result);
    for (const [key, part] of value) result.set(key, replaced(part, tensors, done));
    return result;
  }
  if (!Array.isArray(value)) return value;
  const result: unknown[] = [];
  done.set(value, result);
  for (const part of value) result.push(replaced(part, tensors, done));
  return result;
}
