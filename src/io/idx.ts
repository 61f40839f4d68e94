/**
 * The idx format of MNIST and its relatives, as it is or in gzip: two zero bytes, the type, the
 * number of dimensions, each of them as a big-endian word of 4 bytes, then the elements, big-endian
 * and row-major. http://yann.lecun.com/exdb/mnist/
 */

import { type DType, hostArray } from '../base/dtype.ts';
import { FileError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import type { HostTensor } from './host-tensor.ts';
import { inflate, inflateBeginning, isGzip } from './inflate.ts';
import { readWhole } from './source.ts';

interface ElementType {
  readonly bytes: number;
  /** The narrowest of ours that holds all of its values. */
  readonly dtype: DType;
  get(view: DataView, offset: number): number;
}

const TYPES: Readonly<Record<number, ElementType>> = {
  8: { bytes: 1, dtype: 'uint8', get: (view, at) => view.getUint8(at) },
  9: { bytes: 1, dtype: 'int32', get: (view, at) => view.getInt8(at) },
  11: { bytes: 2, dtype: 'int32', get: (view, at) => view.getInt16(at) },
  12: { bytes: 4, dtype: 'int32', get: (view, at) => view.getInt32(at) },
  13: { bytes: 4, dtype: 'float32', get: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, dtype: 'float64', get: (view, at) => view.getFloat64(at) },
};

/** A file of more bytes than this would not fit into one array several times over. */
const MOST_BYTES = 2 ** 31;

/**
 * Reads one array; bytes of a sign and 16-bit integers become int32.
 *
 * @param most bytes that the file may have, unpacked.
 * @throws FileError that names the file when it is missing, cut off, longer than its header
 *   declares, or of another format.
 */
export function readIdx(path: string, most = MOST_BYTES): HostTensor {
  const bytes = readWhole(path, MOST_BYTES);
  if (!isGzip(bytes)) return parse(path, bytes, headerOf(path, bytes, most));
  const header = headerOf(path, inflateBeginning(path, bytes), most);
  return parse(path, inflate(path, bytes, header.size), header);
}

interface Header {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Where the elements begin, and what the whole file takes. */
  readonly start: number;
  readonly size: number;
}

function headerOf(path: string, bytes: Uint8Array, most: number): Header {
  const [zero, zeroToo, code, dimensions] = bytes;
  const type = TYPES[code ?? 0];
  if (zero !== 0 || zeroToo !== 0 || type === undefined || dimensions === undefined) {
    const found = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0'));
    throw new FileError(`${path}: is no idx file: it begins with ${found.join(' ') || 'nothing'}`);
  }
  const start = 4 + 4 * dimensions;
  if (dimensions === 0 || bytes.length < start) {
    throw new FileError(`${path}: the header of ${dimensions} dimensions is cut off`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((product, length) => product * length, type.bytes) + start;
  if (size <= most) return { type, shape, start, size };
  throw new FileError(`${path}: declares ${formatShape(shape)}, more than ${most} bytes`);
}

function parse(path: string, bytes: Uint8Array, { type, shape, start, size }: Header): HostTensor {
  if (bytes.length !== size) {
    const declared = `${formatShape(shape)} of ${type.bytes} bytes each`;
    throw new FileError(`${path}: has ${bytes.length} bytes, but ${declared} take ${size}`);
  }
  const { dtype } = type;
  if (dtype === 'uint8') return { dtype, shape, data: bytes.subarray(start) };
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const data = hostArray(dtype, (size - start) / type.bytes);
  for (let i = 0; i < data.length; i++) data[i] = type.get(view, start + i * type.bytes);
  return { dtype, shape, data };
}
