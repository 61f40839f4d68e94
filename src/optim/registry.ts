/** The names that may stand after `type:` for optimizers. */

import { adoptClass } from '../base/adopt.ts';
import { ArgumentError } from '../base/errors.ts';
import { parseOptions, Registry } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Optimizer } from './optimizer.ts';
import type { Params } from './param-groups.ts';
import { groupByPatterns, type PatternGroup, paramGroupsKey } from './param-patterns.ts';

export type AnyOptimizer = Optimizer;

// biome-ignore lint/suspicious/noExplicitAny: each optimizer has options of its own
export const optimizers = new Registry<AnyOptimizer, Params<any>>(
  'optimizer',
  paramGroupsKey,
  'https://pytorch.org/docs/stable/generated/torch.optim.*.html',
);

optimizers.adopt(
  adoptClass(Optimizer, 'optim.Optimizer', (type, options, params) => new type(params, options)),
);

/**
 * An optimizer from the object a config would hold: `{ type: 'SGD', lr: 0.1 }`. With
 * `param_groups`, which choose parameters by their names, it is given `module.namedParameters()`.
 */
export function build(
  spec: unknown,
  params: readonly Tensor[] | readonly (readonly [string, Tensor])[],
): AnyOptimizer {
  const { param_groups } = parseOptions(optimizers.kind, optimizers.spec(), spec);
  if (param_groups === undefined) return optimizers.build(spec, params);
  if (!params.every((item) => Array.isArray(item))) {
    throw new ArgumentError('[optim.build] param_groups need namedParameters()');
  }
  const named = params as readonly (readonly [string, Tensor])[];
  return optimizers.build(spec, groupByPatterns(named, param_groups as PatternGroup[]));
}
