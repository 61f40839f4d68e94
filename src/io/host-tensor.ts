/** A tensor's contents on the host: what file formats read and write. */

import { type DType, type HostArray, hostArray } from '../base/dtype.ts';
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
