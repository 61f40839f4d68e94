/** Unpacking gzip and zlib streams where the size that must come out is known before. */

import { constants, unzipSync } from 'node:zlib';
import { FileError } from '../base/errors.ts';

/** Deflate makes at most so many bytes of one. https://zlib.net/zlib_tech.html */
export const MOST_INFLATED = 1032;

/** Enough packed bytes for the first few unpacked ones. */
const BEGINNING = 4096;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** The first unpacked bytes, at most 4 MiB. Throws a `FileError` that begins with `name`. */
export function inflateBeginning(name: string, packed: Uint8Array): Uint8Array {
  return unpack(name, () =>
    unzipSync(packed.subarray(0, BEGINNING), { finishFlush: constants.Z_SYNC_FLUSH }),
  );
}

/**
 * All of the unpacked bytes, of which there must be `size`; no more memory than that is taken.
 * Throws a `FileError` that begins with `name`.
 */
export function inflate(name: string, packed: Uint8Array, size: number): Uint8Array {
  if (size > packed.length * MOST_INFLATED) {
    throw new FileError(`${name}: ${packed.length} packed bytes cannot hold ${size}`);
  }
  const bytes = unpack(name, () => unzipSync(packed, { maxOutputLength: Math.max(1, size) }));
  if (bytes.length === size) return bytes;
  throw new FileError(`${name}: unpacks to ${bytes.length} bytes, expected ${size}`);
}

function unpack(name: string, body: () => Uint8Array): Uint8Array {
  try {
    return body();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const isLarger = code === 'ERR_BUFFER_TOO_LARGE';
    throw new FileError(
      `${name}: ${isLarger ? 'unpacks to more than its header declares' : `cannot be unpacked: ${message}`}`,
    );
  }
}
