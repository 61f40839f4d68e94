/** The state dict in what `torch.save` wrote. */

import { FileError } from '../../base/errors.ts';
import type { HostTensor } from '../host-tensor.ts';

/** Where checkpoints keep the model's state dict, the likeliest first. */
const WRAPPERS = [
  'state_dict',
  'model_state_dict',
  'model',
  'module',
  'net',
  'network',
  'weights',
  'params',
  'ema',
  'generator',
];
const MOST_WRAPPERS = 3;

/** A model's tensors, and where in a file they were found. */
export interface StateDict {
  readonly tensors: Map<string, HostTensor>;
  /** The keys that lead to it inside a checkpoint; empty where it is all there is. */
  readonly path: readonly string[];
  /** What else stands beside the tensors, and beside what leads to them. */
  readonly beside: readonly string[];
}

/** The state dict that a checkpoint is, or has under one of the usual names. */
export function findStateDict(value: unknown, file: string): StateDict {
  const path: string[] = [];
  const beside: string[] = [];
  for (let inner = value; inner instanceof Map && path.length < MOST_WRAPPERS; ) {
    const entries: [unknown, unknown][] = [...inner];
    const tensors = entries.filter((entry): entry is [string, HostTensor] => {
      const [key, tensor] = entry;
      return typeof key === 'string' && isTensor(tensor);
    });
    const wrapped: Map<unknown, unknown> = inner;
    const wrapper =
      tensors.length > 0 ? undefined : WRAPPERS.find((key) => wrapped.get(key) instanceof Map);
    const found = new Set<unknown>([wrapper, ...tensors.map(([key]) => key)]);
    beside.push(...[...inner.keys()].filter((key) => !found.has(key)).map(String));
    if (tensors.length > 0) return { tensors: new Map(tensors), path, beside };
    if (wrapper === undefined) break;
    path.push(wrapper);
    inner = wrapped.get(wrapper);
  }
  const keys = value instanceof Map ? [...value.keys()].slice(0, 10).join(', ') : undefined;
  const found = keys === undefined ? 'it is no dictionary' : `it has ${keys || 'nothing'}`;
  throw new FileError(`${file} holds no state dict: ${found}; looked in ${WRAPPERS.join(', ')}`);
}

function isTensor(value: unknown): value is HostTensor {
  return (
    typeof value === 'object' &&
    value !== null &&
    'dtype' in value &&
    'shape' in value &&
    'data' in value
  );
}
