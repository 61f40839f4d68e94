/** Where a file format's bytes come from. */

import type { FileHandle } from 'node:fs/promises';
import { FileError } from '../base/errors.ts';

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
