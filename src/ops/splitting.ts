/** One tensor made several, along one dimension. */

import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { formatShape, normalizeDim } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { named } from './named.ts';
import { narrow, select } from './slicing.ts';

/** The parts of the given sizes, one behind the other. */
function parts(op: string, x: Tensor, sizes: readonly number[], dim: number): Tensor[] {
  const total = x.shape[dim]!;
  const isSizes = sizes.every((size) => Number.isInteger(size) && size >= 0);
  if (!isSizes || sizes.reduce((sum, n) => sum + n, 0) !== total) {
    throw opError(ArgumentError, op, `sizes [${sizes.join(', ')}] do not add up to ${total}`);
  }
  let start = 0;
  return sizes.map((length) => {
    start += length;
    return narrow(x, dim, start - length, length);
  });
}

/** `dim` of a tensor that has some. */
function dimOf(op: string, x: Tensor, dim: number): number {
  if (x.ndim > 0) return normalizeDim(op, dim, x.ndim);
  throw opError(ShapeError, op, 'needs a tensor of at least one dimension, got ()');
}

function equalParts(total: number, size: number): number[] {
  if (!Number.isInteger(size) || size < 0 || (size === 0 && total > 0)) {
    throw opError(ArgumentError, 'split', `size must be a positive integer, got ${size}`);
  }
  const count = Math.max(1, Math.ceil(total / Math.max(size, 1)));
  return Array.from({ length: count }, (_, i) => Math.min(size, total - i * size));
}

/**
 * Parts of at most `split_size_or_sections` elements along `dim`, or of the given sizes. Throws
 * ArgumentError where these do not add up.
 * https://pytorch.org/docs/stable/generated/torch.split.html
 */
export const split = named(
  'split',
  ['tensor', 'split_size_or_sections', 'dim'],
  (tensor: Tensor, split_size_or_sections: number | readonly number[], dim = 0): Tensor[] => {
    const at = dimOf('split', tensor, dim);
    const given = split_size_or_sections;
    const sizes = typeof given === 'number' ? equalParts(tensor.shape[at]!, given) : given;
    return parts('split', tensor, sizes, at);
  },
);

/**
 * Parts of the given sizes along `dim`. https://pytorch.org/docs/stable/generated/torch.split.html
 */
export const splitWithSizes = named(
  'split_with_sizes',
  ['input', 'split_sizes', 'dim'],
  (input: Tensor, split_sizes: readonly number[], dim = 0): Tensor[] =>
    parts('split_with_sizes', input, split_sizes, dimOf('split_with_sizes', input, dim)),
);

/**
 * At most `chunks` parts of equal size along `dim`; the last may be smaller.
 * https://pytorch.org/docs/stable/generated/torch.chunk.html
 */
export const chunk = named(
  'chunk',
  ['input', 'chunks', 'dim'],
  (input: Tensor, chunks: number, dim = 0): Tensor[] => {
    const at = dimOf('chunk', input, dim);
    if (!Number.isInteger(chunks) || chunks < 1) {
      throw opError(ArgumentError, 'chunk', `chunks must be a positive integer, got ${chunks}`);
    }
    const total = input.shape[at]!;
    const sizes =
      total === 0 ? Array<number>(chunks).fill(0) : equalParts(total, Math.ceil(total / chunks));
    return parts('chunk', input, sizes, at);
  },
);

type Sections = number | readonly number[] | Tensor;

/** Where the parts end: at `sections`, or so that there are so many nearly equal ones. */
function splitAt(op: string, x: Tensor, sections: Sections, dim: number): Tensor[] {
  const total = x.shape[dim]!;
  const given = sections instanceof Tensor ? (sections.tolist() as number | number[]) : sections;
  if (typeof given === 'number') {
    if (!Number.isInteger(given) || given < 1) {
      throw opError(ArgumentError, op, `sections must be a positive integer, got ${given}`);
    }
    const [size, more] = [Math.floor(total / given), total % given];
    return parts(
      op,
      x,
      Array.from({ length: given }, (_, i) => size + (i < more ? 1 : 0)),
      dim,
    );
  }
  if (!Array.isArray(given) || !given.every(Number.isInteger)) {
    throw opError(ArgumentError, op, `takes a number of sections or indices, got ${String(given)}`);
  }
  const clamp = (i: number) => Math.min(Math.max(i < 0 ? i + total : i, 0), total);
  const starts = [0, ...given.map(clamp)];
  const ends = [...given.map(clamp), total];
  return starts.map((start, i) => narrow(x, dim, start, Math.max(0, ends[i]! - start)));
}

/**
 * Parts between the given indices along `dim`, or so many of nearly equal size. Indices in a tensor
 * are read. https://pytorch.org/docs/stable/generated/torch.tensor_split.html
 */
export const tensorSplit = named(
  'tensor_split',
  ['input', 'indices_or_sections', 'dim'],
  (input: Tensor, indices_or_sections: Sections, dim = 0): Tensor[] =>
    splitAt('tensor_split', input, indices_or_sections, dimOf('tensor_split', input, dim)),
);

/**
 * `tensorSplit` along a fixed dimension, into parts of exactly equal size where a number is given.
 */
const splitAlong = (op: string, rank: number, dimOfRank: (ndim: number) => number) =>
  named(
    op,
    ['input', 'indices_or_sections'],
    (input: Tensor, sections: number | readonly number[]) => {
      if (input.ndim < rank) {
        const shape = formatShape(input.shape);
        throw opError(
          ShapeError,
          op,
          `needs a tensor of at least ${rank} dimensions, got ${shape}`,
        );
      }
      const dim = dimOfRank(input.ndim);
      const size = input.shape[dim]!;
      if (typeof sections === 'number' && (sections < 1 || size % sections !== 0)) {
        const message = `dimension ${dim} of size ${size} has no ${sections} equal parts`;
        throw opError(ArgumentError, op, message);
      }
      return splitAt(op, input, sections, dim);
    },
  );

/**
 * `tensorSplit` along the second dimension, of vectors the first.
 * https://pytorch.org/docs/stable/generated/torch.hsplit.html
 */
export const hsplit = splitAlong('hsplit', 1, (ndim) => (ndim === 1 ? 0 : 1));
/**
 * `tensorSplit` along the first dimension.
 * https://pytorch.org/docs/stable/generated/torch.vsplit.html
 */
export const vsplit = splitAlong('vsplit', 2, () => 0);
/**
 * `tensorSplit` along the third dimension.
 * https://pytorch.org/docs/stable/generated/torch.dsplit.html
 */
export const dsplit = splitAlong('dsplit', 3, () => 2);

/**
 * Every element along `dim`, which is removed.
 * https://pytorch.org/docs/stable/generated/torch.unbind.html
 */
export const unbind = named('unbind', ['input', 'dim'], (input: Tensor, dim = 0): Tensor[] => {
  const at = dimOf('unbind', input, dim);
  return Array.from({ length: input.shape[at]! }, (_, i) => select(input, at, i));
});
