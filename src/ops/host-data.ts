/** Tensors of what the host holds: nested arrays, typed arrays, buffers. */

import type { DType, HostArray } from '../base/dtype.ts';
import { category, hostArray, itemsize, toHostArray } from '../base/dtype.ts';
import { ArgumentError, DTypeError, opError, ShapeError } from '../base/errors.ts';
import { decodeWords, isHalfWidth } from '../base/half-width.ts';
import { checkShape, formatShape, numel, type Shape } from '../base/shape.ts';
import { engine } from '../core/device.ts';
import { bufferLeaf } from '../core/leaf.ts';
import { Tensor } from '../core/tensor.ts';
import { named } from './named.ts';
import { cast } from './pointwise.ts';
import { checkDType, finish, type TensorOptions } from './tensor-options.ts';

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

/**
 * `data` as a tensor: itself if it is one of this dtype.
 * https://pytorch.org/docs/stable/generated/torch.as_tensor.html
 */
export function asTensor(
  data: Tensor | NestedValues | HostArray,
  { dtype }: { readonly dtype?: DType } = {},
): Tensor {
  if (data instanceof Tensor) return dtype === undefined ? data : cast(data, dtype);
  return tensor(data, dtype === undefined ? {} : { dtype });
}

/**
 * `obj` as a tensor: itself, unless a dtype, `copy` or `requires_grad` asks for another. What the
 * host holds is always copied, which `copy` false refuses.
 * https://pytorch.org/docs/stable/generated/torch.asarray.html
 */
export const asarray = named(
  'asarray',
  ['obj', 'dtype', 'copy', 'requires_grad'],
  (
    obj: Tensor | NestedValues | HostArray,
    dtype: DType | null = null,
    copy: boolean | null = null,
    requires_grad = false,
  ): Tensor => {
    const isSame = obj instanceof Tensor && (dtype === null || dtype === obj.dtype);
    if (copy === false && !isSame) {
      throw opError(ArgumentError, 'asarray', 'cannot be made without a copy');
    }
    const made = asTensor(obj, dtype === null ? {} : { dtype });
    if (isSame && !copy && made.requires_grad === requires_grad) return made;
    return finish(made.detach(), { requires_grad });
  },
);

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
    if (isHalfWidth(dtype)) {
      return tensor(decodeWords(dtype, new Uint16Array(bytes)), { dtype, requires_grad });
    }
    const ArrayType = hostArray(dtype, 0).constructor as new (bytes: ArrayBuffer) => HostArray;
    return tensor(new ArrayType(bytes), { dtype, requires_grad });
  },
);
