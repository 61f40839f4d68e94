/**
 * The reference engine: the executable specification of every kernel. It is clear rather than
 * fast, computes in float64 whatever the dtype, and runs on the calling thread.
 */

import { fstatSync, readSync } from 'node:fs';
import { type DType, type HostArray, hostArray } from '../../base/dtype.ts';
import { EngineError } from '../../base/errors.ts';
import type { Engine, Executable, FilePart, Storage } from '../engine.ts';
import { applyOps } from '../image-ops/apply.ts';
import type { ImageOp } from '../image-ops/op.ts';
import type { Pixels } from '../image-ops/pixels.ts';
import type { ImageSource, Images } from '../images.ts';
import type { Program } from '../program.ts';
import { ReferenceExecutable } from './executable.ts';
import { ReferenceImages } from './images.ts';
import { own, ReferenceStorage } from './storage.ts';
import { convertTo, fromHost, toHost } from './values.ts';

export class ReferenceEngine implements Engine {
  readonly name = 'reference';

  allocate(dtype: DType, numel: number): Storage {
    return new ReferenceStorage(dtype, numel);
  }

  map({ fd, path, offset, length }: FilePart): Storage {
    const { size } = fstatSync(fd);
    if (!(offset >= 0 && length >= 0 && offset + length <= size)) {
      throw new EngineError(
        `[map] ${path}: has ${size} bytes, but ${length} are asked for from byte ${offset} on`,
      );
    }
    const bytes = new Uint8Array(length);
    if (readSync(fd, bytes, 0, length, offset) !== length) {
      throw new EngineError(`[map] ${path}: ended while being read`);
    }
    const storage = this.allocate('uint8', length);
    this.write(storage, bytes);
    return storage;
  }

  write(storage: Storage, data: HostArray): void {
    const expected = hostArray(storage.dtype, 0).constructor.name;
    if (data.constructor.name !== expected) {
      throw new EngineError(
        `[write] a ${storage.dtype} buffer takes a ${expected}, got a ${data.constructor.name}`,
      );
    }
    this.writeExact(storage, fromHost(data));
  }

  readSync(storage: Storage): HostArray {
    return toHost(storage.dtype, own(storage).values);
  }

  async read(storage: Storage): Promise<HostArray> {
    return this.readSync(storage);
  }

  /**
   * Copies in numbers without rounding them to the storage's floating dtype, as finite differences
   * need; integer dtypes still truncate and wrap. Throws `EngineError` when the lengths differ.
   */
  writeExact(storage: Storage, data: ArrayLike<number>): void {
    const { values } = own(storage);
    if (data.length !== values.length) {
      throw new EngineError(
        `[write] a buffer of ${values.length} was given ${data.length} elements`,
      );
    }
    values.set(data);
    convertTo(storage.dtype, values);
  }

  /** A copy of the contents as they were computed, not rounded to the storage's dtype. */
  readExact(storage: Storage): Float64Array {
    return own(storage).values.slice();
  }

  load(program: Program): Executable {
    return new ReferenceExecutable(program);
  }

  images(...sources: readonly ImageSource[]): Images {
    return new ReferenceImages(sources);
  }

  applyOps(image: Pixels, ops: readonly ImageOp[]): Pixels {
    return applyOps(image, ops);
  }
}

const engine = new ReferenceEngine();

/** The one reference engine of the process. */
export function referenceEngine(): ReferenceEngine {
  return engine;
}
