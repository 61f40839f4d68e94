/** Where a file format's bytes come from. */

import { readFileSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { FileError } from '../base/errors.ts';
import { fileError } from './atomic.ts';

/** Random access to the bytes of a file. `read` fills all of `target` or throws. */
export interface Source {
  readonly name: string;
  readonly size: number;
  read(target: Uint8Array, position: number): Promise<void>;
}

export function fileSource(name: string, handle: FileHandle, size: number): Source {
  // One read call of the system moves less than 2^31 bytes.
  const chunk = 2 ** 30;
  return {
    name,
    size,
    async read(target, position) {
      for (let done = 0; done < target.length; ) {
        const length = Math.min(chunk, target.length - done);
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
