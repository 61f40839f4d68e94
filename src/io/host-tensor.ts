/** A tensor's contents on the host: what file formats read and write. */

import { type DType, type HostArray, hostArray } from '../base/dtype.ts';
import { FileError } from '../base/errors.ts';
import { encodeWords, isHalfWidth } from '../base/half-width.ts';
import { formatShape, numel, type Shape } from '../base/shape.ts';

export interface HostTensor {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Row-major. Floats of 16 bits are held as `Float32Array`, `bool` as `Uint8Array` of 0 and 1. */
  readonly data: HostArray;
}

/**
 * What is wrong with a tensor's own description, or `undefined` when dtype, shape and data agree.
 */
export function hostTensorFault({ dtype, shape, data }: HostTensor): string | undefined {
  const expected = hostArray(dtype, 0).constructor;
  if (data.constructor !== expected) {
    return `${dtype} needs a ${expected.name}, got a ${data.constructor.name}`;
  }
  if (data.length !== numel(shape)) {
    return `shape ${formatShape(shape)} has ${numel(shape)} elements, but the data has ${data.length}`;
  }
  return undefined;
}

/** The elements as they lie in files: little-endian, floats of 16 bits in 16 bits. */
export function tensorBytes({ dtype, data }: HostTensor): Uint8Array {
  return asBytes(isHalfWidth(dtype) ? encodeWords(dtype, data as Float32Array) : data);
}

/** The memory of an array. */
export function asBytes(data: HostArray | Uint16Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** Throws a `FileError` on machines on which the memory of an array is not what files hold. */
export function requireLittleEndian(): void {
  if (asBytes(new Uint16Array([1]))[0] !== 1) {
    throw new FileError('files of tensors can only be read and written on little-endian machines');
  }
}
