/** Several data sets, one after the other. */

import { z } from 'zod';
import { BuildError } from '../../base/build-error.ts';
import type { Spec } from '../../base/registry.ts';
import { numel } from '../../base/shape.ts';
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
import { cutShape, differing } from '../description.ts';
import { concatenated, scatter } from '../rows.ts';
import { buildPart, cachesOf, loadPart } from './part.ts';
import { Room } from './room.ts';

const schema = z.strictObject({
  datasets: z
    .array(datasets.spec())
    .min(1)
    .describe('The data sets, whose samples look alike; each has transforms of its own.'),
});

/** https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset */
datasets.register('ConcatDataset', {
  schema,
  page: 'https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset',
  create: ({ datasets: specs }: { datasets: Spec[] }, context): DatasetSource => {
    const parts = specs.map((spec, i) => buildPart(spec, ['datasets', i], context));
    const [first] = parts as [DatasetSource];
    for (const [i, part] of parts.entries()) {
      const fault = differing(part, first, 'datasets[0]');
      if (fault !== undefined) throw new BuildError(fault, ['datasets', i]);
    }
    const load = async () => {
      const loaded: Dataset[] = [];
      for (const [i, part] of parts.entries()) {
        loaded.push(await loadPart(part, ['datasets', i]));
      }
      return concatDatasets(loaded);
    };
    const makeCaches = cachesOf(parts.map((part, i) => [part, ['datasets', i]]));
    return { ...first, load, makeCaches };
  },
});

/**
 * The samples of `parts`, at least one, in order. They are held as one set where their kind can do
 * so, which images of one size under the same transforms and tensors can.
 */
export function concatDatasets(parts: readonly Dataset[]): Dataset {
  const [first, ...others] = parts as [Dataset, ...Dataset[]];
  if (others.length === 0) return first;
  const flat = () => parts.flatMap((part) => (part instanceof ConcatDataset ? part.parts : [part]));
  return first.join?.(others) ?? new ConcatDataset(flat());
}

/**
 * Data sets of any kinds. Where they cannot be opened as one, a batch is put together on the host
 * from what each part makes.
 */
export class ConcatDataset implements Dataset {
  readonly input: Field;
  readonly target: Field;
  readonly classes: readonly string[];
  readonly length: number;

  constructor(readonly parts: readonly Dataset[]) {
    const [{ input, target, classes }] = parts as [Dataset];
    this.input = input;
    this.target = target;
    this.classes = classes;
    this.length = parts.reduce((sum, { length }) => sum + length, 0);
  }

  get labels(): Int32Array | undefined {
    const labels = this.parts.map((part) => part.labels);
    return labels.every((of) => of !== undefined) ? concatenated(labels) : undefined;
  }

  get lengths(): Int32Array | undefined {
    const lengths = this.parts.map((part) => part.lengths);
    return lengths.every((of) => of !== undefined) ? concatenated(lengths) : undefined;
  }

  get pad_to(): readonly number[] | undefined {
    return this.parts[0]!.pad_to;
  }

  open(engine: Engine, options?: OpenOptions): BatchReader {
    const [first, ...others] = this.parts as [Dataset, ...Dataset[]];
    const reader = first.openWith?.(others, engine, options);
    return reader ?? new ConcatReader(engine, this, options);
  }
}

class ConcatReader implements BatchReader {
  readonly #engine: Engine;
  readonly #dataset: ConcatDataset;
  readonly #readers: readonly BatchReader[];
  /** For the samples of the parts in turn. */
  readonly #inputs: Room;
  readonly #targets: Room;

  constructor(engine: Engine, dataset: ConcatDataset, options: OpenOptions | undefined) {
    this.#engine = engine;
    this.#dataset = dataset;
    this.#readers = dataset.parts.map((part) => part.open(engine, options));
    this.#inputs = new Room(engine, dataset.input);
    this.#targets = new Room(engine, dataset.target);
  }

  read({ indices, epoch, length: cut, inputs, targets }: BatchRequest): void {
    const { input, target } = this.#dataset;
    const [width, targetWidth] = [input, target].map((field) => numel(cutShape(field, cut)));
    const batch = {
      inputs: this.#engine.readSync(inputs),
      targets: this.#engine.readSync(targets),
    };
    let first = 0;
    for (const [i, { length }] of this.#dataset.parts.entries()) {
      const isOwn = (index: number) => index >= first && index < first + length;
      const rows = Int32Array.from(indices.keys()).filter((row) => isOwn(indices[row]!));
      if (rows.length > 0) {
        const room = {
          inputs: this.#inputs.for(rows.length, cut),
          targets: this.#targets.for(rows.length, cut),
        };
        const own = rows.map((row) => indices[row]! - first);
        this.#readers[i]!.read({ indices: own, epoch, length: cut, ...room });
        scatter(batch.inputs, this.#engine.readSync(room.inputs), width!, rows);
        scatter(batch.targets, this.#engine.readSync(room.targets), targetWidth!, rows);
      }
      first += length;
    }
    this.#engine.write(inputs, batch.inputs);
    this.#engine.write(targets, batch.targets);
  }

  dispose(): void {
    for (const reader of this.#readers) reader.dispose();
    this.#inputs.dispose();
    this.#targets.dispose();
  }
}
