/** Texts as numbers, held without padding. */

import type { HostArray } from '../../base/dtype.ts';
import { numel } from '../../base/shape.ts';
import type { Engine } from '../../engine/engine.ts';
import type { BatchReader, BatchRequest, Dataset, Field, SampleDescription } from '../dataset.ts';
import { fewLengths } from '../loading/buckets.ts';
import { concatenated, gather } from '../rows.ts';
import { PAD } from './vocabulary.ts';

/** Sequences of tokens, one behind the other. */
export interface Sequences {
  readonly tokens: Int32Array;
  /** (length + 1): sequence `i` begins at item `i` and ends at the next one. */
  readonly bounds: Int32Array;
}

/** The sequences at `places`, in that order. */
export function takeSequences({ tokens, bounds }: Sequences, places: Int32Array): Sequences {
  return joined(places.length, (i) =>
    tokens.subarray(bounds[places[i]!]!, bounds[places[i]! + 1]!),
  );
}

/** `count` sequences as one. */
export function joined(count: number, sequence: (i: number) => Int32Array): Sequences {
  const bounds = new Int32Array(count + 1);
  for (let i = 0; i < count; i++) bounds[i + 1] = bounds[i]! + sequence(i).length;
  const tokens = new Int32Array(bounds[count]!);
  for (let i = 0; i < count; i++) tokens.set(sequence(i), bounds[i]!);
  return { tokens, bounds };
}

/** int64 (indices.length, width), row-major: the sequences, cut or padded to `width`. */
export function paddedRows(
  { tokens, bounds }: Sequences,
  indices: Int32Array,
  width: number,
): BigInt64Array {
  const rows = new BigInt64Array(indices.length * width).fill(BigInt(PAD));
  for (const [row, index] of indices.entries()) {
    const [start, end] = [bounds[index]!, Math.min(bounds[index + 1]!, bounds[index]! + width)];
    for (let at = start; at < end; at++) rows[row * width + at - start] = BigInt(tokens[at]!);
  }
  return rows;
}

/** A sample is int64 (L,), padded to what its batch is padded to. */
export class TextSamples implements Dataset {
  readonly input: Field;
  readonly target: Field;
  readonly classes: readonly string[];
  readonly vocabulary: readonly string[];
  readonly lengths: Int32Array;
  readonly pad_to: readonly number[];

  /** @param targets (length, ...target shape), row-major. */
  constructor(
    description: SampleDescription,
    readonly sequences: Sequences,
    readonly targets: HostArray,
  ) {
    const { bounds } = sequences;
    this.input = description.input;
    this.target = description.target;
    this.classes = description.classes;
    this.vocabulary = description.vocabulary ?? [];
    this.lengths = Int32Array.from({ length: bounds.length - 1 }, (_, i) => {
      return bounds[i + 1]! - bounds[i]!;
    });
    this.pad_to = fewLengths(this.input.shape[0]!);
  }

  get length(): number {
    return this.lengths.length;
  }

  get labels(): Int32Array | undefined {
    return this.classes.length > 0 ? Int32Array.from(this.targets, Number) : undefined;
  }

  take(places: Int32Array): TextSamples {
    const targets = gather(this.targets, numel(this.target.shape), places);
    return new TextSamples(this, takeSequences(this.sequences, places), targets);
  }

  join(others: readonly Dataset[]): TextSamples | undefined {
    if (!others.every((other) => other instanceof TextSamples)) return undefined;
    const parts = [this, ...others];
    const all = parts.flatMap(({ sequences: { tokens, bounds } }) =>
      Array.from({ length: bounds.length - 1 }, (_, i) =>
        tokens.subarray(bounds[i], bounds[i + 1]),
      ),
    );
    const sequences = joined(all.length, (i) => all[i]!);
    return new TextSamples(this, sequences, concatenated(parts.map(({ targets }) => targets)));
  }

  open(engine: Engine): BatchReader {
    const { sequences, target, targets, input } = this;
    return {
      read: ({ indices, length = input.shape[0]!, ...batch }: BatchRequest) => {
        engine.write(batch.inputs, paddedRows(sequences, indices, length));
        engine.write(batch.targets, gather(targets, numel(target.shape), indices));
      },
      dispose: () => undefined,
    };
  }
}
