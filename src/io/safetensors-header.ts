/**
 * The header of a safetensors file: a JSON object of `name: { dtype, shape, data_offsets }`, and
 * optionally `__metadata__`, an object of strings. Nothing in it is trusted.
 * https://huggingface.co/docs/safetensors/index#format
 */

import { DTYPES, type DType, itemsize } from '../base/dtype.ts';
import { FileError } from '../base/errors.ts';

/** Longest header accepted, in bytes; the official reader has the same limit. */
export const MAX_HEADER_BYTES = 100_000_000;

export const METADATA_KEY = '__metadata__';

/** A dtype's name in the header. */
export const HEADER_DTYPES: Record<DType, string> = {
  float32: 'F32',
  float64: 'F64',
  bfloat16: 'BF16',
  float16: 'F16',
  int64: 'I64',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
};

export interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes `[begin, end)` of the data that follows the header. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In the order of their data. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Record<string, string>;
}

/**
 * Parses the header `bytes` of a file called `file` whose data section has `dataBytes` bytes, and
 * checks that the tensors fill that section exactly, without gap or overlap. Throws a `FileError`.
 */
export function parseHeader(file: string, bytes: Uint8Array, dataBytes: number): Header {
  const fail = (message: string) => new FileError(`${file}: ${message}`);
  const root = parseJson(bytes, fail);
  const metadata: Record<string, string> = Object.create(null);
  const entries: TensorEntry[] = [];
  for (const [name, value] of Object.entries(root)) {
    if (name === METADATA_KEY) readMetadata(value, metadata, fail);
    else entries.push(readEntry(name, value, (m) => fail(`tensor ${JSON.stringify(name)}: ${m}`)));
  }
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(entries, dataBytes, fail);
  return { entries, metadata };
}

type Fail = (message: string) => FileError;

function parseJson(bytes: Uint8Array, fail: Fail): object {
  let text: string;
  let root: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    root = JSON.parse(text);
  } catch (error) {
    throw fail(`the header of ${bytes.length} bytes is not JSON in UTF-8: ${String(error)}`);
  }
  if (!isObject(root)) throw fail('the header is not a JSON object');
  const duplicate = findDuplicateKey(text);
  if (duplicate !== undefined) throw fail(`the header names ${duplicate} twice`);
  return root;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The first key (quoted) that some object of a valid JSON text has twice. `JSON.parse` would
 * silently keep the last, so a file could show one reader other tensors than the next.
 */
function findDuplicateKey(text: string): string | undefined {
  const scopes: Set<string>[] = [];
  let lastString = '';
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '{') scopes.push(new Set());
    else if (character === '}') scopes.pop();
    else if (character === '"') {
      const start = i++;
      for (; text[i] !== '"'; i++) if (text[i] === '\\') i++;
      lastString = text.slice(start, i + 1);
    } else if (character === ':') {
      const keys = scopes[scopes.length - 1]!;
      const key: string = JSON.parse(lastString);
      if (keys.has(key)) return lastString;
      keys.add(key);
    }
  }
  return undefined;
}

function readMetadata(value: unknown, metadata: Record<string, string>, fail: Fail): void {
  if (!isObject(value)) throw fail(`${METADATA_KEY} is not an object`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') {
      throw fail(`${METADATA_KEY} ${JSON.stringify(key)} is not a string`);
    }
    metadata[key] = text;
  }
}

function readEntry(name: string, value: unknown, fail: Fail): TensorEntry {
  if (!isObject(value)) throw fail('its entry is not an object');
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const key of fields.keys()) {
    if (!['dtype', 'shape', 'data_offsets'].includes(key)) {
      throw fail(`unknown field ${JSON.stringify(key)}`);
    }
  }
  const dtype = readDType(fields.get('dtype'), fail);
  const shape = readSizes(fields.get('shape'), 'shape', fail);
  const offsets = readSizes(fields.get('data_offsets'), 'data_offsets', fail);
  if (offsets.length !== 2 || offsets[0]! > offsets[1]!) {
    throw fail(`data_offsets must be [begin, end], got [${offsets.join(', ')}]`);
  }
  const [begin, end] = offsets as [number, number];
  const bytes = byteSize(shape, dtype, fail);
  if (end - begin !== bytes) {
    const shown = `${HEADER_DTYPES[dtype]} [${shape.join(', ')}]`;
    throw fail(`${shown} takes ${bytes} bytes, but data_offsets span ${end - begin}`);
  }
  return { name, dtype, shape, begin, end };
}

function readDType(value: unknown, fail: Fail): DType {
  const dtype = DTYPES.find((candidate) => HEADER_DTYPES[candidate] === value);
  if (dtype === undefined) {
    const known = DTYPES.map((candidate) => HEADER_DTYPES[candidate]).join(', ');
    throw fail(`dtype ${JSON.stringify(value)} is not supported; supported are ${known}`);
  }
  return dtype;
}

function readSizes(value: unknown, field: string, fail: Fail): number[] {
  const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;
  if (!Array.isArray(value) || !value.every(isSize)) {
    throw fail(`${field} must be a list of non-negative integers, got ${JSON.stringify(value)}`);
  }
  return value;
}

/** Multiplied size by size, so that a zero cannot hide a product that overflowed before it. */
function byteSize(shape: readonly number[], dtype: DType, fail: Fail): number {
  let bytes = itemsize(dtype);
  for (const size of shape) {
    bytes *= size;
    if (!Number.isSafeInteger(bytes)) {
      throw fail(`shape [${shape.join(', ')}] has more bytes than can be counted`);
    }
  }
  return bytes;
}

function checkCoverage(entries: readonly TensorEntry[], dataBytes: number, fail: Fail): void {
  let end = 0;
  let previous = 'the header';
  for (const entry of entries) {
    const name = `tensor ${JSON.stringify(entry.name)}`;
    if (entry.begin !== end) {
      const what = entry.begin < end ? 'overlaps' : 'leaves a gap after';
      throw fail(
        `${name} ${what} ${previous}: it begins at byte ${entry.begin} of the data, expected ${end}`,
      );
    }
    if (entry.end > dataBytes) {
      throw fail(
        `${name} ends at byte ${entry.end} of the data, but the file has only ${dataBytes}`,
      );
    }
    end = entry.end;
    previous = name;
  }
  if (end !== dataBytes) {
    throw fail(`${dataBytes - end} bytes follow the last tensor, which ends at byte ${end}`);
  }
}

/**
 * The header as bytes, its length padded with spaces to a multiple of 8 so that the data is
 * aligned. `entries` are written in the order given, metadata in the order of its keys.
 */
export function encodeHeader(
  entries: readonly TensorEntry[],
  metadata: Readonly<Record<string, string>> | undefined,
): Uint8Array {
  const fields: string[] = [];
  if (metadata !== undefined) {
    const sorted = Object.keys(metadata).sort();
    const pairs = sorted.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    fields.push(`"${METADATA_KEY}":{${pairs.join(',')}}`);
  }
  for (const { name, dtype, shape, begin, end } of entries) {
    const entry = { dtype: HEADER_DTYPES[dtype], shape, data_offsets: [begin, end] };
    fields.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
  }
  const json = Buffer.from(`{${fields.join(',')}}`);
  const padding = Buffer.alloc((8 - (json.length % 8)) % 8, ' ');
  return Buffer.concat([json, padding]);
}
