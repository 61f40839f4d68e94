/** The loader's batches as tensors, ready for a compiled step. */

import type { LoadedConfig } from '../config/load.ts';
import { engine } from '../core/device.ts';
import { bufferLeaf } from '../core/leaf.ts';
import { Tensor } from '../core/tensor.ts';
import type { Dataset, Field } from '../data/dataset.ts';
import { type Batch, DataLoader } from '../data/loader.ts';
import type { Storage } from '../engine/engine.ts';

/** Runs that may be under way at once: enough to keep the engine busy while a batch is made. */
export const RUNS_AHEAD = 3;

export function openLoader(
  { config: { data, seed } }: LoadedConfig,
  dataset: Dataset,
  split: 'train' | 'val',
): DataLoader {
  const { batch_size, shuffle, drop_last } = data;
  const order = split === 'train' ? { shuffle, drop_last, seed } : {};
  // A batch is reused when the runs before it are done.
  return new DataLoader({
    dataset,
    engine: engine(),
    batch_size,
    buffers: RUNS_AHEAD + 1,
    ...order,
  });
}

/** Tensors over a loader's storages. There are few storages, used in turn, so each has one tensor. */
export class BatchTensors {
  readonly #tensors = new WeakMap<Storage, Tensor>();

  constructor(readonly dataset: Dataset) {}

  inputs(batch: Batch): Tensor {
    return this.#over(batch.inputs, this.dataset.input, batch.size);
  }

  targets(batch: Batch): Tensor {
    return this.#over(batch.targets, this.dataset.target, batch.size);
  }

  #over(storage: Storage, { dtype, shape }: Field, size: number): Tensor {
    let tensor = this.#tensors.get(storage);
    if (tensor === undefined) {
      tensor = new Tensor(bufferLeaf({ dtype, shape: [size, ...shape] }, storage));
      this.#tensors.set(storage, tensor);
    }
    return tensor;
  }
}
