/**
 * Writes zip archives whose files are not compressed and begin at aligned places, so that readers
 * may map them into memory. Libraries cannot align: the padding goes into each file's extra field.
 */

import { crc32 } from 'node:zlib';
import { ArgumentError } from '../base/errors.ts';
import { METHOD, SIGNATURE } from './zip-format.ts';

export interface StoredFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/** What does not fit the fields of 32 and 16 bits, and is written in ZIP64's records. */
export interface ZipLimits {
  /** Sizes and positions, in bytes. */
  readonly bytes: number;
  readonly files: number;
}

const LIMITS: ZipLimits = { bytes: 0xffff_ffff, files: 0xffff };

/** The version that ZIP64 came with; every reader of today knows it. */
const VERSION = 45;
const UTF8_NAMES = 0x0800;
/** 1980-01-01, the first day there is: equal contents give equal bytes. */
const DATE = 0x0021;
const ZIP64_FIELD = 0x0001;
/** "FB", as PyTorch calls it. */
const PADDING_FIELD = 0x4246;
const LOCAL_BYTES = 30;
const LONGEST_NAME = 0xffff;

interface Placed {
  readonly name: Buffer;
  readonly crc: number;
  readonly size: number;
  readonly position: number;
}

/**
 * The bytes of an archive, in pieces. `files` is asked for one file at a time, and each may be
 * forgotten as soon as its pieces are taken. Data begins at multiples of `alignment` bytes.
 *
 * `limits` is for tests: readers take ZIP64's records of small files as well.
 * @throws ArgumentError for a name that cannot stand in an archive.
 */
export function* storedZip(
  files: Iterable<StoredFile>,
  { alignment = 1, limits = LIMITS }: { alignment?: number; limits?: ZipLimits } = {},
): Generator<Uint8Array> {
  const placed: Placed[] = [];
  let position = 0;
  for (const { name, data } of files) {
    const file = { name: nameBytes(name), crc: checksum(data), size: data.length, position };
    const header = localHeader(file, alignment, limits);
    yield header;
    yield data;
    placed.push(file);
    position += header.length + data.length;
  }
  const start = position;
  for (const file of placed) {
    const header = centralHeader(file, limits);
    yield header;
    position += header.length;
  }
  yield* end(placed.length, start, position - start, limits);
}

function nameBytes(name: string): Buffer {
  const bytes = Buffer.from(name);
  if (bytes.length <= LONGEST_NAME) return bytes;
  throw new ArgumentError(`[zip] a name of ${bytes.length} bytes; at most ${LONGEST_NAME} fit`);
}

/** zlib counts in 32 bits. */
const CHECKSUM_CHUNK = 2 ** 30;

function checksum(data: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < data.length; at += CHECKSUM_CHUNK) {
    sum = crc32(data.subarray(at, at + CHECKSUM_CHUNK), sum);
  }
  return sum;
}

type Field = readonly [bytes: 2 | 4 | 8, value: number];

/** Numbers one after the other, little-endian. */
function record(...fields: readonly Field[]): Buffer {
  const bytes = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0));
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 8) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeUIntLE(value, at, width);
    at += width;
  }
  return bytes;
}

function localHeader(file: Placed, alignment: number, { bytes }: ZipLimits): Buffer {
  const { name, size, position } = file;
  const large = size >= bytes;
  // A local header must have both sizes.
  const sizes = large ? zip64(size, size) : Buffer.alloc(0);
  const before = position + LOCAL_BYTES + name.length + sizes.length;
  const extra = Buffer.concat([sizes, padding(before, alignment)]);
  const fixed = record(
    [4, SIGNATURE.local],
    ...shared(file, large),
    [2, name.length],
    [2, extra.length],
  );
  return Buffer.concat([fixed, name, extra]);
}

/** An extra field that brings what begins at `before` to a multiple of `alignment`. */
function padding(before: number, alignment: number): Buffer {
  if (alignment === 1) return Buffer.alloc(0);
  const header = 4;
  const length = (alignment - ((before + header) % alignment)) % alignment;
  return Buffer.concat([record([2, PADDING_FIELD], [2, length]), Buffer.alloc(length)]);
}

function centralHeader(file: Placed, { bytes }: ZipLimits): Buffer {
  const { name, size, position } = file;
  const large = size >= bytes;
  const far = position >= bytes;
  const extra =
    large || far
      ? zip64(...(large ? [size, size] : []), ...(far ? [position] : []))
      : Buffer.alloc(0);
  const fixed = record(
    [4, SIGNATURE.central],
    [2, VERSION],
    ...shared(file, large),
    [2, name.length],
    [2, extra.length],
    [2, 0], // comment
    [2, 0], // disk
    [2, 0], // internal attributes
    [4, 0], // external attributes
    [4, far ? LIMITS.bytes : position],
  );
  return Buffer.concat([fixed, name, extra]);
}

/** What both headers of a file say in the same order. */
function shared({ crc, size }: Placed, large: boolean): Field[] {
  const shown = large ? LIMITS.bytes : size;
  return [
    [2, VERSION],
    [2, UTF8_NAMES],
    [2, METHOD.stored],
    [2, 0], // time
    [2, DATE],
    [4, crc],
    [4, shown],
    [4, shown],
  ];
}

function zip64(...values: readonly number[]): Buffer {
  const fields = values.map((value): Field => [8, value]);
  return record([2, ZIP64_FIELD], [2, 8 * values.length], ...fields);
}

function* end(
  files: number,
  start: number,
  length: number,
  limits: ZipLimits,
): Generator<Uint8Array> {
  const many = files >= limits.files;
  const far = start >= limits.bytes;
  const long = length >= limits.bytes;
  if (many || far || long) {
    yield record(
      [4, SIGNATURE.end64],
      [8, 44], // bytes of this record after this number
      [2, VERSION],
      [2, VERSION],
      [4, 0], // this disk
      [4, 0], // the directory's disk
      [8, files],
      [8, files],
      [8, length],
      [8, start],
    );
    yield record([4, SIGNATURE.end64Locator], [4, 0], [8, start + length], [4, 1]);
  }
  const shownFiles = many ? LIMITS.files : files;
  yield record(
    [4, SIGNATURE.end],
    [2, 0], // this disk
    [2, 0], // the directory's disk
    [2, shownFiles],
    [2, shownFiles],
    [4, long ? LIMITS.bytes : length],
    [4, far ? LIMITS.bytes : start],
    [2, 0], // comment
  );
}
