/**
 * Element types: their names (PyTorch's), sizes, promotion, and the typed array each one is read
 * into. The native engine keeps the same list in `native/runtime/dtype.h`; a test compares them.
 */

import { DTypeError, opError } from './errors.ts';

/** Every element type, in the order the native engine numbers them. */
export const DTYPES = [
  'float32',
  'float64',
  'bfloat16',
  'float16',
  'int64',
  'int32',
  'uint8',
  'bool',
] as const;

/** The name of an element type, as PyTorch writes it after `torch.`. */
export type DType = (typeof DTYPES)[number];

/**
 * Typed arrays that hold host data. Floats of 16 bits read as `Float32Array`, `bool` as
 * `Uint8Array`.
 */
export type HostArray = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array;

/** What a dtype is computed in inside a pointwise kernel; see `engine/kernels.ts`. */
export type ComputeType = 'float32' | 'float64' | 'int64';

interface DTypeRow {
  readonly itemsize: number;
  readonly category: 'bool' | 'integer' | 'floating';
  readonly compute: ComputeType;
}

const ROWS: Record<DType, DTypeRow> = {
  float32: { itemsize: 4, category: 'floating', compute: 'float32' },
  float64: { itemsize: 8, category: 'floating', compute: 'float64' },
  bfloat16: { itemsize: 2, category: 'floating', compute: 'float32' },
  float16: { itemsize: 2, category: 'floating', compute: 'float32' },
  int64: { itemsize: 8, category: 'integer', compute: 'int64' },
  int32: { itemsize: 4, category: 'integer', compute: 'int64' },
  uint8: { itemsize: 1, category: 'integer', compute: 'int64' },
  bool: { itemsize: 1, category: 'bool', compute: 'int64' },
};

export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(ROWS, name);
}

/** Bytes of one element. */
export function itemsize(dtype: DType): number {
  return ROWS[dtype].itemsize;
}

export function computeType(dtype: DType): ComputeType {
  return ROWS[dtype].compute;
}

export function isFloating(dtype: DType): boolean {
  return ROWS[dtype].category === 'floating';
}

/** Throws DTypeError, naming `op`, unless the tensor or type is floating. */
export function needsFloating(op: string, { dtype }: { readonly dtype: DType }): void {
  if (isFloating(dtype)) return;
  throw opError(DTypeError, op, `needs a floating point tensor, got ${dtype}`);
}

export function category(dtype: DType): DTypeRow['category'] {
  return ROWS[dtype].category;
}

const CATEGORY_RANK = { bool: 0, integer: 1, floating: 2 } as const;

/**
 * The dtype two tensors of the same standing are computed in, by PyTorch's lattice.
 * https://pytorch.org/docs/stable/tensor_attributes.html#type-promotion-doc
 */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) return a;
  const rankA = CATEGORY_RANK[ROWS[a].category];
  const rankB = CATEGORY_RANK[ROWS[b].category];
  if (rankA !== rankB) return rankA > rankB ? a : b;
  // Same category, different types: the wider one. uint8 fits in every signed type we have, and of
  // the two floats of 16 bits neither fits in the other.
  if (ROWS[a].itemsize === ROWS[b].itemsize) return 'float32';
  return ROWS[a].itemsize > ROWS[b].itemsize ? a : b;
}

/** The dtype of `tensor op number`: the number counts only when its category is higher. */
export function promoteWithNumber(tensor: DType, value: number | boolean): DType {
  const numberCategory = numberCategoryOf(value);
  if (CATEGORY_RANK[numberCategory] <= CATEGORY_RANK[ROWS[tensor].category]) return tensor;
  return numberCategory === 'floating' ? 'float32' : 'int64';
}

function numberCategoryOf(value: number | boolean): DTypeRow['category'] {
  if (typeof value === 'boolean') return 'bool';
  return Number.isInteger(value) ? 'integer' : 'floating';
}

/** A typed array of `length` zeros able to hold `dtype` on the host. */
export function hostArray(dtype: DType, length: number): HostArray {
  switch (dtype) {
    case 'float32':
    case 'bfloat16':
    case 'float16':
      return new Float32Array(length);
    case 'float64':
      return new Float64Array(length);
    case 'int64':
      return new BigInt64Array(length);
    case 'int32':
      return new Int32Array(length);
    case 'uint8':
    case 'bool':
      return new Uint8Array(length);
  }
}

/** Copies numbers into a host array of `dtype`, converting as C does (truncation, wrap-around). */
export function toHostArray(dtype: DType, values: ArrayLike<number | bigint | boolean>): HostArray {
  const out = hostArray(dtype, values.length);
  if (out instanceof BigInt64Array) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      out[i] = typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value)));
    }
    return out;
  }
  for (let i = 0; i < values.length; i++) {
    const value = Number(values[i]!);
    out[i] = dtype === 'bool' ? Number(value !== 0) : value;
  }
  return out;
}
