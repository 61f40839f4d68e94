/**
 * Writes a state dict as `torch.save` pickles it: protocol 2, an OrderedDict of tensors that speak
 * of storages kept outside. The reader is `pickle.ts`.
 */

import type { DType } from '../../base/dtype.ts';
import type { Shape } from '../../base/shape.ts';
import { OP } from '../pickle/opcodes.ts';
import { storageName } from './storage.ts';

/** A contiguous tensor that is all of its storage. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  /** Of the storage; tensors that share it have the same. */
  readonly key: string;
  readonly elements: number;
}

/** The pickle of an OrderedDict with `tensors` in their order. */
export function pickleStateDict(tensors: Iterable<StoredTensor>): Uint8Array {
  const pickle = new Pickle();
  pickle.orderedDict();
  pickle.op(OP.MARK);
  for (const tensor of tensors) {
    pickle.text(tensor.name);
    pushTensor(pickle, tensor);
  }
  pickle.op(OP.SETITEMS);
  pickle.op(OP.STOP);
  return pickle.bytes();
}

/** _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks) */
function pushTensor(pickle: Pickle, { dtype, shape, key, elements }: StoredTensor): void {
  pickle.global('torch._utils', '_rebuild_tensor_v2');
  pickle.op(OP.MARK);
  pickle.op(OP.MARK);
  pickle.once('storage');
  pickle.global('torch', storageName(dtype));
  pickle.text(key);
  pickle.once('cpu');
  pickle.int(elements);
  pickle.op(OP.TUPLE);
  pickle.op(OP.BINPERSID);
  pickle.int(0);
  pickle.ints(shape);
  pickle.ints(strides(shape));
  pickle.op(OP.NEWFALSE);
  pickle.orderedDict();
  pickle.op(OP.TUPLE);
  pickle.op(OP.REDUCE);
}

/** In elements; PyTorch counts an empty axis as one. */
function strides(shape: Shape): number[] {
  let step = 1;
  const steps = shape.toReversed().map((length) => {
    const stride = step;
    step *= Math.max(length, 1);
    return stride;
  });
  return steps.reverse();
}

const TUPLES = [OP.EMPTY_TUPLE, OP.TUPLE1, OP.TUPLE2, OP.TUPLE3];

class Pickle {
  readonly #parts: Uint8Array[] = [Uint8Array.of(OP.PROTO, 2)];
  /** What was written before is named by its place in this list. */
  readonly #memo = new Map<string, number>();

  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  op(code: number, ...operand: readonly number[]): void {
    this.#parts.push(Uint8Array.of(code, ...operand));
  }

  text(value: string): void {
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(5);
    length.writeUInt8(OP.BINUNICODE);
    length.writeUInt32LE(bytes.length, 1);
    this.#parts.push(length, bytes);
  }

  /** A text that returns. */
  once(value: string): void {
    this.#remembered(value, () => this.text(value));
  }

  global(module: string, name: string): void {
    const lines = `${module}\n${name}\n`;
    this.#remembered(lines, () => {
      this.op(OP.GLOBAL);
      this.#parts.push(Buffer.from(lines));
    });
  }

  orderedDict(): void {
    this.global('collections', 'OrderedDict');
    this.op(OP.EMPTY_TUPLE);
    this.op(OP.REDUCE);
  }

  /** A whole number of at least 0. */
  int(value: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    if (value < 2 ** 8) this.op(OP.BININT1, value);
    else if (value < 2 ** 16) this.op(OP.BININT2, ...bytes.subarray(0, 2));
    else if (value < 2 ** 31) this.op(OP.BININT, ...bytes.subarray(0, 4));
    else this.op(OP.LONG1, bytes.length, ...bytes);
  }

  ints(values: readonly number[]): void {
    const short = TUPLES[values.length];
    if (short === undefined) this.op(OP.MARK);
    for (const value of values) this.int(value);
    this.op(short ?? OP.TUPLE);
  }

  /** There are fewer than 256 of them: a few texts and one name for each dtype. */
  #remembered(key: string, write: () => void): void {
    const place = this.#memo.get(key);
    if (place !== undefined) {
      this.op(OP.BINGET, place);
      return;
    }
    write();
    this.op(OP.BINPUT, this.#memo.size);
    this.#memo.set(key, this.#memo.size);
  }
}
