/** The memory of PyTorch's tensors: storages of elements, and tensors as views of them. */

import type { DType, HostArray } from '../../base/dtype.ts';
import { decodeWords } from '../../base/half-width.ts';
import type { HostTensor } from '../host-tensor.ts';

/** A dtype of PyTorch's: what it is read as, and how. */
export interface ElementType {
  /** As after `torch.`. */
  readonly name: string;
  readonly itemsize: number;
  /** The narrowest of ours that holds all its values. */
  readonly dtype: DType;
  /** The elements of little-endian bytes, which are aligned and of a whole number of them. */
  decode(bytes: ArrayBuffer): HostArray;
  /** The class of its storages, as after `torch.`; newer types have none. */
  readonly storage?: string | undefined;
}

/** The value of each byte of an 8-bit float; source: https://arxiv.org/abs/2209.05433 */
function floatOfByte(byte: number, exponentBits: number, finite: boolean): number {
  const mantissaBits = 7 - exponentBits;
  const sign = byte & 0x80 ? -1 : 1;
  const exponent = (byte & 0x7f) >> mantissaBits;
  const mantissa = byte & (2 ** mantissaBits - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  const largest = 2 ** exponentBits - 1;
  if (finite ? (byte & 0x7f) === 0x7f : exponent === largest && mantissa > 0) return Number.NaN;
  if (!finite && exponent === largest) return sign * Number.POSITIVE_INFINITY;
  const fraction = mantissa / 2 ** mantissaBits;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias);
  return sign * (1 + fraction) * 2 ** (exponent - bias);
}

function eightBits(exponentBits: number, finite: boolean): ElementType['decode'] {
  return (bytes) =>
    Float32Array.from(new Uint8Array(bytes), (byte) => floatOfByte(byte, exponentBits, finite));
}

/** Those that fit; one beyond 2^63 is refused. */
function unsignedLongs(bytes: ArrayBuffer): BigInt64Array {
  const values = new BigInt64Array(bytes);
  if (values.some((value) => value < 0n)) throw new Error('a value of uint64 is beyond 2^63');
  return values;
}

const row = (
  name: string,
  itemsize: number,
  dtype: DType,
  decode: ElementType['decode'],
  storage?: string,
): ElementType => ({ name, itemsize, dtype, decode, storage });

/** Every dtype of real numbers that PyTorch stores. */
export const ELEMENT_TYPES: readonly ElementType[] = [
  row('float32', 4, 'float32', (bytes) => new Float32Array(bytes), 'FloatStorage'),
  row('float64', 8, 'float64', (bytes) => new Float64Array(bytes), 'DoubleStorage'),
  row(
    'float16',
    2,
    'float16',
    (bytes) => decodeWords('float16', new Uint16Array(bytes)),
    'HalfStorage',
  ),
  row(
    'bfloat16',
    2,
    'bfloat16',
    (bytes) => decodeWords('bfloat16', new Uint16Array(bytes)),
    'BFloat16Storage',
  ),
  row('float8_e4m3fn', 1, 'float32', eightBits(4, true)),
  row('float8_e5m2', 1, 'float32', eightBits(5, false)),
  row('int64', 8, 'int64', (bytes) => new BigInt64Array(bytes), 'LongStorage'),
  row('int32', 4, 'int32', (bytes) => new Int32Array(bytes), 'IntStorage'),
  row('int16', 2, 'int32', (bytes) => Int32Array.from(new Int16Array(bytes)), 'ShortStorage'),
  row('int8', 1, 'int32', (bytes) => Int32Array.from(new Int8Array(bytes)), 'CharStorage'),
  row('uint8', 1, 'uint8', (bytes) => new Uint8Array(bytes), 'ByteStorage'),
  row('uint16', 2, 'int32', (bytes) => Int32Array.from(new Uint16Array(bytes))),
  row('uint32', 4, 'int64', (bytes) => BigInt64Array.from(new Uint32Array(bytes), BigInt)),
  row('uint64', 8, 'int64', unsignedLongs),
  row(
    'bool',
    1,
    'bool',
    (bytes) => new Uint8Array(bytes).map((byte) => Number(byte !== 0)),
    'BoolStorage',
  ),
];

/** The class of the storages of one of our dtypes. */
export function storageName(dtype: DType): string {
  return ELEMENT_TYPES.find(({ name }) => name === dtype)!.storage!;
}

/** A storage that a pickle speaks of: its bytes are elsewhere. */
export class Storage {
  constructor(
    readonly key: string,
    /** Of a storage whose type says nothing: bytes. */
    readonly type: ElementType | undefined,
    /** Elements, of `type`, or bytes. */
    readonly length: number,
  ) {}

  get bytes(): number {
    return this.length * (this.type?.itemsize ?? 1);
  }
}

/** A tensor as a pickle describes it; sizes and steps are in elements. */
export class View {
  constructor(
    readonly storage: Storage,
    readonly type: ElementType,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {}
}

/** An expanded view may be larger than its storage; up to here nobody minds. */
const MOST_EXPANDED = 2 ** 24;

/** What is wrong with a view, as far as it is known without the bytes. */
export function viewFault({ storage, type, offset, shape, stride }: View): string | undefined {
  const numbers = [offset, ...shape, ...stride];
  if (!numbers.every((value) => Number.isSafeInteger(value) && value >= 0)) {
    return 'its sizes are no whole numbers of at least 0';
  }
  if (shape.length !== stride.length) {
    return `it has ${shape.length} sizes, but ${stride.length} strides`;
  }
  const elements = Math.floor(storage.bytes / type.itemsize);
  const size = shape.reduce((product, length) => product * length, 1);
  const shown = `shape (${shape.join(', ')}), stride (${stride.join(', ')}), offset ${offset}`;
  if (size === 0) return undefined;
  const last = shape.reduce((sum, length, i) => sum + (length - 1) * stride[i]!, offset);
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(last)) {
    return `${shown}: more elements than can be counted`;
  }
  if (last >= elements) return `${shown} reaches beyond its storage of ${elements} elements`;
  if (size > Math.max(elements, MOST_EXPANDED)) {
    return `${shown} has ${size} elements, of a storage of ${elements}`;
  }
  return undefined;
}

/** The tensor that a checked view of `elements` is. */
export function contents({ type, offset, shape, stride }: View, elements: HostArray): HostTensor {
  const size = shape.reduce((product, length) => product * length, 1);
  if (isContiguous(shape, stride)) {
    return { dtype: type.dtype, shape, data: elements.slice(offset, offset + size) };
  }
  const data = new (elements.constructor as new (length: number) => HostArray)(size);
  const index = new Array<number>(shape.length).fill(0);
  let from = offset;
  for (let to = 0; to < size; to++) {
    data[to] = elements[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += stride[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      from -= shape[axis]! * stride[axis]!;
      index[axis] = 0;
    }
  }
  return { dtype: type.dtype, shape, data };
}

function isContiguous(shape: readonly number[], stride: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return true;
}
