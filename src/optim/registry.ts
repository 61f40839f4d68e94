/** The names that may stand after `type:` for optimizers. */

import { z } from 'zod';
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

/**
 * Options that choose among PyTorch's ways to compute one and the same update. They are taken, so
 * that its calls and configs need no change, and have no effect: there is one way here.
 */
export function withoutEffect<Name extends string>(...names: Name[]) {
  const shape = names.map((name) => [name, z.boolean().nullish()] as const);
  return Object.fromEntries(shape) as Record<Name, z.ZodOptional<z.ZodNullable<z.ZodBoolean>>>;
}
