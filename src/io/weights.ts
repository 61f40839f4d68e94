/** Named tensors from whatever file holds them. */

import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError } from '../base/errors.ts';
import { fileError } from './atomic.ts';
import type { HostTensor } from './host-tensor.ts';
import { readSafetensors } from './safetensors.ts';
import { readTorch } from './torch/read.ts';

/**
 * Reads a model's tensors by name from safetensors, from its index of several such files
 * (`model.safetensors.index.json`), or from a file of `torch.save`, where the state dict may be
 * wrapped in a checkpoint. What the file is follows from its contents, not from its name.
 *
 * @throws FileError that names the file and what is wrong with it.
 */
export async function readWeights(path: string): Promise<Map<string, HostTensor>> {
  switch (await kindOf(path)) {
    case 'index':
      return readSharded(path);
    case 'torch':
      return stateDictOf(await readTorch(path), path);
    case 'safetensors':
      return (await readSafetensors(path)).tensors;
  }
}

async function kindOf(path: string): Promise<'index' | 'torch' | 'safetensors'> {
  if (path.endsWith('.json')) return 'index';
  const [first, second] = await firstBytes(path);
  // A zip, or a pickle of protocol 2 or later. A safetensors file of 2.5 MB of header could begin
  // like the first, but then its header would have to begin 6 bytes later than any does.
  const isTorch = (first === 0x50 && second === 0x4b) || (first === 0x80 && second! < 6);
  return isTorch && !path.endsWith('.safetensors') ? 'torch' : 'safetensors';
}

async function firstBytes(path: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { buffer, bytesRead } = await handle.read(new Uint8Array(2), 0, 2, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  } finally {
    await handle?.close();
  }
}

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

/** The state dict that a checkpoint is, or has under one of the usual names. */
export function stateDictOf(value: unknown, file: string): Map<string, HostTensor> {
  for (let inner = value, depth = 0; inner instanceof Map && depth < 3; depth++) {
    const entries: [unknown, unknown][] = [...inner];
    const tensors = entries.filter((entry): entry is [string, HostTensor] => {
      const [key, tensor] = entry;
      return typeof key === 'string' && isTensor(tensor);
    });
    if (tensors.length > 0) return new Map(tensors);
    const wrapped: Map<unknown, unknown> = inner;
    const wrapper = WRAPPERS.find((key) => wrapped.get(key) instanceof Map);
    if (wrapper === undefined) break;
    inner = wrapped.get(wrapper);
  }
  const found =
    value instanceof Map
      ? `it has ${[...value.keys()].slice(0, 10).join(', ')}`
      : 'it is no dictionary';
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

/** An index has a name for each tensor; for more than any model has, it is not read. */
const MOST_INDEX_BYTES = 2 ** 26;

/**
 * `{ "weight_map": { TENSOR: FILE } }`, with the files beside it.
 * https://huggingface.co/docs/transformers/big_models
 */
async function readSharded(path: string): Promise<Map<string, HostTensor>> {
  const places = await readIndex(path);
  const tensors = new Map<string, HostTensor>();
  for (const file of new Set(places.values())) {
    const part = await readSafetensors(join(dirname(path), file));
    for (const [name, tensor] of part.tensors) {
      if (places.get(name) !== file) {
        throw new FileError(
          `${file} holds ${JSON.stringify(name)}, of which ${path} says otherwise`,
        );
      }
      tensors.set(name, tensor);
    }
  }
  for (const [name, file] of places) {
    if (!tensors.has(name)) throw new FileError(`${file} lacks ${JSON.stringify(name)} of ${path}`);
  }
  return tensors;
}

async function readIndex(path: string): Promise<Map<string, string>> {
  let parsed: unknown;
  try {
    const { size } = await stat(path);
    if (size > MOST_INDEX_BYTES) throw new Error(`it has ${size} bytes`);
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  }
  const map = (parsed as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new FileError(`${path} has no weight_map: it is no index of safetensors files`);
  }
  const places = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || file !== basename(file) || !file.endsWith('.safetensors')) {
      throw new FileError(
        `${path}: ${JSON.stringify(name)} is in ${JSON.stringify(file)}, which is no safetensors file beside it`,
      );
    }
    places.set(name, file);
  }
  return places;
}
