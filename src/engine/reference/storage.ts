/** A buffer of the reference engine. */

import type { DType } from '../../base/dtype.ts';
import { EngineError } from '../../base/errors.ts';
import type { Storage } from '../engine.ts';

export class ReferenceStorage implements Storage {
  #values: Float64Array | undefined;

  constructor(
    readonly dtype: DType,
    readonly numel: number,
  ) {
    this.#values = new Float64Array(numel);
  }

  get disposed(): boolean {
    return this.#values === undefined;
  }

  /** The contents, held as `values.ts` describes. Throws `EngineError` after `dispose()`. */
  get values(): Float64Array {
    if (this.#values === undefined) {
      throw new EngineError(`[storage] ${this.dtype} buffer of ${this.numel} used after dispose()`);
    }
    return this.#values;
  }

  dispose(): void {
    this.#values = undefined;
  }
}

/** The buffer as one of ours. Throws `EngineError` on another engine's. */
export function own(storage: Storage): ReferenceStorage {
  if (storage instanceof ReferenceStorage) return storage;
  throw new EngineError('[storage] the buffer belongs to another engine, not to reference');
}
