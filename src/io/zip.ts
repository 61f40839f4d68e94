/**
 * Files of a zip archive in memory, stored or deflated, without waiting: what a data set looks like
 * must be known at once, and yauzl only reads in its own time. No archives of more than 4 GiB.
 */

import { crc32, inflateRawSync } from 'node:zlib';
import { FileError } from '../base/errors.ts';
import { MOST_INFLATED } from './inflate.ts';
import { METHOD, SIGNATURE } from './zip-format.ts';

/** Of the record of the end, without the comment, which has at most 65,535 bytes. */
const END_BYTES = 22;
const MOST_COMMENT = 0xffff;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
}

/**
 * The files by name; each is unpacked when it is asked for, into no more memory than it declares,
 * and compared with its checksum. Throws a `FileError` that begins with `path`.
 */
export function zipEntries(path: string, bytes: Uint8Array): Map<string, () => Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = new Map<string, () => Uint8Array>();
  try {
    for (const entry of centralDirectory(view, bytes)) {
      if (entries.has(entry.name)) throw new Error(`has ${entry.name} twice`);
      entries.set(entry.name, () => contents(path, entry, view, bytes));
    }
  } catch (error) {
    throw new FileError(`${path}: is no zip archive: ${reason(error)}`);
  }
  return entries;
}

/** A read beyond the end throws a `RangeError`. */
function reason(error: unknown): string {
  return error instanceof RangeError ? 'it is cut off' : (error as Error).message;
}

function* centralDirectory(view: DataView, bytes: Uint8Array): Generator<Entry> {
  const end = endRecord(view);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) throw new Error('it is of the 64-bit kind');
  for (let i = 0; i < count; i++) {
    if (view.getUint32(at, true) !== SIGNATURE.central) throw new Error(`entry ${i} is damaged`);
    const nameBytes = view.getUint16(at + 28, true);
    const name = Buffer.from(bytes.subarray(at + 46, at + 46 + nameBytes)).toString('utf8');
    yield {
      name,
      flags: view.getUint16(at + 8, true),
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      local: view.getUint32(at + 42, true),
    };
    at += 46 + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
}

function endRecord(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - MOST_COMMENT); at--) {
    if (view.getUint32(at, true) === SIGNATURE.end) return at;
  }
  throw new Error('it has no end');
}

function contents(path: string, entry: Entry, view: DataView, bytes: Uint8Array): Uint8Array {
  const { name, method, flags, crc, packed, size, local } = entry;
  try {
    if (view.getUint32(local, true) !== SIGNATURE.local)
      throw new Error('does not begin where it should');
    if ((flags & 1) !== 0) throw new Error('is encrypted');
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + packed > bytes.length) throw new Error('is cut off');
    const data = unpack(bytes.subarray(start, start + packed), method, size);
    if (data.length !== size) throw new Error(`has ${data.length} bytes, expected ${size}`);
    if (crc32(data) !== crc) throw new Error('does not have the checksum it was written with');
    return data;
  } catch (error) {
    throw new FileError(`${path}: ${name} ${reason(error)}`);
  }
}

function unpack(packed: Uint8Array, method: number, size: number): Uint8Array {
  if (method === METHOD.stored) return packed;
  if (method !== METHOD.deflated)
    throw new Error(`is compressed by method ${method}, which is not read`);
  if (size > packed.length * MOST_INFLATED) throw new Error(`cannot have ${size} bytes`);
  return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
}
