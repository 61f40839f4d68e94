/**
 * Sequences of different lengths in one batch. https://pytorch.org/docs/stable/nn.html#utilities
 */

import { ArgumentError, opError, ShapeError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import { Tensor } from '../../core/tensor.ts';
import { full } from '../../ops/creation.ts';
import { tensor } from '../../ops/host-data.ts';
import { cat, stack } from '../../ops/joining.ts';
import { reshape, transpose } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { narrow, select } from '../../ops/slicing.ts';
import { PackedSequence, segments, take } from './packed.ts';

export { PackedSequence };

function lengthsOf(op: string, given: Tensor | readonly number[]): number[] {
  const lengths = given instanceof Tensor ? Array.from(given.dataSync(), Number) : [...given];
  const wrong = lengths.find((length) => !Number.isInteger(length) || length < 1);
  if (wrong === undefined && lengths.length > 0) return lengths;
  throw opError(ArgumentError, op, `lengths must be positive integers, got [${lengths}]`);
}

/**
 * Packs a padded batch (T, B, ...), or (B, T, ...) if `batch_first`.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html
 *
 * @param lengths of the sequences (B); longest first unless `enforce_sorted` is false.
 * @throws ArgumentError for lengths below 1 or not sorted, ShapeError when they do not fit.
 */
export const packPaddedSequence = named(
  'pack_padded_sequence',
  ['input', 'lengths', 'batch_first', 'enforce_sorted'],
  (
    input: Tensor,
    lengths: Tensor | readonly number[],
    batch_first = false,
    enforce_sorted = true,
  ): PackedSequence => {
    const op = 'pack_padded_sequence';
    const given = lengthsOf(op, lengths);
    const batch = input.shape[batch_first ? 0 : 1];
    const steps = input.shape[batch_first ? 1 : 0];
    if (input.ndim < 2 || given.length !== batch || Math.max(...given) > steps!) {
      const message = `lengths [${given}] do not fit input ${formatShape(input.shape)}`;
      throw opError(ShapeError, op, message);
    }
    const order = given.map((_, i) => i).sort((a, b) => given[b]! - given[a]!);
    const isSorted = given.every((length, i) => i === 0 || length <= given[i - 1]!);
    if (enforce_sorted && !isSorted) {
      const message = `lengths [${given}] must fall, longest first, with enforce_sorted`;
      throw opError(ArgumentError, op, message);
    }
    const indices = enforce_sorted ? null : order;
    const timeFirst = batch_first ? transpose(input, 0, 1) : input;
    const sorted = indices === null ? timeFirst : take(timeFirst, 1, indices);
    const sizes = Array.from({ length: Math.max(...given) }, (_, t) => {
      return given.filter((length) => length > t).length;
    });
    const rows = sizes.map((size, t) => narrow(select(sorted, 0, t), 0, 0, size));
    return new PackedSequence(cat(rows, 0), sizes, indices);
  },
);

/**
 * The padded batch (T, B, ...), or (B, T, ...) if `batch_first`, and the lengths, in the order in
 * which they were packed.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html
 *
 * @throws ArgumentError when `total_length` is less than the longest sequence.
 */
export const padPackedSequence = named(
  'pad_packed_sequence',
  ['sequence', 'batch_first', 'padding_value', 'total_length'],
  (
    sequence: PackedSequence,
    batch_first = false,
    padding_value = 0,
    total_length: number | null = null,
  ): [padded: Tensor, lengths: Tensor] => {
    const { data, batch_sizes, unsorted_indices } = sequence;
    const longest = batch_sizes.length;
    const total = total_length ?? longest;
    if (total < longest) {
      const message = `total_length ${total} is less than the longest sequence, ${longest}`;
      throw opError(ArgumentError, 'pad_packed_sequence', message);
    }
    const batch = batch_sizes[0]!;
    const features = data.shape.slice(1);
    const padding = (...sizes: number[]) =>
      full([...sizes, ...features], padding_value, { dtype: data.dtype });
    const parts = segments(batch_sizes).map(({ start, steps, batch: size }) => {
      const part = reshape(narrow(data, 0, start, steps * size), [steps, size, ...features]);
      return size === batch ? part : cat([part, padding(steps, batch - size)], 1);
    });
    if (total > longest) parts.push(padding(total - longest, batch));
    const sorted = cat(parts, 0);
    const padded = unsorted_indices === null ? sorted : take(sorted, 1, unsorted_indices);
    const places = unsorted_indices ?? Array.from({ length: batch }, (_, i) => i);
    const lengths = places.map((i) => BigInt(batch_sizes.filter((size) => size > i).length));
    return [batch_first ? transpose(padded, 0, 1) : padded, tensor(lengths, { dtype: 'int64' })];
  },
);

/**
 * Sequences (T, ...) padded to the longest: (T, B, ...), or (B, T, ...) if `batch_first`.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html
 *
 * @param padding_side `right`, behind the elements, or `left`.
 */
export const padSequence = named(
  'pad_sequence',
  ['sequences', 'batch_first', 'padding_value', 'padding_side'],
  (
    sequences: readonly Tensor[],
    batch_first = false,
    padding_value = 0,
    padding_side: 'right' | 'left' = 'right',
  ): Tensor => {
    if (sequences.length === 0) throw opError(ArgumentError, 'pad_sequence', 'there are none');
    if (padding_side !== 'right' && padding_side !== 'left') {
      const message = `padding_side must be right or left, got ${padding_side}`;
      throw opError(ArgumentError, 'pad_sequence', message);
    }
    const longest = Math.max(...sequences.map((x) => x.shape[0] ?? 0));
    const whole = sequences.map((x) => {
      const shape = [longest - x.shape[0]!, ...x.shape.slice(1)];
      if (shape[0] === 0) return x;
      const padding = full(shape, padding_value, { dtype: x.dtype });
      return cat(padding_side === 'right' ? [x, padding] : [padding, x], 0);
    });
    return stack(whole, batch_first ? 0 : 1);
  },
);

/**
 * The sequences of a padded batch, without the padding.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html
 */
export const unpadSequence = named(
  'unpad_sequence',
  ['padded_sequences', 'lengths', 'batch_first'],
  (padded: Tensor, lengths: Tensor | readonly number[], batch_first = false): Tensor[] =>
    lengthsOf('unpad_sequence', lengths).map((length, i) =>
      narrow(select(padded, batch_first ? 0 : 1, i), 0, 0, length),
    ),
);

/**
 * Packs sequences (T, ...) of different lengths.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html
 */
export const packSequence = named(
  'pack_sequence',
  ['sequences', 'enforce_sorted'],
  (sequences: readonly Tensor[], enforce_sorted = true): PackedSequence => {
    const lengths = sequences.map((x) => x.shape[0] ?? 0);
    return packPaddedSequence(padSequence(sequences), lengths, { enforce_sorted });
  },
);

/**
 * The sequences of a packed batch.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html
 */
export const unpackSequence = named(
  'unpack_sequence',
  ['packed_sequences'],
  (packed: PackedSequence): Tensor[] => {
    const [padded, lengths] = padPackedSequence(packed, true);
    return unpadSequence(padded, lengths, true);
  },
);
