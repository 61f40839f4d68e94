/** The names that may stand after `type:` for optimizers. */

import { adoptClass } from '../base/adopt.ts';
import { Registry } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Optimizer } from './optimizer.ts';

export type AnyOptimizer = Optimizer;

export const optimizers = new Registry<AnyOptimizer, readonly Tensor[]>(
  'optimizer',
  {},
  'https://pytorch.org/docs/stable/generated/torch.optim.*.html',
);

optimizers.adopt(
  adoptClass(Optimizer, 'optim.Optimizer', (type, options, params) => new type(params, options)),
);

/** An optimizer from the object a config would hold: `{ type: 'SGD', lr: 0.1 }`. */
export function build(spec: unknown, params: readonly Tensor[]): AnyOptimizer {
  return optimizers.build(spec, params);
}
