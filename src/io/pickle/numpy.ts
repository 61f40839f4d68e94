/**
 * Arrays of bytes in pickles: what NumPy's own functions make of their arguments, and nothing else.
 * https://github.com/numpy/numpy/blob/main/numpy/_core/src/multiarray/methods.c (array_reduce)
 */

import { FileError } from '../../base/errors.ts';
import { formatShape, numel } from '../../base/shape.ts';
import { readWhole } from '../source.ts';
import { type Callable, type Fillable, Tuple, Unpickler } from './pickle.ts';

const BYTE = 'u1';

/** An array of bytes, row-major. */
export interface ByteArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** `numpy.dtype`, whose state says no more of bytes than its name. */
class PickledType implements Fillable {
  setState(): void {}
}

/** `numpy.ndarray`, empty until its state is set. */
export class PickledArray implements Fillable {
  #contents: ByteArray | undefined;
  #isFortran = false;

  /** (version, shape, dtype, whether the first dimension moves fastest, bytes). */
  setState(state: unknown): void {
    const [, shape, type, isFortran, data] = state instanceof Tuple ? state : [];
    if (!(type instanceof PickledType)) throw new Error('an array has no dtype');
    if (!(shape instanceof Tuple) || !shape.every(isSize)) throw new Error('an array has no shape');
    if (!(data instanceof Uint8Array)) throw new Error('an array has no bytes');
    const sizes = [...shape] as number[];
    if (numel(sizes) !== data.length) {
      throw new Error(`an array of ${formatShape(sizes)} has ${data.length} bytes`);
    }
    this.#isFortran = isFortran === true || isFortran === 1;
    if (this.#isFortran && sizes.length > 2) throw new Error('an array is not row-major');
    this.#contents = { shape: sizes, data };
  }

  /** Nothing where the pickle has set no state. */
  contents(): ByteArray | undefined {
    if (!this.#isFortran || this.#contents === undefined) return this.#contents;
    const { shape, data } = this.#contents;
    return { shape, data: rowMajor(data, shape[0] ?? 1) };
  }
}

const isSize = (size: unknown) => Number.isSafeInteger(size) && (size as number) >= 0;

/** Of a matrix whose first dimension moves fastest. */
function rowMajor(data: Uint8Array, rows: number): Uint8Array {
  const result = new Uint8Array(data.length);
  const columns = data.length / Math.max(1, rows);
  for (let j = 0; j < columns; j++) {
    for (let i = 0; i < rows; i++) result[i * columns + j] = data[j * rows + i]!;
  }
  return result;
}

const NDARRAY = {};

const dtype: Callable = {
  call: ([name]) => {
    const text = textOf(name);
    if (text === BYTE) return new PickledType();
    throw new Error(`an array is of ${text?.slice(0, 20) ?? 'no type'}, not of bytes (${BYTE})`);
  },
};

const reconstruct: Callable = {
  call: ([type]) => {
    if (type !== NDARRAY) throw new Error('an array is of no known class');
    return new PickledArray();
  },
};

const GLOBALS = new Map<string, unknown>([
  ['numpy.ndarray', NDARRAY],
  ['numpy.dtype', dtype],
  ['numpy.core.multiarray._reconstruct', reconstruct],
  ['numpy._core.multiarray._reconstruct', reconstruct], // since NumPy 2
]);

function globalNamed(module: string, name: string): unknown {
  const found = GLOBALS.get(`${module}.${name}`);
  if (found !== undefined) return found;
  const asked = `${module}.${name}`.slice(0, 100);
  throw new Error(`it asks for ${asked}, which is no part of plain arrays of bytes`);
}

/** A string of Python 2 or 3; nothing for anything else. */
function textOf(value: unknown): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  return typeof value === 'string' ? value : undefined;
}

/**
 * Reads a pickled dictionary by those of its keys that are strings: lists as arrays, arrays of
 * bytes as `PickledArray`, Python 2's strings as bytes. Nothing in the file is executed.
 *
 * @throws FileError that names the file when it has more than `bytes`, holds more than `values`, or
 *   anything but plain values and arrays of bytes.
 */
export function readPickledDictionary(
  path: string,
  most: { readonly bytes: number; readonly values: number },
): Map<string, unknown> {
  const pickle = new Unpickler(path, readWhole(path, most.bytes), {
    global: globalNamed,
    persistent: () => {
      throw new Error('something is kept outside of the file');
    },
    strings: 'bytes',
    most: most.values,
  });
  const value = pickle.read();
  if (!(value instanceof Map)) throw new FileError(`${path}: holds no dictionary`);
  const found = new Map<string, unknown>();
  for (const [key, item] of value) {
    const name = textOf(key);
    if (name !== undefined) found.set(name, item);
  }
  return found;
}
