/** `load` and `save`: named tensors in a file. */

import { extname } from 'node:path';

import { realize } from '../core/realize.ts';
import type { Tensor } from '../core/tensor.ts';
import { tensor } from '../ops/host-data.ts';
import type { HostTensor } from './host-tensor.ts';
import { writeSafetensors } from './safetensors.ts';
import { writeTorch } from './torch/write.ts';
import { readWeights } from './weights.ts';

/**
 * The contents of tensors as of the runs queued before this call; lazy ones are computed first. A
 * tensor that has several names is read once, and all of them have the same data.
 */
export async function toHost(
  tensors: ReadonlyMap<string, Tensor>,
): Promise<Map<string, HostTensor>> {
  const unique = [...new Set(tensors.values())];
  // One run for all that are lazy, queued before the first is read.
  const computed = realize(unique.map(({ value }) => value));
  const [data] = await Promise.all([Promise.all(unique.map((source) => source.data())), computed]);
  const dataOf = new Map(unique.map((source, i) => [source, data[i]!]));
  return new Map(
    [...tensors].map(([name, source]) => {
      const { dtype, shape } = source;
      return [name, { dtype, shape, data: dataOf.get(source)! }];
    }),
  );
}

/** What PyTorch's own files are called. */
const TORCH_FILES: ReadonlySet<string> = new Set(['.pt', '.pth', '.bin']);

/**
 * Writes tensors, such as a model's `stateDict()`. A file whose name ends in `.pt`, `.pth` or
 * `.bin` is as of `torch.save`, and `torch.load(path, weights_only=True)` opens it; a tensor under
 * several names is written once there, and loads as tied. Any other file is safetensors. The file
 * appears whole or not at all.
 *
 * @throws FileError when it cannot be written.
 * https://docs.pytorch.org/docs/stable/generated/torch.save.html
 */
export async function save(tensors: ReadonlyMap<string, Tensor>, path: string): Promise<void> {
  const write = TORCH_FILES.has(extname(path)) ? writeTorch : writeSafetensors;
  await write(path, await toHost(tensors));
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
