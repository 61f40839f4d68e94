/**
 * The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes, all
 * little-endian. https://huggingface.co/docs/safetensors/index#format
 */

import { type FileHandle, open } from 'node:fs/promises';
import { byCodePoint } from '../base/by-code-point.ts';
import { type DType, type HostArray, hostArray, itemsize } from '../base/dtype.ts';
import { ArgumentError, FileError } from '../base/errors.ts';
import { decodeWords, isHalfWidth } from '../base/half-width.ts';
import { fileError, writeFileAtomic } from './atomic.ts';
import {
  asBytes,
  type HostTensor,
  hostTensorFault,
  requireLittleEndian,
  tensorBytes,
} from './host-tensor.ts';
import {
  encodeHeader,
  MAX_HEADER_BYTES,
  METADATA_KEY,
  parseHeader,
  type TensorEntry,
} from './safetensors-header.ts';
import { fileSource, memorySource, type Source } from './source.ts';

export interface SafetensorsFile {
  /** In the order of their data in the file. */
  readonly tensors: Map<string, HostTensor>;
  /** The file's `__metadata__`, an object without prototype; empty when it has none. */
  readonly metadata: Record<string, string>;
}

/**
 * Reads a whole file. Every length, offset, shape and dtype is checked before it is used: throws
 * a `FileError` naming the file, the tensor and the numbers that do not fit.
 */
export async function readSafetensors(path: string): Promise<SafetensorsFile> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const { size } = await handle.stat();
    return await readFrom(fileSource(path, handle, size));
  } catch (error) {
    throw fileError(`cannot read ${path}`, error);
  } finally {
    await handle?.close();
  }
}

/** Reads the contents of a file held in memory; `name` stands for it in errors. */
export function parseSafetensors(name: string, bytes: Uint8Array): Promise<SafetensorsFile> {
  return readFrom(memorySource(name, bytes));
}

/**
 * Writes `tensors` atomically. The bytes depend only on the contents, not on the map's order, and
 * are those of the official writer: wider dtypes first, so that all data is aligned, then by name.
 * Throws an `ArgumentError` for a tensor whose data does not fit its shape, a `FileError` when the
 * file cannot be written.
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, HostTensor>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}

/** The bytes of a file, in pieces, the header first; errors as `writeSafetensors`. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata?: Readonly<Record<string, string>>,
): Iterable<Uint8Array> {
  requireLittleEndian();
  const names = [...tensors.keys()].sort((a, b) => {
    const byRank = WRITE_RANK[tensors.get(a)!.dtype] - WRITE_RANK[tensors.get(b)!.dtype];
    return byRank || byCodePoint(a, b);
  });
  const entries: TensorEntry[] = [];
  let end = 0;
  for (const name of names) {
    const tensor = tensors.get(name)!;
    const fault = name === METADATA_KEY ? 'this name is reserved' : hostTensorFault(tensor);
    if (fault !== undefined) {
      throw new ArgumentError(`[safetensors] tensor ${JSON.stringify(name)}: ${fault}`);
    }
    const begin = end;
    end += tensor.data.length * itemsize(tensor.dtype);
    entries.push({ name, dtype: tensor.dtype, shape: tensor.shape, begin, end });
  }
  return pieces(encodeHeader(entries, metadata), names, tensors);
}

/** The official writer's order of dtypes. */
const WRITE_RANK: Record<DType, number> = {
  int64: 0,
  float64: 1,
  float32: 2,
  int32: 3,
  bfloat16: 4,
  float16: 5,
  uint8: 6,
  bool: 7,
};

function* pieces(
  header: Uint8Array,
  names: readonly string[],
  tensors: ReadonlyMap<string, HostTensor>,
): Generator<Uint8Array> {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(header.length));
  yield length;
  yield header;
  for (const name of names) {
    yield tensorBytes(tensors.get(name)!);
  }
}

const LENGTH_BYTES = 8;

async function readFrom(source: Source): Promise<SafetensorsFile> {
  requireLittleEndian();
  const { name, size } = source;
  if (size < LENGTH_BYTES) {
    throw new FileError(`${name}: ${size} bytes are too few for a safetensors file`);
  }
  const lengthBytes = Buffer.alloc(LENGTH_BYTES);
  await source.read(lengthBytes, 0);
  const length = lengthBytes.readBigUInt64LE();
  const limit = Math.min(size - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (length > BigInt(limit)) {
    throw new FileError(
      `${name}: the header claims ${length} bytes, but at most ${limit} are possible in a file of ${size}`,
    );
  }
  const header = new Uint8Array(Number(length));
  await source.read(header, LENGTH_BYTES);
  const dataStart = LENGTH_BYTES + header.length;
  const { entries, metadata } = parseHeader(name, header, size - dataStart);
  const tensors = new Map<string, HostTensor>();
  for (const entry of entries) {
    const data = await readData(source, entry, dataStart + entry.begin);
    tensors.set(entry.name, { dtype: entry.dtype, shape: entry.shape, data });
  }
  return { tensors, metadata };
}

async function readData(source: Source, entry: TensorEntry, position: number): Promise<HostArray> {
  const { dtype, begin, end } = entry;
  const count = (end - begin) / itemsize(dtype);
  if (isHalfWidth(dtype)) {
    const words = new Uint16Array(count);
    await source.read(asBytes(words), position);
    return decodeWords(dtype, words);
  }
  const data = hostArray(dtype, count);
  await source.read(asBytes(data), position);
  if (dtype === 'bool') {
    const wrong = (data as Uint8Array).findIndex((byte) => byte > 1);
    if (wrong >= 0) {
      throw new FileError(
        `${source.name}: tensor ${JSON.stringify(entry.name)}: element ${wrong} of a BOOL tensor is ${data[wrong]}, not 0 or 1`,
      );
    }
  }
  return data;
}
