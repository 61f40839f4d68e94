/** Writing what `torch.load(weights_only=True)` opens: `.pt`, `.pth`, `.bin`. */

import type { DType, HostArray } from '../../base/dtype.ts';
import { ArgumentError } from '../../base/errors.ts';
import { writeFileAtomic } from '../atomic.ts';
import {
  type HostTensor,
  hostTensorFault,
  requireLittleEndian,
  tensorBytes,
} from '../host-tensor.ts';
import { type StoredFile, storedZip, type ZipLimits } from '../stored-zip.ts';
import { pickleStateDict, type StoredTensor } from './pickle-writer.ts';

/** As PyTorch's: whole cache lines, and aligned for every dtype. */
const ALIGNMENT = 64;
/** PyTorch takes any folder; with a fixed one the bytes do not depend on the file's name. */
const FOLDER = 'archive';

/**
 * Writes `tensors` atomically, in their order, as `torch.save` writes a state dict. Tensors with
 * one and the same `data` share a storage, in the file and when PyTorch has loaded it. The bytes
 * depend on the contents alone.
 *
 * @throws ArgumentError for a tensor whose data does not fit its shape; FileError when the file
 * cannot be written.
 * https://docs.pytorch.org/docs/stable/notes/serialization.html#serialized-file-format-for-torch-save
 */
export async function writeTorch(
  path: string,
  tensors: ReadonlyMap<string, HostTensor>,
): Promise<void> {
  await writeFileAtomic(path, encodeTorch(tensors));
}

/** The bytes of a file, in pieces; errors as `writeTorch`. `limits` is for tests. */
export function encodeTorch(
  tensors: ReadonlyMap<string, HostTensor>,
  limits?: ZipLimits,
): Iterable<Uint8Array> {
  requireLittleEndian();
  const storages = new Storages();
  const described = [...tensors].map(([name, tensor]): StoredTensor => {
    const { dtype, shape, data } = tensor;
    const fault = LONE_SURROGATE.test(name) ? 'its name is no text' : hostTensorFault(tensor);
    if (fault !== undefined) {
      throw new ArgumentError(`[torch] tensor ${JSON.stringify(name)}: ${fault}`);
    }
    return { name, dtype, shape, key: storages.keyOf(tensor), elements: data.length };
  });
  const files = filesOf(pickleStateDict(described), storages.tensors);
  return storedZip(files, { alignment: ALIGNMENT, ...(limits && { limits }) });
}

/** What UTF-8 has no bytes for. */
const LONE_SURROGATE = /\p{Cs}/u;

/** One for each array of data and dtype, numbered as they come. */
class Storages {
  /** A tensor of each, for its contents. */
  readonly tensors: HostTensor[] = [];
  readonly #keys = new Map<DType, Map<HostArray, string>>();

  keyOf(tensor: HostTensor): string {
    const { dtype, data } = tensor;
    const ofType = this.#keys.get(dtype) ?? new Map<HostArray, string>();
    this.#keys.set(dtype, ofType);
    const known = ofType.get(data);
    if (known !== undefined) return known;
    const key = String(this.tensors.push(tensor) - 1);
    ofType.set(data, key);
    return key;
  }
}

/** The archive's files in PyTorch's order; a storage's bytes are made when it is its turn. */
function* filesOf(pickle: Uint8Array, storages: readonly HostTensor[]): Generator<StoredFile> {
  const file = (name: string, data: Uint8Array | string): StoredFile => ({
    name: `${FOLDER}/${name}`,
    data: typeof data === 'string' ? Buffer.from(data) : data,
  });
  yield file('data.pkl', pickle);
  yield file('.format_version', '1');
  yield file('.storage_alignment', String(ALIGNMENT));
  yield file('byteorder', 'little');
  for (const [key, tensor] of storages.entries()) yield file(`data/${key}`, tensorBytes(tensor));
  yield file('version', '3\n');
}
