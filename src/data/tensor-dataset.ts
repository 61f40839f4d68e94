/** Samples that are rows of two arrays, held on the host. */

import type { HostArray } from '../base/dtype.ts';
import { numel } from '../base/shape.ts';
import type { Engine, Storage } from '../engine/engine.ts';
import type { BatchReader, BatchRequest, Dataset, Field, SampleDescription } from './dataset.ts';
import { cutShape } from './description.ts';
import { concatenated, cutRows, gather } from './rows.ts';

export interface Rows {
  /** (length, ...input shape) and (length, ...target shape), row-major. */
  readonly inputs: HostArray;
  readonly targets: HostArray;
  /** (length): of each sample, where fields vary; what follows in a row is padding. */
  readonly lengths?: Int32Array | undefined;
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

  get lengths(): Int32Array | undefined {
    return this.rows.lengths;
  }

  get labels(): Int32Array | undefined {
    const isClass = this.classes.length > 0 && this.target.shape.length === 0;
    return isClass ? Int32Array.from(this.rows.targets, Number) : undefined;
  }

  take(places: Int32Array): TensorDataset {
    const { input, target, rows } = this;
    return new TensorDataset(places.length, this, {
      inputs: gather(rows.inputs, numel(input.shape), places),
      targets: gather(rows.targets, numel(target.shape), places),
      lengths: rows.lengths && gather(rows.lengths, 1, places),
    });
  }

  join(others: readonly Dataset[]): TensorDataset | undefined {
    if (!others.every((other) => other instanceof TensorDataset)) return undefined;
    const parts = [this, ...others];
    const lengths = parts.map((part) => part.lengths);
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    return new TensorDataset(length, this, {
      inputs: concatenated(parts.map(({ rows }) => rows.inputs)),
      targets: concatenated(parts.map(({ rows }) => rows.targets)),
      lengths: lengths.every((own) => own !== undefined) ? concatenated(lengths) : undefined,
    });
  }

  open(engine: Engine): BatchReader {
    const { rows, input, target } = this;
    return {
      read: ({ indices, length, inputs, targets }: BatchRequest) => {
        const write = (to: Storage, from: HostArray, field: Field) => {
          const width = numel(field.shape);
          const whole = gather(from, width, indices);
          engine.write(to, cutRows(whole, width, numel(cutShape(field, length))));
        };
        write(inputs, rows.inputs, input);
        write(targets, rows.targets, target);
      },
      dispose: () => undefined,
    };
  }
}
