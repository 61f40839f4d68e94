/** Tensors from nothing: host data, constants, ranges, random numbers. */

import { bfloat16ToFloat32 } from '../base/bfloat16.ts';
import type { DType, HostArray } from '../base/dtype.ts';
import { category, hostArray, isDType, isFloating, itemsize, toHostArray } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { checkShape, formatShape, numel, type Shape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import { engine } from '../core/device.ts';
import { bufferLeaf } from '../core/leaf.ts';
import { nextStream } from '../core/random.ts';
import { Tensor } from '../core/tensor.ts';
import { full as fullOf } from './constant.ts';
import { defineOp } from './define.ts';
import { unsqueeze } from './movement.ts';
import { named } from './named.ts';
import { add, cast, eq, floor, mul, pow } from './pointwise.ts';

export interface TensorOptions {
  readonly dtype?: DType;
  readonly requires_grad?: boolean;
}

/** Numbers, booleans or nested arrays of them. */
export type NestedValues = number | bigint | boolean | readonly NestedValues[];

/**
 * A tensor over a copy of `values`: nested arrays, or a typed array with an optional `shape`.
 * The dtype follows the values: typed arrays keep theirs, booleans give bool, plain numbers
 * float32. (JavaScript cannot tell 1.0 from 1, so whole numbers are not taken for int64.)
 */
export function tensor(
  values: NestedValues | HostArray,
  options: TensorOptions & { readonly shape?: Shape } = {},
): Tensor {
  const { flat, shape: found, dtype: natural } = readValues(values);
  const dtype = checkDType('tensor', options.dtype ?? natural);
  const shape = options.shape ?? found;
  checkShape('tensor', shape);
  if (numel(shape) !== flat.length) {
    throw opError(
      ShapeError,
      'tensor',
      `${flat.length} values cannot have shape ${formatShape(shape)} (${numel(shape)} elements)`,
    );
  }
  checkFinite('tensor', dtype, flat);
  const storage = engine().allocate(dtype, flat.length);
  engine().write(storage, toHostArray(dtype, flat));
  return finish(new Tensor(bufferLeaf({ dtype, shape: [...shape] }, storage)), options);
}

function finish(made: Tensor, { requires_grad = false }: TensorOptions): Tensor {
  return requires_grad ? made.requires_grad_() : made;
}

/** Integers have no place for NaN and the infinities. */
function checkFinite(op: string, dtype: DType, values: FlatValues['flat']): void {
  if (category(dtype) !== 'integer' || values instanceof BigInt64Array) return;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw opError(ArgumentError, op, `${value} cannot be held in ${dtype}`);
    }
  }
}

function checkDType(op: string, dtype: DType): DType {
  if (isDType(dtype)) return dtype;
  throw opError(DTypeError, op, `unknown dtype ${JSON.stringify(dtype)}`);
}

interface FlatValues {
  readonly flat: ArrayLike<number | bigint | boolean>;
  readonly shape: Shape;
  readonly dtype: DType;
}

function readValues(values: NestedValues | HostArray): FlatValues {
  if (ArrayBuffer.isView(values)) {
    return { flat: values, shape: [values.length], dtype: dtypeOfArray(values) };
  }
  const shape: number[] = [];
  for (let level: NestedValues = values; Array.isArray(level); level = level[0]!) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  const flat: (number | bigint | boolean)[] = [];
  flattenInto(flat, values, shape, 0);
  const kinds = new Set(flat.map((value) => typeof value));
  const only = kinds.size === 1 ? [...kinds][0] : undefined;
  const dtype = only === 'boolean' ? 'bool' : only === 'bigint' ? 'int64' : 'float32';
  return { flat, shape, dtype };
}

function flattenInto(
  flat: (number | bigint | boolean)[],
  values: NestedValues,
  shape: Shape,
  dim: number,
): void {
  if (!Array.isArray(values)) {
    const scalar = values as number | bigint | boolean;
    if (dim !== shape.length || !['number', 'bigint', 'boolean'].includes(typeof scalar)) {
      throw opError(
        ArgumentError,
        'tensor',
        `expected nested arrays of numbers of one shape, found ${JSON.stringify(values) ?? typeof values} at depth ${dim}`,
      );
    }
    flat.push(scalar);
    return;
  }
  if (values.length !== shape[dim]) {
    throw opError(
      ShapeError,
      'tensor',
      `ragged values: an array of ${values.length} at depth ${dim} where others have ${shape[dim] ?? 'no'} elements`,
    );
  }
  for (const value of values) flattenInto(flat, value, shape, dim + 1);
}

function dtypeOfArray(values: HostArray): DType {
  if (values instanceof Float32Array) return 'float32';
  if (values instanceof Float64Array) return 'float64';
  if (values instanceof BigInt64Array) return 'int64';
  if (values instanceof Int32Array) return 'int32';
  if (values instanceof Uint8Array) return 'uint8';
  throw opError(DTypeError, 'tensor', 'this kind of typed array has no matching dtype');
}

const filled = (op: string, value: number) =>
  named(
    op,
    ['*size', 'dtype', 'requires_grad'],
    (size: Shape, dtype: DType | null = null, requires_grad = false): Tensor =>
      finish(fullOf(size, value, checkDType(op, dtype ?? 'float32')), { requires_grad }),
  );

/** Zeros, float32 unless said otherwise. https://pytorch.org/docs/stable/generated/torch.zeros.html */
export const zeros = filled('zeros', 0);
/** Ones. https://pytorch.org/docs/stable/generated/torch.ones.html */
export const ones = filled('ones', 1);
/** Memory is never left as it is found here: zeros. https://pytorch.org/docs/stable/generated/torch.empty.html */
export const empty = filled('empty', 0);

/** A tensor of `size` filled with `fill_value` (float32 unless said otherwise). https://pytorch.org/docs/stable/generated/torch.full.html */
export const full = named(
  'full',
  ['size', 'fill_value', 'dtype', 'requires_grad'],
  (size: Shape, fill_value: number, dtype: DType | null = null, requires_grad = false): Tensor =>
    finish(fullOf(size, fill_value, checkDType('full', dtype ?? 'float32')), { requires_grad }),
);

const filledLike = (op: string, value: number) =>
  named(
    op,
    ['input', 'dtype', 'requires_grad'],
    (input: Tensor, dtype: DType | null = null, requires_grad = false): Tensor =>
      full(input.shape, value, dtype ?? input.dtype, requires_grad),
  );

/** Zeros in the shape and dtype of another. https://pytorch.org/docs/stable/generated/torch.zeros_like.html */
export const zerosLike = filledLike('zeros_like', 0);
/** Ones in the shape and dtype of another. https://pytorch.org/docs/stable/generated/torch.ones_like.html */
export const onesLike = filledLike('ones_like', 1);
/** `zerosLike`. https://pytorch.org/docs/stable/generated/torch.empty_like.html */
export const emptyLike = filledLike('empty_like', 0);

/** One number in the shape and dtype of another. https://pytorch.org/docs/stable/generated/torch.full_like.html */
export const fullLike = named(
  'full_like',
  ['input', 'fill_value', 'dtype', 'requires_grad'],
  (input: Tensor, fill_value: number, dtype: DType | null = null, requires_grad = false): Tensor =>
    full(input.shape, fill_value, dtype ?? input.dtype, requires_grad),
);

const filledNew = (op: string, value: number) =>
  named(
    op,
    ['input', '*size', 'dtype', 'requires_grad'],
    (input: Tensor, size: Shape, dtype: DType | null = null, requires_grad = false): Tensor =>
      full(size, value, dtype ?? input.dtype, requires_grad),
  );

/** Zeros in the dtype of another. https://pytorch.org/docs/stable/generated/torch.Tensor.new_zeros.html */
export const newZeros = filledNew('new_zeros', 0);
/** Ones in the dtype of another. https://pytorch.org/docs/stable/generated/torch.Tensor.new_ones.html */
export const newOnes = filledNew('new_ones', 1);
/** `newZeros`. https://pytorch.org/docs/stable/generated/torch.Tensor.new_empty.html */
export const newEmpty = filledNew('new_empty', 0);
/** One number in the dtype of another. https://pytorch.org/docs/stable/generated/torch.Tensor.new_full.html */
export const newFull = named(
  'new_full',
  ['input', 'size', 'fill_value', 'dtype', 'requires_grad'],
  (
    input: Tensor,
    size: Shape,
    fill_value: number,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => full(size, fill_value, dtype ?? input.dtype, requires_grad),
);

/** `empty`; how the dimensions lie in memory is the engine's affair. https://pytorch.org/docs/stable/generated/torch.empty_permuted.html */
export const emptyPermuted = named(
  'empty_permuted',
  ['size', 'physical_layout', 'dtype', 'requires_grad'],
  (
    size: Shape,
    physical_layout: readonly number[],
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const isOrder =
      physical_layout.length === size.length &&
      size.every((_, dim) => physical_layout.includes(dim));
    if (isOrder) return empty(size, { dtype, requires_grad });
    const message = `physical_layout [${physical_layout.join(', ')}] is no order of ${size.length} dimensions`;
    throw opError(ArgumentError, 'empty_permuted', message);
  },
);

/** A zero-dimensional tensor of a number. https://pytorch.org/docs/stable/generated/torch.scalar_tensor.html */
export const scalarTensor = named(
  'scalar_tensor',
  ['s', 'dtype', 'requires_grad'],
  (s: number, dtype: DType | null = null, requires_grad = false): Tensor =>
    full([], s, dtype, requires_grad),
);

/** `data` as a tensor: itself if it is one of this dtype. https://pytorch.org/docs/stable/generated/torch.as_tensor.html */
export function asTensor(
  data: Tensor | NestedValues | HostArray,
  { dtype }: { readonly dtype?: DType } = {},
): Tensor {
  if (data instanceof Tensor) return dtype === undefined ? data : cast(data, dtype);
  return tensor(data, dtype === undefined ? {} : { dtype });
}

/**
 * A tensor over a copy of `count` elements of a buffer, of all behind `offset` bytes by default.
 * https://pytorch.org/docs/stable/generated/torch.frombuffer.html
 */
export const frombuffer = named(
  'frombuffer',
  ['buffer', 'dtype', 'count', 'offset', 'requires_grad'],
  (buffer: ArrayBuffer, dtype: DType, count = -1, offset = 0, requires_grad = false): Tensor => {
    const size = itemsize(checkDType('frombuffer', dtype));
    const elements = count === -1 ? (buffer.byteLength - offset) / size : count;
    const isThere = offset >= 0 && elements > 0 && offset + elements * size <= buffer.byteLength;
    if (!Number.isInteger(elements) || !isThere) {
      const message = `a buffer of ${buffer.byteLength} bytes has no ${elements} elements of ${dtype} from byte ${offset}`;
      throw opError(ArgumentError, 'frombuffer', message);
    }
    // A copy starts where any element type may.
    const bytes = buffer.slice(offset, offset + elements * size);
    if (dtype === 'bfloat16') {
      return tensor(bfloat16ToFloat32(new Uint16Array(bytes)), { dtype, requires_grad });
    }
    const ArrayType = hostArray(dtype, 0).constructor as new (bytes: ArrayBuffer) => HostArray;
    return tensor(new ArrayType(bytes), { dtype, requires_grad });
  },
);

// ---- ranges ------------------------------------------------------------------------------------

const ARANGE = defineOp<{ start: number; step: number; length: number; dtype: DType }>({
  name: 'arange',
  kind: 'creation',
  vjp: () => [],
  infer: (_, { length, dtype }) => [{ dtype, shape: [length] }],
  lower: ({ attrs: { start, step } }) => ({ kernel: 'arange', attrs: { start, step } }),
});

/**
 * Numbers from `start` (0 when only one bound is given) by `step` to below `end`; int64 when all
 * three are whole numbers, else float32. Throws ArgumentError where the step leads away from `end`.
 * https://pytorch.org/docs/stable/generated/torch.arange.html
 */
export const arange = named(
  'arange',
  ['start', 'end', 'step', 'dtype', 'requires_grad'],
  (
    start: number,
    end: number | null = null,
    step = 1,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const [first, last, by] = (end === null ? [0, start, step] : [start, end, step]).map(
      Number,
    ) as [number, number, number];
    const span = (last - first) / by;
    const length = Math.ceil(span);
    if (by === 0 || !Number.isSafeInteger(length) || span < 0) {
      throw opError(ArgumentError, 'arange', `cannot count from ${first} to ${last} by ${by}`);
    }
    const whole = [first, last, by].every(Number.isInteger);
    const type = checkDType('arange', dtype ?? (whole ? 'int64' : 'float32'));
    const made = apply(ARANGE, [], { start: first, step: by, length: length || 0, dtype: type });
    return finish(made, { requires_grad });
  },
);

/** `arange` with both bounds included. https://pytorch.org/docs/stable/generated/torch.range.html */
export const range = named(
  'range',
  ['start', 'end', 'step', 'dtype', 'requires_grad'],
  (
    start: number,
    end: number,
    step = 1,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const length = Math.floor((end - start) / step) + 1;
    if (step === 0 || !Number.isSafeInteger(length) || length < 1) {
      throw opError(ArgumentError, 'range', `cannot count from ${start} to ${end} by ${step}`);
    }
    const type = checkDType('range', dtype ?? 'float32');
    return finish(apply(ARANGE, [], { start, step, length, dtype: type }), { requires_grad });
  },
);

/** A number, or a zero-dimensional tensor, which is read. */
type Bound = number | Tensor;

function boundOf(op: string, bound: Bound): number {
  if (typeof bound === 'number') return bound;
  if (bound.ndim === 0) return bound.item();
  const message = `bounds must be numbers or zero-dimensional tensors, got ${formatShape(bound.shape)}`;
  throw opError(ShapeError, op, message);
}

/** `steps` float64 numbers from `start` to `end`, counted from the nearer one. */
function evenly(op: string, start: Bound, end: Bound, steps: number): Tensor {
  if (!Number.isInteger(steps) || steps < 0) {
    throw opError(ArgumentError, op, `steps must be a non-negative integer, got ${steps}`);
  }
  const [first, last] = [boundOf(op, start), boundOf(op, end)];
  const gap = steps > 1 ? (last - first) / (steps - 1) : 0;
  return add(mul(arange(steps, { dtype: 'float64' }), gap), first);
}

/**
 * `steps` numbers from `start` to `end`, both included.
 * https://pytorch.org/docs/stable/generated/torch.linspace.html
 */
export const linspace = named(
  'linspace',
  ['start', 'end', 'steps', 'dtype', 'requires_grad'],
  (
    start: Bound,
    end: Bound,
    steps: number,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const numbers = evenly('linspace', start, end, steps);
    return finish(cast(numbers, checkDType('linspace', dtype ?? 'float32')), { requires_grad });
  },
);

/**
 * `base` to the powers of `linspace`.
 * https://pytorch.org/docs/stable/generated/torch.logspace.html
 */
export const logspace = named(
  'logspace',
  ['start', 'end', 'steps', 'base', 'dtype', 'requires_grad'],
  (
    start: Bound,
    end: Bound,
    steps: number,
    base = 10,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const powers = pow(base, evenly('logspace', start, end, steps));
    return finish(cast(powers, checkDType('logspace', dtype ?? 'float32')), { requires_grad });
  },
);

/**
 * The matrix of `n` rows and `m` columns (as many) with ones on its diagonal.
 * https://pytorch.org/docs/stable/generated/torch.eye.html
 */
export const eye = named(
  'eye',
  ['n', 'm', 'dtype', 'requires_grad'],
  (
    n: number,
    m: number | null = null,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    checkShape('eye', [n, m ?? n]);
    const diagonal = eq(unsqueeze(arange(n), 1), arange(m ?? n));
    return finish(cast(diagonal, checkDType('eye', dtype ?? 'float32')), { requires_grad });
  },
);

// ---- random ------------------------------------------------------------------------------------

const PHILOX = defineOp<{
  fn: 'uniform' | 'normal' | 'bits';
  offset: number;
  shape: Shape;
  dtype: DType;
}>({
  name: 'philox',
  kind: 'random',
  vjp: 'nondiff',
  infer(_, { shape, dtype }) {
    checkShape('philox', shape);
    return [{ dtype, shape }];
  },
  lower: ({ attrs: { fn, offset } }) => ({ kernel: 'philox', attrs: { fn, offset } }),
});

/** Elements of the next random stream. */
function drawn(fn: 'uniform' | 'normal' | 'bits', shape: Shape, dtype: DType): Tensor {
  const { seed, counter, offset } = nextStream();
  return apply(PHILOX, [seed, counter], { fn, offset, shape, dtype });
}

function floating(op: string, dtype: DType): DType {
  if (isFloating(checkDType(op, dtype))) return dtype;
  throw opError(DTypeError, op, `needs a floating dtype, got ${dtype}`);
}

const drawing = (op: string, fn: 'uniform' | 'normal') =>
  named(
    op,
    ['*size', 'dtype', 'requires_grad'],
    (size: Shape, dtype: DType | null = null, requires_grad = false): Tensor =>
      finish(drawn(fn, size, floating(op, dtype ?? 'float32')), { requires_grad }),
  );

const drawingLike = (op: string, fn: 'uniform' | 'normal') =>
  named(
    op,
    ['input', 'dtype', 'requires_grad'],
    (input: Tensor, dtype: DType | null = null, requires_grad = false): Tensor =>
      finish(drawn(fn, input.shape, floating(op, dtype ?? input.dtype)), { requires_grad }),
  );

/** Uniform random numbers in [0, 1). https://pytorch.org/docs/stable/generated/torch.rand.html */
export const rand = drawing('rand', 'uniform');
/** `rand` in the shape and dtype of another. https://pytorch.org/docs/stable/generated/torch.rand_like.html */
export const randLike = drawingLike('rand_like', 'uniform');
/** Standard normal random numbers. https://pytorch.org/docs/stable/generated/torch.randn.html */
export const randn = drawing('randn', 'normal');
/** `randn` in the shape and dtype of another. https://pytorch.org/docs/stable/generated/torch.randn_like.html */
export const randnLike = drawingLike('randn_like', 'normal');

/** Random integers from `low` to below `high`. */
function integers(op: string, low: number, high: number, shape: Shape, dtype: DType): Tensor {
  const count = high - low;
  if (!Number.isInteger(low) || !Number.isInteger(high) || count < 1 || count > 2 ** 32) {
    throw opError(ArgumentError, op, `no integers to draw from ${low} to below ${high}`);
  }
  const bits = cast(drawn('bits', shape, 'int64'), 'float64');
  return cast(add(floor(mul(bits, count / 2 ** 32)), low), checkDType(op, dtype));
}

/**
 * Random integers from `low` (0) to below `high`: `randint(high, size)`, `randint(low, high, size)`.
 * https://pytorch.org/docs/stable/generated/torch.randint.html
 */
export const randint = named(
  'randint',
  ['low', 'high', 'size', 'dtype', 'requires_grad'],
  (
    low: number,
    high: number | Shape,
    size: Shape | null = null,
    dtype: DType | null = null,
    requires_grad = false,
  ): Tensor => {
    const bounds = typeof high === 'number' ? ([low, high] as const) : ([0, low] as const);
    const shape = typeof high === 'number' ? size : high;
    if (shape === null) throw opError(ArgumentError, 'randint', 'size is missing');
    const made = integers('randint', ...bounds, shape, dtype ?? 'int64');
    return finish(made, { requires_grad });
  },
);

/** `randint` in the shape and dtype of another. https://pytorch.org/docs/stable/generated/torch.randint_like.html */
export const randintLike = named(
  'randint_like',
  ['input', 'low', 'high', 'dtype'],
  (input: Tensor, low: number, high: number | null = null, dtype: DType | null = null): Tensor => {
    const bounds = high === null ? ([0, low] as const) : ([low, high] as const);
    return integers('randint_like', ...bounds, input.shape, dtype ?? input.dtype);
  },
);

/** Random words of 32 bits, as int64. */
export const randomWords = (shape: Shape): Tensor => drawn('bits', shape, 'int64');
