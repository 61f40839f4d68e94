/** Values taken over into a module's tensors. */

import { nearestName, TorchtsError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import { noGrad } from '../core/grad-mode.ts';
import { realizeSync } from '../core/realize.ts';
import type { Tensor } from '../core/tensor.ts';

/** The keys that did not fit. */
export interface LoadResult {
  readonly missing_keys: string[];
  readonly unexpected_keys: string[];
}

interface Leniency {
  readonly strict: boolean;
  /** May take keys from the lists: they are no faults then. */
  forgive(result: LoadResult): void;
}

/**
 * Copies `values` into the tensors of `own` by key, and computes them. Nothing is changed when
 * anything does not fit.
 * @throws TorchtsError naming every missing, unexpected (when strict) and mis-shaped key.
 */
export function copyState(
  name: string,
  own: ReadonlyMap<string, Tensor>,
  values: ReadonlyMap<string, Tensor>,
  { strict, forgive }: Leniency,
): LoadResult {
  const result = {
    missing_keys: [...own.keys()].filter((key) => !values.has(key) && !mayBeMissing(key)),
    unexpected_keys: [...values.keys()].filter((key) => !own.has(key)),
  };
  forgive(result);
  const faults = [...own].flatMap(([key, tensor]) => {
    const value = values.get(key);
    if (value === undefined || sameShape(value.shape, tensor.shape)) return [];
    return [`${key} has shape ${formatShape(value.shape)}, needs ${formatShape(tensor.shape)}`];
  });
  if (strict) {
    const { missing_keys, unexpected_keys } = result;
    faults.push(...missing_keys.map((key) => `${key} is missing`));
    faults.push(...unexpected_keys.map((key) => unexpected(key, missing_keys)));
  }
  if (faults.length > 0) throw new TorchtsError(`[loadStateDict] ${name}: ${faults.join('; ')}`);
  noGrad(() => {
    for (const [key, tensor] of own) {
      const value = values.get(key);
      if (value !== undefined) tensor.copy_(value.detach());
    }
  });
  realizeSync([...own.values()].map((tensor) => tensor.value));
  return result;
}

/**
 * Batch norms began to count their batches in PyTorch 0.4.1. Of files that say nothing of their
 * version, such as those of torchvision, PyTorch takes a count of 0 where there is none.
 * https://github.com/pytorch/pytorch/blob/main/torch/nn/modules/batchnorm.py
 */
export function mayBeMissing(key: string): boolean {
  return key.split('.').at(-1) === 'num_batches_tracked';
}

function unexpected(key: string, missing: readonly string[]): string {
  const nearest = nearestName(key, missing);
  return `${key} is unexpected${nearest === undefined ? '' : ` (is it ${nearest}?)`}`;
}
