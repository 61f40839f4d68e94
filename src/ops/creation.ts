/** Tensors from nothing: host data, constants, ranges, random numbers. */

import type { DType, HostArray } from '../base/dtype.ts';
import { category, isDType, isFloating, toHostArray } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { checkShape, formatShape, numel, type Shape } from '../base/shape.ts';
import { apply } from '../core/apply.ts';
import { engine } from '../core/device.ts';
import { bufferLeaf } from '../core/leaf.ts';
import { nextStream } from '../core/random.ts';
import { Tensor } from '../core/tensor.ts';
import { full as fullOf } from './constant.ts';
import { defineOp } from './define.ts';
import { reshape } from './movement.ts';
import { add, mul } from './pointwise.ts';

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

/** A tensor of `shape` filled with `value` (float32 unless said otherwise). */
export function full(shape: Shape, value: number, options: TensorOptions = {}): Tensor {
  return finish(fullOf(shape, value, checkDType('full', options.dtype ?? 'float32')), options);
}

export function zeros(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 0, options);
}

export function ones(shape: Shape, options: TensorOptions = {}): Tensor {
  return full(shape, 1, options);
}

export function zerosLike(x: Tensor, options: TensorOptions = {}): Tensor {
  return full(x.shape, 0, { dtype: x.dtype, ...options });
}

export function onesLike(x: Tensor, options: TensorOptions = {}): Tensor {
  return full(x.shape, 1, { dtype: x.dtype, ...options });
}

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
 * three are whole numbers, else float32.
 */
export function arange(start: number, end?: number, step = 1, options: TensorOptions = {}): Tensor {
  const [first, last] = end === undefined ? [0, start] : [start, end];
  const length = Math.max(0, Math.ceil((last - first) / step));
  if (step === 0 || !Number.isSafeInteger(length)) {
    throw opError(ArgumentError, 'arange', `cannot count from ${first} to ${last} by ${step}`);
  }
  const whole = [first, last, step].every(Number.isInteger);
  const dtype = checkDType('arange', options.dtype ?? (whole ? 'int64' : 'float32'));
  return finish(apply(ARANGE, [], { start: first, step, length, dtype }), options);
}

/** `steps` numbers from `start` to `end`, both included. */
export function linspace(start: number, end: number, steps: number, options: TensorOptions = {}) {
  const gap = steps > 1 ? (end - start) / (steps - 1) : 0;
  const dtype = options.dtype ?? 'float32';
  return finish(add(mul(arange(0, steps, 1, { dtype }), gap), start), options);
}

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

function random(fn: 'uniform' | 'normal', shape: Shape, options: TensorOptions): Tensor {
  const dtype = checkDType('rand', options.dtype ?? 'float32');
  if (!isFloating(dtype)) throw opError(DTypeError, 'rand', `needs a floating dtype, got ${dtype}`);
  const { seed, counter, offset } = nextStream();
  return finish(apply(PHILOX, [seed, counter], { fn, offset, shape, dtype }), options);
}

/** Uniform random numbers in [0, 1). */
export function rand(shape: Shape, options: TensorOptions = {}): Tensor {
  return random('uniform', shape, options);
}

/** Random numbers of the standard normal distribution. */
export function randn(shape: Shape, options: TensorOptions = {}): Tensor {
  return random('normal', shape, options);
}

/** The identity matrix of `n` rows. */
export function eye(n: number, options: TensorOptions = {}): Tensor {
  const dtype = options.dtype ?? 'float32';
  const index = arange(n * n);
  const diagonal = index.fmod(n + 1).eq(0);
  return finish(reshape(diagonal.to(dtype), [n, n]), options);
}
