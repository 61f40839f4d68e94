/** Where a file format's bytes come from. */

import { closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { FileError } from '../base/errors.ts';
import { fileError } from './atomic.ts';

/** Random access to the bytes of a file. `read` fills all of `target` or throws. */
export interface Source {
  readonly name: string;
  readonly size: number;
  read(target: Uint8Array, position: number): Promise<void>;
}

/** One read call of the system moves less than 2^31 bytes. */
const CHUNK = 2 ** 30;

export function fileSource(name: string, handle: FileHandle, size: number): Source {
  return {
    name,
    size,
    async read(target, position) {
      for (let done = 0; done < target.length; ) {
        const length = Math.min(CHUNK, target.length - done);
        const { bytesRead } = await handle.read(target, done, length, position + done);
        if (bytesRead === 0) {
          throw new FileError(`${name}: ended at byte ${position + done} while being read`);
        }
        done += bytesRead;
      }
    },
  };
}

export function memorySource(name: string, bytes: Uint8Array): Source {
  return {
    name,
    size: bytes.length,
    async read(target, position) {
      target.set(bytes.subarray(position, position + target.length));
    },
  };
}

/** All bytes of a file. Throws a `FileError` when it cannot be read, or has more than `most`. */
export function readWhole(path: string, most: number): Uint8Array {
  try {
    const { size } = statSync(path);
    if (size > most) throw new Error(`it has ${size} bytes, more than ${most}`);
    return readFileSync(path);
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
}

/** Throws a `FileError` when there is no such file. */
export function fileSize(path: string): number {
  try {
    return statSync(path).size;
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
}

/**
 * Fills `target` with the first bytes of a file. `check` is told how many the file has, and may
 * throw. Throws a `FileError` when it cannot be read or has fewer.
 */
export function readBeginning(
  path: string,
  target: Uint8Array,
  check: (size: number) => void = () => undefined,
): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    check(fstatSync(descriptor).size);
    for (let done = 0; done < target.length; ) {
      const length = Math.min(CHUNK, target.length - done);
      const read = readSync(descriptor, target, done, length, done);
      if (read === 0) throw new FileError(`${path}: ended at byte ${done} while being read`);
      done += read;
    }
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** The text of a file. Throws a `FileError` as `readWhole`, and where it is not in UTF-8. */
export function readText(path: string, most: number): string {
  const bytes = readWhole(path, most);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new FileError(`cannot read ${path}: it is no text in UTF-8`);
  }
}
