/** Named tensors from whatever file holds them. */

import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError } from '../base/errors.ts';
import { fileError } from './atomic.ts';
import type { HostTensor } from './host-tensor.ts';
import { readSafetensors } from './safetensors.ts';
import { readTorch } from './torch/read.ts';
import { findStateDict, type StateDict } from './torch/state-dict.ts';

/** What a file of weights was found to be. */
export type WeightsKind = 'safetensors' | 'index' | 'torch';

/** A file's tensors, and what else there is to know of it. */
export interface WeightsContents extends StateDict {
  readonly kind: WeightsKind;
  /** The metadata of a safetensors file. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads a model's tensors by name from safetensors, from its index of several such files
 * (`model.safetensors.index.json`), or from a file of `torch.save`, where the state dict may be
 * wrapped in a checkpoint. What the file is follows from its contents, not from its name.
 *
 * @throws FileError that names the file and what is wrong with it.
 */
export async function readWeights(path: string): Promise<Map<string, HostTensor>> {
  return (await readContents(path)).tensors;
}

/** As `readWeights`, with what was found out on the way. */
export async function readContents(path: string): Promise<WeightsContents> {
  await checkFile(path);
  const kind = await kindOf(path);
  const plain = { kind, path: [], beside: [], metadata: {} };
  switch (kind) {
    case 'index':
      return { ...plain, tensors: await readSharded(path) };
    case 'torch':
      return { ...plain, ...findStateDict(await readTorch(path), path) };
    case 'safetensors':
      return { ...plain, ...(await readSafetensors(path)) };
  }
}

/** Opening a pipe would wait for somebody to write into it, and a device may have no end. */
async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch((error) => {
    throw fileError(`cannot read ${path}`, error);
  });
  if (!found.isFile()) throw new FileError(`cannot read ${path}: it is no file`);
}

async function kindOf(path: string): Promise<WeightsKind> {
  if (path.endsWith('.json')) return 'index';
  const start = await firstBytes(path);
  const [first, second] = start;
  // A zip, or a pickle of protocol 2 or later. A safetensors file of 2.5 MB of header could begin
  // like the first, but then its header would have to begin 6 bytes later than any does.
  const isTorch = (first === 0x50 && second === 0x4b) || (first === 0x80 && second! < 6);
  if (path.endsWith('.safetensors')) return 'safetensors';
  if (isTorch) return 'torch';
  if (start[HEADER_START] === BRACE) return 'safetensors';
  throw new FileError(`${path} holds no weights: it is no safetensors, nor a file of torch.save`);
}

/** Where the header of safetensors begins, and with what. */
const HEADER_START = 8;
const BRACE = 0x7b;

async function firstBytes(path: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const start = new Uint8Array(HEADER_START + 1);
    const { bytesRead } = await handle.read(start, 0, start.length, 0);
    return start.subarray(0, bytesRead);
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  } finally {
    await handle?.close();
  }
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
