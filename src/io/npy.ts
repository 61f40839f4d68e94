/**
 * NumPy's arrays: files .npy, and .npz, which are zip archives of them.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */

import { type DType, type HostArray, hostArray } from '../base/dtype.ts';
import { FileError } from '../base/errors.ts';
import { decodeWords } from '../base/half-width.ts';
import { formatShape, numel } from '../base/shape.ts';
import type { HostTensor } from './host-tensor.ts';
import { readWhole } from './source.ts';
import { zipEntries } from './zip.ts';

/** What one array of JavaScript holds. */
const MOST_BYTES = 2 ** 31;

interface ElementType {
  readonly bytes: number;
  /** The narrowest of ours that holds all of its values. */
  readonly dtype: DType;
  get(view: DataView, offset: number, isLittle: boolean): number | bigint;
}

const TYPES: Readonly<Record<string, ElementType>> = {
  b1: { bytes: 1, dtype: 'bool', get: (view, at) => Number(view.getUint8(at) !== 0) },
  i1: { bytes: 1, dtype: 'int32', get: (view, at) => view.getInt8(at) },
  u1: { bytes: 1, dtype: 'uint8', get: (view, at) => view.getUint8(at) },
  i2: { bytes: 2, dtype: 'int32', get: (view, at, little) => view.getInt16(at, little) },
  u2: { bytes: 2, dtype: 'int32', get: (view, at, little) => view.getUint16(at, little) },
  i4: { bytes: 4, dtype: 'int32', get: (view, at, little) => view.getInt32(at, little) },
  u4: { bytes: 4, dtype: 'int64', get: (view, at, little) => BigInt(view.getUint32(at, little)) },
  i8: { bytes: 8, dtype: 'int64', get: (view, at, little) => view.getBigInt64(at, little) },
  u8: { bytes: 8, dtype: 'int64', get: (view, at, little) => view.getBigUint64(at, little) },
  f2: {
    bytes: 2,
    dtype: 'float16',
    get: (view, at, little) =>
      decodeWords('float16', Uint16Array.of(view.getUint16(at, little)))[0]!,
  },
  f4: { bytes: 4, dtype: 'float32', get: (view, at, little) => view.getFloat32(at, little) },
  f8: { bytes: 8, dtype: 'float64', get: (view, at, little) => view.getFloat64(at, little) },
};

/**
 * Reads a file .npy. Integers of 8 and 16 bits with a sign become int32, unsigned ones of 32 and 64
 * bits int64.
 *
 * @throws FileError that names the file when it is missing, cut off, longer than its header
 *   declares, or holds anything but numbers: pickled objects are never read.
 */
export function readNpy(path: string): HostTensor {
  return parseNpy(path, readWhole(path, MOST_BYTES));
}

/** The arrays of a file .npz by their names, read when they are asked for. Throws as `readNpy`. */
export function readNpz(path: string): ReadonlyMap<string, () => HostTensor> {
  const entries = [...zipEntries(path, readWhole(path, MOST_BYTES))];
  return new Map(
    entries.flatMap(([name, read]) => {
      const array = /^(.*)\.npy$/.exec(name)?.[1];
      return array === undefined ? [] : [[array, () => parseNpy(`${path}: ${name}`, read())]];
    }),
  );
}

function parseNpy(path: string, bytes: Uint8Array): HostTensor {
  const { descr, isFortran, shape, start } = headerOf(path, bytes);
  const [, order, code] = /^([<>|=])([a-z]\d+)$/.exec(descr) ?? [];
  const type = TYPES[code ?? ''];
  if (type === undefined) {
    const objects = descr.includes('O')
      ? 'pickled objects, which are not read'
      : 'no plain numbers';
    throw new FileError(`${path}: has elements of ${descr}: ${objects}`);
  }
  const needed = shape.reduce((product, size) => product * size, type.bytes);
  if (needed !== bytes.length - start) {
    throw new FileError(
      `${path}: has ${bytes.length - start} bytes of data, but ${formatShape(shape)} of ` +
        `${type.bytes} bytes each take ${needed}`,
    );
  }
  const data = elements(path, bytes.subarray(start), type, order !== '>');
  return { dtype: type.dtype, shape, data: isFortran ? rowMajor(data, shape) : data };
}

/** `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`, as NumPy writes it. */
function headerOf(path: string, bytes: Uint8Array) {
  const isNpy = Buffer.from(bytes.subarray(0, 6)).toString('latin1') === '\x93NUMPY';
  const major = bytes[6] ?? 0;
  if (!isNpy || major < 1 || major > 3) throw new FileError(`${path}: is no .npy file`);
  const lengthBytes = major === 1 ? 2 : 4;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = 8 + lengthBytes;
  if (bytes.length < first) throw new FileError(`${path}: its header is cut off`);
  const start = first + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length) throw new FileError(`${path}: its header is cut off`);
  const text = Buffer.from(bytes.subarray(first, start)).toString('latin1');
  const descr = /'descr':\s*('[^']*'|\[.*\])/.exec(text)?.[1];
  const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const sizes = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (descr === undefined || fortran === undefined || sizes === undefined) {
    throw new FileError(`${path}: its header is not one of NumPy`);
  }
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  return { descr: descr.replaceAll("'", ''), isFortran: fortran === 'True', shape, start };
}

function elements(
  path: string,
  bytes: Uint8Array,
  { dtype, bytes: size, get }: ElementType,
  isLittle: boolean,
): HostArray {
  if (dtype === 'uint8') return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = hostArray(dtype, bytes.length / size);
  for (let i = 0; i < data.length; i++) {
    const value = get(view, i * size, isLittle);
    if (typeof value === 'bigint' && value >= 2n ** 63n) {
      throw new FileError(`${path}: element ${i} is ${value}, more than int64 holds`);
    }
    data[i] = value;
  }
  return data;
}

/** An array whose first dimension is the one of neighbours, as ours whose last one is. */
function rowMajor(data: HostArray, shape: readonly number[]): HostArray {
  const result = data.slice();
  const index = shape.map(() => 0);
  const steps = shape.map((_, axis) => numel(shape.slice(0, axis)));
  for (let i = 0; i < data.length; i++) {
    result[i] = data[index.reduce((sum, at, axis) => sum + at * steps[axis]!, 0)]!;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) {
      index[axis] = 0;
    }
  }
  return result;
}
