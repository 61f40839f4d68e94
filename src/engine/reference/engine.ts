/**
 * The reference engine: the executable specification of every kernel. It is clear rather than
 * fast, computes in float64 whatever the dtype, and runs on the calling thread.
 */

import { type DType, type HostArray, hostArray } from '../../base/dtype.ts';
import { EngineError } from '../../base/errors.ts';
import type { Engine, Executable, GatherRows, Storage } from '../engine.ts';
import type { Program } from '../program.ts';
import { ReferenceExecutable } from './executable.ts';
import { own, ReferenceStorage } from './storage.ts';
import { convertTo, fromHost, toHost } from './values.ts';

export class ReferenceEngine implements Engine {
  readonly name = 'reference';

  allocate(dtype: DType, numel: number): Storage {
    return new ReferenceStorage(dtype, numel);
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

  gatherRows(request: GatherRows): void {
    const { indices, table, channels, pixels } = request;
    const row = channels * pixels;
    const source = own(request.source);
    const destination = own(request.destination);
    const rows = source.numel / row;
    const sizes = `source ${source.dtype} of ${source.numel}, destination ${destination.dtype} of ${destination.numel}`;
    if (source.dtype !== 'uint8' || destination.dtype !== 'float32') {
      throw new EngineError(`[gatherRows] needs uint8 rows and a float32 destination: ${sizes}`);
    }
    if (
      !Number.isInteger(rows) ||
      destination.numel !== indices.length * row ||
      table.length !== channels * 256
    ) {
      throw new EngineError(
        `[gatherRows] sizes do not fit ${indices.length} rows of ${channels} x ${pixels}: ${sizes}, table of ${table.length}`,
      );
    }
    const outside = indices.find((index) => index < 0 || index >= rows);
    if (outside !== undefined) {
      throw new EngineError(`[gatherRows] index ${outside} is out of range for ${rows} rows`);
    }
    const from = source.values;
    const to = destination.values;
    indices.forEach((index, i) => {
      for (let j = 0; j < row; j++) {
        const byte = from[index * row + j]!;
        to[i * row + j] = table[Math.floor(j / pixels) * 256 + byte]!;
      }
    });
  }
}

const engine = new ReferenceEngine();

/** The one reference engine of the process. */
export function referenceEngine(): ReferenceEngine {
  return engine;
}
