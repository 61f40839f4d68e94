/** `load` and `save`: named tensors in a safetensors file. */

import { realize } from '../core/realize.ts';
import type { Tensor } from '../core/tensor.ts';
import { tensor } from '../ops/creation.ts';
import type { HostTensor } from './host-tensor.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';

/** Tensors as data on the host, computed in one run where they are not computed yet. */
export async function toHost(
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Map<string, HostTensor>> {
  await realize([...tensors.values()].map(({ value }) => value));
  const host = new Map<string, HostTensor>();
  for (const [name, source] of tensors) {
    host.set(name, { dtype: source.dtype, shape: source.shape, data: await source.data() });
  }
  return host;
}

/**
 * Writes tensors, such as a model's `stateDict()`, to a safetensors file. The file appears whole or
 * not at all. Throws a `FileError` when it cannot be written.
 */
export async function save(tensors: ReadonlyMap<string, Tensor>, path: string): Promise<void> {
  await writeSafetensors(path, await toHost(tensors));
}

/** Reads all tensors of a safetensors file. Throws a `FileError` when it is missing or malformed. */
export async function load(path: string): Promise<Map<string, Tensor>> {
  const { tensors } = await readSafetensors(path);
  return new Map([...tensors].map(([name, host]) => [name, fromHost(host)]));
}

export function fromHost({ dtype, shape, data }: HostTensor): Tensor {
  return tensor(data, { dtype, shape });
}
