/** The names that may stand after `type:` for optimizers. */

import { Registry } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Optimizer } from './optimizer.ts';

// biome-ignore lint/suspicious/noExplicitAny: each optimizer has options of its own
export type AnyOptimizer = Optimizer<any>;

export const optimizers = new Registry<AnyOptimizer, readonly Tensor[]>('optimizer');

/** An optimizer from the object a config would hold: `{ type: 'SGD', lr: 0.1 }`. */
export function build(spec: unknown, params: readonly Tensor[]): AnyOptimizer {
  return optimizers.build(spec, params);
}
