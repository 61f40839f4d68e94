/**
 * Numeric arrays of MATLAB's files of version 5 to 7, compressed or not.
 * https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf
 */

import { type DType, type HostArray, hostArray } from '../base/dtype.ts';
import { FileError } from '../base/errors.ts';
import { formatShape, numel } from '../base/shape.ts';
import type { HostTensor } from './host-tensor.ts';
import { inflate, inflateBeginning } from './inflate.ts';
import { readWhole } from './source.ts';

const HEADER = 128;
const COMPRESSED = 15;
const MATRIX = 14;

interface Stored {
  readonly bytes: number;
  readonly dtype: DType;
  get(view: DataView, offset: number): number;
}

/** How numbers are stored, whatever MATLAB computes with. Little-endian. */
const STORED: Readonly<Record<number, Stored>> = {
  1: { bytes: 1, dtype: 'int32', get: (view, at) => view.getInt8(at) },
  2: { bytes: 1, dtype: 'uint8', get: (view, at) => view.getUint8(at) },
  3: { bytes: 2, dtype: 'int32', get: (view, at) => view.getInt16(at, true) },
  4: { bytes: 2, dtype: 'int32', get: (view, at) => view.getUint16(at, true) },
  5: { bytes: 4, dtype: 'int32', get: (view, at) => view.getInt32(at, true) },
  7: { bytes: 4, dtype: 'float32', get: (view, at) => view.getFloat32(at, true) },
  9: { bytes: 8, dtype: 'float64', get: (view, at) => view.getFloat64(at, true) },
};

/** What one array of JavaScript holds. */
const MOST_BYTES = 2 ** 31;

/** A piece of the file: what it is, and its bytes. */
interface Element {
  readonly type: number;
  readonly data: Uint8Array;
  /** Where the next one begins. */
  readonly end: number;
}

/**
 * The arrays called `names`. MATLAB keeps columns together, so what is given is row-major with the
 * dimensions in reverse: (4, 3, 2) for an array of MATLAB's 2x3x4.
 *
 * @throws FileError that names the file when it is missing, cut off, of another format, or lacks
 *   one of the arrays.
 */
export function readMat(path: string, names: readonly string[]): Map<string, HostTensor> {
  const bytes = readWhole(path, MOST_BYTES);
  const isLittle = bytes[126] === 0x49 && bytes[127] === 0x4d;
  if (bytes.length < HEADER || !isLittle || bytes[125] !== 1) {
    throw new FileError(`${path}: is no MATLAB file of version 5`);
  }
  const arrays = new Map<string, HostTensor>();
  for (let at = HEADER; at < bytes.length; ) {
    const element = elementAt(path, bytes, at);
    at = element.end;
    const matrix = element.type === COMPRESSED ? unpacked(path, element.data) : element;
    if (matrix.type !== MATRIX) continue;
    const { name, read } = describe(path, matrix.data);
    if (names.includes(name)) arrays.set(name, read());
  }
  const missing = names.find((name) => !arrays.has(name));
  if (missing !== undefined) throw new FileError(`${path}: holds no array "${missing}"`);
  return arrays;
}

/** Elements of at most 4 bytes have their size in the upper half of their type. */
function elementAt(path: string, bytes: Uint8Array, at: number): Element {
  const cut = () => new FileError(`${path}: is cut off or damaged near byte ${at} of its data`);
  if (at + 8 > bytes.length) throw cut();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = view.getUint32(at, true);
  const isSmall = word >>> 16 !== 0;
  const type = isSmall ? word & 0xffff : word;
  const size = isSmall ? word >>> 16 : view.getUint32(at + 4, true);
  const start = at + (isSmall ? 4 : 8);
  if (start + size > bytes.length || (isSmall && size > 4)) throw cut();
  // Compressed ones follow each other without a gap; others begin at multiples of 8.
  const padded = type === COMPRESSED ? size : Math.ceil(size / 8) * 8;
  const end = isSmall ? at + 8 : start + padded;
  return { type, data: bytes.subarray(start, start + size), end };
}

function unpacked(path: string, packed: Uint8Array): Element {
  const beginning = inflateBeginning(path, packed);
  if (beginning.length < 8) throw new FileError(`${path}: a compressed array is cut off`);
  const view = new DataView(beginning.buffer, beginning.byteOffset);
  const size = 8 + view.getUint32(4, true);
  if (size > MOST_BYTES) throw new FileError(`${path}: an array declares ${size} bytes`);
  return elementAt(path, inflate(path, packed, size), 0);
}

function describe(path: string, matrix: Uint8Array) {
  const flags = elementAt(path, matrix, 0);
  const dimensions = elementAt(path, matrix, flags.end);
  const label = elementAt(path, matrix, dimensions.end);
  const name = Buffer.from(label.data).toString('latin1');
  const kind = flags.data[0] ?? 0;
  const isComplex = ((flags.data[1] ?? 0) & 0x08) !== 0;
  return {
    name,
    read: (): HostTensor => {
      // mxDOUBLE_CLASS to mxUINT64_CLASS.
      if (kind < 6 || kind > 15 || isComplex) {
        throw new FileError(`${path}: "${name}" is no array of real numbers`);
      }
      const sizes = new DataView(dimensions.data.buffer, dimensions.data.byteOffset);
      const count = Math.floor(dimensions.data.length / 4);
      const shape = Array.from({ length: count }, (_, i) => sizes.getInt32(4 * i, true)).reverse();
      return numbers(path, name, shape, elementAt(path, matrix, label.end));
    },
  };
}

function numbers(path: string, name: string, shape: number[], { type, data }: Element): HostTensor {
  const stored = STORED[type];
  if (stored === undefined) {
    throw new FileError(`${path}: "${name}" has numbers of type ${type}, which is not read`);
  }
  const { dtype, bytes, get } = stored;
  const length = data.length / bytes;
  if (shape.some((size) => size < 0) || numel(shape) !== length) {
    throw new FileError(
      `${path}: "${name}" is ${formatShape(shape)} in reverse, but has ${length} numbers`,
    );
  }
  if (dtype === 'uint8') return { dtype, shape, data };
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const values: HostArray = hostArray(dtype, length);
  for (let i = 0; i < length; i++) values[i] = get(view, i * bytes);
  return { dtype, shape, data: values };
}
