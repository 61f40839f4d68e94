/** Numbers of the host that a graph reads: a learning rate, a step counter. */

import type { DType } from '../base/dtype.ts';
import { scalarLeaf } from './leaf.ts';
import { Tensor } from './tensor.ts';
import { currentTrace } from './trace.ts';

/**
 * A zero-dimensional tensor whose value is `read()`: taken now in eager code, and anew at every
 * call of a compiled step, so that it is never frozen at the value it had while tracing.
 */
export function hostScalar(read: () => number, dtype: DType = 'float32'): Tensor {
  if (currentTrace() !== undefined) return new Tensor(scalarLeaf(dtype, read));
  const value = read();
  return new Tensor(scalarLeaf(dtype, () => value));
}
