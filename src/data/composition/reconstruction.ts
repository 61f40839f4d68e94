/** The inputs of another data set as their own targets: what an autoencoder learns from. */

import { z } from 'zod';
import type { Spec } from '../../base/registry.ts';
import type { Engine } from '../../engine/engine.ts';
import {
  type BatchReader,
  type BatchRequest,
  type Dataset,
  type DatasetSource,
  datasets,
  type Field,
  type OpenOptions,
} from '../dataset.ts';
import { buildPart, cachesOf, loadPart } from './part.ts';
import { Room } from './room.ts';

const schema = z.strictObject({
  dataset: datasets.spec().describe('The data set; its targets are left out.'),
});

datasets.register('Reconstruction', {
  schema,
  summary: 'The inputs of another data set as their own targets, for autoencoders.',
  page: 'https://doi.org/10.1126/science.1127647',
  create: ({ dataset: spec }: { dataset: Spec }, context): DatasetSource => {
    const whole = buildPart(spec, ['dataset'], context);
    const load = async () => new Reconstruction(await loadPart(whole, ['dataset']));
    const makeCaches = cachesOf([[whole, ['dataset']]]);
    return { ...whole, target: whole.input, classes: [], load, makeCaches };
  },
});

export class Reconstruction implements Dataset {
  readonly input: Field;
  readonly target: Field;
  readonly classes: readonly string[] = [];
  readonly length: number;

  constructor(readonly dataset: Dataset) {
    this.input = dataset.input;
    this.target = dataset.input;
    this.length = dataset.length;
  }

  get lengths(): Int32Array | undefined {
    return this.dataset.lengths;
  }

  get pad_to(): readonly number[] | undefined {
    return this.dataset.pad_to;
  }

  open(engine: Engine, options?: OpenOptions): BatchReader {
    return new ReconstructionReader(engine, this.dataset, options);
  }
}

/**
 * Reads a batch once as the inputs and once as the targets: what is random follows from the seed,
 * the epoch and the sample, so both are the same.
 */
class ReconstructionReader implements BatchReader {
  readonly #reader: BatchReader;
  /** Where the targets go that nobody asks for. */
  readonly #unused: Room;

  constructor(engine: Engine, dataset: Dataset, options: OpenOptions | undefined) {
    this.#reader = dataset.open(engine, options);
    this.#unused = new Room(engine, dataset.target);
  }

  read({ inputs, targets, ...request }: BatchRequest): void {
    const unused = this.#unused.for(request.indices.length, request.length);
    for (const storage of [inputs, targets]) {
      this.#reader.read({ ...request, inputs: storage, targets: unused });
    }
  }

  dispose(): void {
    this.#reader.dispose();
    this.#unused.dispose();
  }
}
