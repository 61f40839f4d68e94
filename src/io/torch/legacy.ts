/**
 * PyTorch's files before 1.6, which torch.save still writes on demand: five pickles (a magic
 * number, a version, the machine, the value, the keys of the storages), then for each storage its
 * number of elements (8 bytes) and its elements.
 */

import { FileError } from '../../base/errors.ts';
import { Tuple, Unpickler } from '../pickle/pickle.ts';
import type { Source } from '../source.ts';
import { globalNamed, StorageType } from './globals.ts';
import type { TorchContents } from './read.ts';
import { Storage } from './storage.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;
/** What a file of this kind begins with. */
export const LEGACY_START = Uint8Array.of(0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46);

/** Such files cannot be larger than what is read at once. */
const MOST_BYTES = 2 ** 32;

/** @throws FileError for anything that PyTorch does not write. */
export async function readLegacy(source: Source): Promise<TorchContents> {
  const { name, size } = source;
  const fail = (message: string) => new FileError(`${name}: ${message}`);
  if (size > MOST_BYTES) throw fail(`has ${size} bytes; a legacy file may have ${MOST_BYTES}`);
  const bytes = new Uint8Array(size);
  await source.read(bytes, 0);
  const storages = new Map<string, Storage>();
  const pickles = new Unpickler(name, bytes, {
    global: globalNamed,
    persistent: (id) => storageOf(id, storages),
  });
  if (pickles.read() !== MAGIC) throw fail('is no file of torch.save');
  const version = pickles.read();
  if (version !== VERSION)
    throw fail(`has version ${String(version)} of the format, not ${VERSION}`);
  const machine = pickles.read();
  if (machine instanceof Map && machine.get('little_endian') === false) {
    throw fail('was written on a big-endian machine, which is not read');
  }
  const value = pickles.read();
  const keys = pickles.read();
  if (!Array.isArray(keys)) throw fail('has no list of storages');
  const contents = locate(keys, storages, bytes, pickles.position, fail);
  return {
    value,
    async bytes({ key }) {
      const found = contents.get(key);
      if (found === undefined) throw fail(`lacks storage ${key}`);
      return found;
    },
  };
}

/** ('storage', type, key, location, elements, view), where a view is (key, offset, elements). */
function storageOf(id: unknown, storages: Map<string, Storage>): Storage {
  if (!(id instanceof Tuple) || id[0] !== 'storage' || !(id[1] instanceof StorageType)) {
    throw new Error('something is kept outside that is no storage');
  }
  const [, { type }, key, , length, view = null] = id as unknown as [
    string,
    StorageType,
    unknown,
    unknown,
    unknown,
    unknown,
  ];
  if (typeof key !== 'string') throw new Error('a storage has no key');
  if (view !== null) throw new Error('a storage is a part of another, as in files before 0.4');
  if (!Number.isSafeInteger(length) || (length as number) < 0) {
    throw new Error('a storage has no length');
  }
  const known = storages.get(key);
  if (known !== undefined) return known;
  const storage = new Storage(key, type, length as number);
  storages.set(key, storage);
  return storage;
}

/** The bytes of each storage, which follow one another. */
function locate(
  keys: readonly unknown[],
  storages: ReadonlyMap<string, Storage>,
  bytes: Uint8Array,
  start: number,
  fail: (message: string) => FileError,
): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer);
  let at = start;
  for (const key of keys) {
    const storage = storages.get(String(key));
    if (storage === undefined) throw fail(`no tensor uses its storage ${String(key).slice(0, 40)}`);
    if (at + 8 > bytes.length) throw fail(`ends before storage ${storage.key}`);
    const length = view.getBigInt64(at, true);
    if (length !== BigInt(storage.length)) {
      throw fail(
        `storage ${storage.key} has ${length} elements, but ${storage.length} in its pickle`,
      );
    }
    at += 8;
    if (storage.bytes > bytes.length - at) throw fail(`ends within storage ${storage.key}`);
    found.set(storage.key, bytes.subarray(at, at + storage.bytes));
    at += storage.bytes;
  }
  return found;
}
