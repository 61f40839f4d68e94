/** Diagonals of matrices and their triangles. */

import { type DType, promoteTypes } from '../base/dtype.ts';
import { ArgumentError, opError, ShapeError } from '../base/errors.ts';
import { checkShape, contiguousStrides, formatShape, normalizeDim } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { full } from './constant.ts';
import { tensor } from './host-data.ts';
import { atleast2d, cat } from './joining.ts';
import { flatten, unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { constantPadNd } from './padding.ts';
import { cast, ge, le, sub, where } from './pointwise.ts';
import { arange } from './ranges.ts';
import { sum } from './reduction.ts';
import { pick, place, replaced, type View } from './slicing.ts';

// ---- diagonals ---------------------------------------------------------------------------------

/** The two dimensions of a plane, which must differ. */
function planeOf(op: string, rank: number, dim1: number, dim2: number): [number, number] {
  const plane: [number, number] = [normalizeDim(op, dim1, rank), normalizeDim(op, dim2, rank)];
  if (rank >= 2 && plane[0] !== plane[1]) return plane;
  const message = `dim1 ${dim1} and dim2 ${dim2} are no plane of ${rank} dimensions`;
  throw opError(ArgumentError, op, message);
}

/**
 * Diagonal `offset` of the plane (dim1, dim2) of `shape`: its sizes, the diagonal last, and view.
 */
function diagonalView(
  op: string,
  shape: readonly number[],
  offset: number,
  dim1: number,
  dim2: number,
): { sizes: number[]; view: View } {
  const [a, b] = planeOf(op, shape.length, dim1, dim2);
  if (!Number.isInteger(offset)) throw opError(ArgumentError, op, `offset ${offset} is no integer`);
  const [down, right] = [Math.max(-offset, 0), Math.max(offset, 0)];
  const length = Math.max(0, Math.min(shape[a]! - down, shape[b]! - right));
  const strides = contiguousStrides(shape);
  const others = (list: readonly number[]) => list.filter((_, i) => i !== a && i !== b);
  return {
    sizes: [...others(shape), length],
    view: {
      offset: down * strides[a]! + right * strides[b]!,
      strides: [...others(strides), strides[a]! + strides[b]!],
    },
  };
}

/**
 * Diagonal `offset` of the planes of `dim1` and `dim2`, as the last dimension of the result.
 * https://pytorch.org/docs/stable/generated/torch.diagonal.html
 */
export const diagonal = named(
  'diagonal',
  ['input', 'offset', 'dim1', 'dim2'],
  (input: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor => {
    const { sizes, view } = diagonalView('diagonal', input.shape, offset, dim1, dim2);
    return pick(input, sizes, view);
  },
);

/**
 * As `diagonal`, by default of the last two dimensions.
 * https://pytorch.org/docs/stable/generated/torch.linalg.diagonal.html
 */
export const linalgDiagonal = named(
  'linalg.diagonal',
  ['A', 'offset', 'dim1', 'dim2'],
  (A: Tensor, offset = 0, dim1 = -2, dim2 = -1): Tensor => {
    const { sizes, view } = diagonalView('linalg.diagonal', A.shape, offset, dim1, dim2);
    return pick(A, sizes, view);
  },
);

/**
 * `input` with the diagonal that `diagonal` gives replaced by `src`.
 * https://pytorch.org/docs/stable/generated/torch.diagonal_scatter.html
 */
export const diagonalScatter = named(
  'diagonal_scatter',
  ['input', 'src', 'offset', 'dim1', 'dim2'],
  (input: Tensor, src: Tensor, offset = 0, dim1 = 0, dim2 = 1): Tensor => {
    const { sizes, view } = diagonalView('diagonal_scatter', input.shape, offset, dim1, dim2);
    return replaced('diagonal_scatter', input, src, sizes, view);
  },
);

/**
 * Matrices with the last dimension of `input` on diagonal `offset` and zeros elsewhere, in the
 * planes of `dim1` and `dim2` of the result.
 * https://pytorch.org/docs/stable/generated/torch.diag_embed.html
 */
export const diagEmbed = named(
  'diag_embed',
  ['input', 'offset', 'dim1', 'dim2'],
  (input: Tensor, offset = 0, dim1 = -2, dim2 = -1): Tensor => {
    if (input.ndim === 0) throw opError(ShapeError, 'diag_embed', 'needs at least one dimension');
    const [a, b] = planeOf('diag_embed', input.ndim + 1, dim1, dim2);
    const size = input.shape.at(-1)! + Math.abs(offset);
    const shape = input.shape.slice(0, -1);
    for (const dim of [a, b].sort((x, y) => x - y)) shape.splice(dim, 0, size);
    checkShape('diag_embed', shape);
    return place(input, shape, diagonalView('diag_embed', shape, offset, a, b).view);
  },
);

/**
 * The diagonal of a matrix, or the matrix with a vector on its diagonal.
 * https://pytorch.org/docs/stable/generated/torch.diag.html
 */
export const diag = named('diag', ['input', 'diagonal'], (input: Tensor, offset = 0): Tensor => {
  if (input.ndim === 1) return diagEmbed(input, offset);
  if (input.ndim === 2) return diagonal(input, offset);
  const message = `needs a vector or a matrix, got ${formatShape(input.shape)}`;
  throw opError(ShapeError, 'diag', message);
});

/**
 * The matrix with all elements on its diagonal.
 * https://pytorch.org/docs/stable/generated/torch.diagflat.html
 */
export const diagflat = named(
  'diagflat',
  ['input', 'offset'],
  (input: Tensor, offset = 0): Tensor => diagEmbed(flatten(input), offset),
);

/**
 * The sum of the diagonal of a matrix. https://pytorch.org/docs/stable/generated/torch.trace.html
 */
export const trace = named('trace', ['input'], (input: Tensor): Tensor => {
  if (input.ndim === 2) return sum(diagonal(input));
  throw opError(ShapeError, 'trace', `needs a matrix, got ${formatShape(input.shape)}`);
});

/**
 * One matrix with the given ones along its diagonal; vectors count as rows.
 * https://pytorch.org/docs/stable/generated/torch.block_diag.html
 */
export const blockDiag = named('block_diag', ['*tensors'], (tensors: readonly Tensor[]): Tensor => {
  if (tensors.length === 0) return full([1, 0], 0, 'float32');
  const deep = tensors.find((tensor) => tensor.ndim > 2);
  if (deep !== undefined) {
    const message = `takes tensors of at most two dimensions, got ${formatShape(deep.shape)}`;
    throw opError(ShapeError, 'block_diag', message);
  }
  const dtype = tensors.map((tensor) => tensor.dtype).reduce(promoteTypes);
  const blocks = tensors.map((tensor) => cast(atleast2d(tensor), dtype));
  const width = blocks.reduce((total, block) => total + block.shape[1]!, 0);
  let before = 0;
  const rows = blocks.map((block) => {
    const columns = block.shape[1]!;
    before += columns;
    return constantPadNd(block, [before - columns, width - before]);
  });
  return cat(rows);
});

// ---- triangles ---------------------------------------------------------------------------------

const triangle = (op: string, keeps: (column: Tensor, limit: number | Tensor) => Tensor) =>
  named(op, ['input', 'diagonal'], (input: Tensor, diagonal = 0): Tensor => {
    if (input.ndim < 2) {
      const message = `needs at least two dimensions, got ${formatShape(input.shape)}`;
      throw opError(ShapeError, op, message);
    }
    const [rows, columns] = input.shape.slice(-2) as [number, number];
    const past = sub(arange(columns), unsqueeze(arange(rows), 1));
    return where(keeps(past, diagonal), input, full([], 0, input.dtype));
  });

/** Zero above diagonal `diagonal`. https://pytorch.org/docs/stable/generated/torch.tril.html */
export const tril = triangle('tril', le);
/** Zero below diagonal `diagonal`. https://pytorch.org/docs/stable/generated/torch.triu.html */
export const triu = triangle('triu', ge);

const triangleIndices = (op: string, keeps: (past: number, offset: number) => boolean) =>
  named(
    op,
    ['row', 'col', 'offset', 'dtype'],
    (row: number, col: number, offset = 0, dtype: DType | null = null): Tensor => {
      checkShape(op, [row, col]);
      const [rows, columns]: [number[], number[]] = [[], []];
      for (let i = 0; i < row; i++) {
        for (let j = 0; j < col; j++) {
          if (!keeps(j - i, offset)) continue;
          rows.push(i);
          columns.push(j);
        }
      }
      const shape = [2, rows.length];
      return tensor([...rows, ...columns], { dtype: dtype ?? 'int64', shape });
    },
  );

/**
 * Rows and columns of the elements that `tril` keeps, (2, N).
 * https://pytorch.org/docs/stable/generated/torch.tril_indices.html
 */
export const trilIndices = triangleIndices('tril_indices', (past, offset) => past <= offset);
/**
 * Rows and columns of the elements that `triu` keeps, (2, N).
 * https://pytorch.org/docs/stable/generated/torch.triu_indices.html
 */
export const triuIndices = triangleIndices('triu_indices', (past, offset) => past >= offset);
