/**
 * PyTorch's files since 1.6: a zip archive, never compressed, of one pickle and a file for each
 * storage: `NAME/data.pkl`, `NAME/data/0`, `NAME/data/1`, ..., `NAME/byteorder`.
 * https://docs.pytorch.org/docs/stable/notes/serialization.html#serialized-file-format-for-torch-save
 */

import { crc32 } from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { FileError } from '../../base/errors.ts';
import { Tuple, Unpickler } from '../pickle/pickle.ts';
import type { Source } from '../source.ts';
import { globalNamed, StorageType } from './globals.ts';
import type { TorchContents } from './read.ts';
import { Storage } from './storage.ts';

/** A state dict's pickle has some hundred bytes a tensor. */
const MOST_PICKLE_BYTES = 2 ** 28;

/** @throws FileError for anything that PyTorch does not write. */
export async function readArchive(zip: ZipFile, source: Source): Promise<TorchContents> {
  const entries = await listEntries(zip, source.name);
  const pickle = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickle === undefined) {
    throw new FileError(`${source.name}: the archive has no data.pkl; torch.save writes one`);
  }
  const folder = pickle.slice(0, pickle.indexOf('/'));
  if (entries.has(`${folder}/constants.pkl`)) {
    throw new FileError(
      `${source.name} is a TorchScript program, which is not run; save model.state_dict()`,
    );
  }
  const read = async (name: string, most: number): Promise<Buffer> => {
    const entry = entries.get(name);
    if (entry === undefined) throw new FileError(`${source.name}: the archive lacks ${name}`);
    return readEntry(zip, entry, source, most);
  };
  await checkByteOrder(entries, folder, read, source.name);
  const value = new Unpickler(source.name, await read(pickle, MOST_PICKLE_BYTES), {
    global: globalNamed,
    persistent: storageOf,
  }).read();
  return {
    value,
    async bytes(storage) {
      const name = `${folder}/data/${storage.key}`;
      const bytes = await read(name, storage.bytes);
      if (bytes.length !== storage.bytes) {
        throw new FileError(
          `${source.name}: ${name} has ${bytes.length} bytes, but its storage ${storage.bytes}`,
        );
      }
      return bytes;
    },
  };
}

/** Throws for names that lead out of the archive, among others. */
async function listEntries(zip: ZipFile, file: string): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.has(entry.fileName)) {
      throw new FileError(`${file}: the archive has ${entry.fileName} twice`);
    }
    entries.set(entry.fileName, entry);
  }
  return entries;
}

async function readEntry(
  zip: ZipFile,
  entry: Entry,
  source: Source,
  most: number,
): Promise<Buffer> {
  const { fileName, compressionMethod, uncompressedSize, compressedSize } = entry;
  const fail = (message: string) => new FileError(`${source.name}: ${fileName} ${message}`);
  if (compressionMethod !== 0 || compressedSize !== uncompressedSize || entry.isEncrypted()) {
    throw fail('is compressed, which PyTorch never does');
  }
  if (uncompressedSize > most)
    throw fail(`has ${uncompressedSize} bytes, expected at most ${most}`);
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  if (fileDataStart + uncompressedSize > source.size) throw fail('is cut off');
  const bytes = Buffer.from(new ArrayBuffer(uncompressedSize));
  await source.read(bytes, fileDataStart);
  // PyTorch leaves the checksum out where it is told to be quick.
  if (entry.crc32 !== 0 && crc32(bytes) !== entry.crc32) {
    throw fail('is damaged: it does not have the checksum it was written with');
  }
  return bytes;
}

async function checkByteOrder(
  entries: ReadonlyMap<string, Entry>,
  folder: string,
  read: (name: string, most: number) => Promise<Buffer>,
  file: string,
): Promise<void> {
  const name = `${folder}/byteorder`;
  if (!entries.has(name)) return;
  const order = (await read(name, 16)).toString('latin1');
  if (order !== 'little') throw new FileError(`${file}: its byte order is "${order}", not little`);
}

/** ('storage', type, key, location, elements). */
function storageOf(id: unknown): Storage {
  if (!(id instanceof Tuple) || id[0] !== 'storage' || !(id[1] instanceof StorageType)) {
    throw new Error('something is kept outside that is no storage');
  }
  const [, { type }, key, , length] = id as unknown as [
    string,
    StorageType,
    unknown,
    unknown,
    unknown,
  ];
  if (typeof key !== 'string' || !/^\d{1,12}$/.test(key)) throw new Error('a storage has no key');
  if (!Number.isSafeInteger(length) || (length as number) < 0) {
    throw new Error('a storage has no length');
  }
  return new Storage(key, type, length as number);
}
