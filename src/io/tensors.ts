/** `load` and `save`: named tensors in a safetensors file. */

import { realize } from '../core/realize.ts';
import type { Tensor } from '../core/tensor.ts';
import { tensor } from '../ops/host-data.ts';
import type { HostTensor } from './host-tensor.ts';
import { writeSafetensors } from './safetensors.ts';
import { readWeights } from './weights.ts';

/** The contents of tensors as of the runs queued before this call; lazy ones are computed first. */
export async function toHost(
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Map<string, HostTensor>> {
  // One run for all that are lazy, queued before the first is read.
  const computed = realize([...tensors.values()].map(({ value }) => value));
  const read = async ([name, source]: [string, Tensor]): Promise<[string, HostTensor]> => {
    const { dtype, shape } = source;
    return [name, { dtype, shape, data: await source.data() }];
  };
  const [entries] = await Promise.all([Promise.all([...tensors].map(read)), computed]);
  return new Map(entries);
}

/**
 * Writes tensors, such as a model's `stateDict()`, to a safetensors file. The file appears whole or
 * not at all. Throws a `FileError` when it cannot be written.
 */
export async function save(tensors: ReadonlyMap<string, Tensor>, path: string): Promise<void> {
  await writeSafetensors(path, await toHost(tensors));
}

/**
 * Reads all tensors of a safetensors file, of several with an index, or of a file of `torch.save`
 * (`.pt`, `.pth`, `.bin`), of which nothing is executed. Throws a `FileError` when it is missing or
 * malformed.
 * https://docs.pytorch.org/docs/stable/generated/torch.load.html
 */
export async function load(path: string): Promise<Map<string, Tensor>> {
  const tensors = await readWeights(path);
  return new Map([...tensors].map(([name, host]) => [name, fromHost(host)]));
}

export function fromHost({ dtype, shape, data }: HostTensor): Tensor {
  return tensor(data, { dtype, shape });
}
