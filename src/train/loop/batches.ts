/** The loader's batches as tensors, ready for a compiled step. */

import { itemsize } from '../../base/dtype.ts';
import { numel } from '../../base/shape.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { pointing } from '../../config/model-check.ts';
import { engine } from '../../core/device.ts';
import { bufferLeaf } from '../../core/leaf.ts';
import { Tensor } from '../../core/tensor.ts';
import type { Dataset, Field } from '../../data/dataset.ts';
import { cutShape } from '../../data/description.ts';
import { type Batch, DataLoader } from '../../data/loading/loader.ts';
import { samplers } from '../../data/loading/samplers.ts';
import type { Storage } from '../../engine/engine.ts';
import { evaluationBatch, samplesPerStep } from '../task/task.ts';

/** Calls that may be under way at once: enough to keep the engine busy meanwhile. */
export const RUNS_AHEAD = 3;

const MOST_STEPS_PER_CALL = 16;
/** Of the batches of one call: steps with larger ones are long enough to be called one by one. */
const MOST_BYTES_PER_CALL = 1 << 20;

/** How many steps may be handed to the engine in one call. */
export function stepsPerCall(batch_size: number, input: Field): number {
  const bytes = batch_size * numel(input.shape) * itemsize(input.dtype);
  const fitting = Math.floor(MOST_BYTES_PER_CALL / Math.max(1, bytes));
  return Math.max(1, Math.min(MOST_STEPS_PER_CALL, fitting));
}

export function openLoader(
  loaded: LoadedConfig,
  dataset: Dataset,
  use: 'training' | 'evaluation',
): DataLoader {
  const { config } = loaded;
  const order = use === 'training' ? trainingOrder(loaded, dataset) : {};
  const { buckets, num_workers } = config.data;
  const batch_size = use === 'training' ? samplesPerStep(config) : evaluationBatch(config);
  // A batch is reused when the calls before it are done; one call may be waiting to be full.
  const buffers = (RUNS_AHEAD + 1) * stepsPerCall(batch_size, dataset.input);
  const options = { dataset, engine: engine(), batch_size, buffers, num_workers, ...order };
  if (buckets === undefined) return new DataLoader(options);
  return pointing(loaded, ['data', 'buckets'], () => new DataLoader({ ...options, buckets }));
}

function trainingOrder(loaded: LoadedConfig, dataset: Dataset) {
  const { seed, data } = loaded.config;
  const { shuffle, drop_last, sampler } = data;
  if (sampler === undefined) return { shuffle, drop_last, seed };
  const build = () => samplers.build(sampler, { dataset, seed });
  return { drop_last, seed, sampler: pointing(loaded, ['data', 'sampler'], build) };
}

/**
 * Tensors over a loader's storages. There are few storages, used in turn, so each has one tensor.
 */
export class BatchTensors {
  readonly #tensors = new WeakMap<Storage, Tensor>();

  constructor(readonly dataset: Dataset) {}

  inputs(batch: Batch): Tensor {
    return this.#over(batch.inputs, this.dataset.input, batch);
  }

  targets(batch: Batch): Tensor {
    return this.#over(batch.targets, this.dataset.target, batch);
  }

  #over(storage: Storage, field: Field, { size, length }: Batch): Tensor {
    let tensor = this.#tensors.get(storage);
    if (tensor === undefined) {
      const shape = [size, ...cutShape(field, length)];
      tensor = new Tensor(bufferLeaf({ dtype: field.dtype, shape }, storage));
      this.#tensors.set(storage, tensor);
    }
    return tensor;
  }
}
