/** Samples that are rows of two arrays, held on the host. */

import type { HostArray } from '../base/dtype.ts';
import { numel } from '../base/shape.ts';
import type { Engine } from '../engine/engine.ts';
import type { BatchReader, BatchRequest, Dataset, Field, SampleDescription } from './dataset.ts';

export interface Rows {
  /** (length, ...input shape) and (length, ...target shape), row-major. */
  readonly inputs: HostArray;
  readonly targets: HostArray;
}

/**
 * Row `i` of both arrays is sample `i`.
 * https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset
 */
export class TensorDataset implements Dataset {
  readonly input: Field;
  readonly target: Field;
  readonly classes: readonly string[];

  constructor(
    readonly length: number,
    { input, target, classes }: SampleDescription,
    readonly rows: Rows,
  ) {
    this.input = input;
    this.target = target;
    this.classes = classes;
  }

  open(engine: Engine): BatchReader {
    const { rows, input, target } = this;
    return {
      read: ({ indices, inputs, targets }: BatchRequest) => {
        engine.write(inputs, gather(rows.inputs, numel(input.shape), indices));
        engine.write(targets, gather(rows.targets, numel(target.shape), indices));
      },
      dispose: () => undefined,
    };
  }
}

function gather<T extends HostArray>(from: T, width: number, indices: Int32Array): T {
  const rows = new (from.constructor as new (length: number) => T)(indices.length * width);
  for (const [i, index] of indices.entries()) {
    const row = from.subarray(index * width, (index + 1) * width);
    (rows as { set(values: HostArray, at: number): void }).set(row, i * width);
  }
  return rows;
}
