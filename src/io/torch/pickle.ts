/**
 * A reader of Python's pickles that executes nothing. A pickle is a program for a stack machine;
 * this one runs its instructions on plain values and asks its caller what each global name stands
 * for. A name that the caller does not know ends the reading, as does everything else unusual.
 * https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */

import { FileError } from '../../base/errors.ts';

/** Something a pickle may call: what PyTorch's own functions make of their arguments. */
export interface Callable {
  call(args: readonly unknown[]): unknown;
}

export interface PickleWorld {
  /** What `module.name` stands for; throws for what is not allowed. */
  global(module: string, name: string): unknown;
  /** What is kept outside of the pickle under `id`. */
  persistent(id: unknown): unknown;
}

/** What a pickle calls a tuple. */
export class Tuple extends Array<unknown> {}

/** A reader over bytes that hold one pickle after the other. */
export class Unpickler {
  #at = 0;

  constructor(
    readonly file: string,
    readonly bytes: Uint8Array,
    readonly world: PickleWorld,
  ) {}

  /** Where the next pickle begins. */
  get position(): number {
    return this.#at;
  }

  /**
   * The next value: dictionaries as `Map`, lists as arrays, whole numbers beyond 2^53 as `bigint`.
   *
   * @throws FileError for an instruction that is unknown, cut off, or does not fit the stack.
   */
  read(): unknown {
    const machine = new Machine(this.bytes, this.#at, this.world);
    try {
      const value = machine.run();
      this.#at = machine.at;
      return value;
    } catch (error) {
      const reason = error instanceof RangeError ? 'it ends too early' : (error as Error).message;
      throw new FileError(`${this.file}: byte ${machine.at} of the pickle: ${reason}`);
    }
  }
}

const MARK = Symbol('mark');

/** More than any state dict nests; deeper ones would make later walks overflow. */
const MOST_STACK = 1_000_000;

class Machine {
  readonly #view: DataView;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    readonly world: PickleWorld,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  run(): unknown {
    for (;;) {
      const code = this.#view.getUint8(this.at++);
      if (code === STOP) return this.#pop();
      const instruction = INSTRUCTIONS.get(code);
      if (instruction === undefined) {
        throw new Error(`instruction 0x${code.toString(16)} is not part of a PyTorch file`);
      }
      instruction(this);
      if (this.#stack.length > MOST_STACK) throw new Error('its values are too many');
    }
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  #pop(): unknown {
    if (this.#stack.length === 0) throw new Error('its stack is empty');
    return this.#stack.pop();
  }

  pop(): unknown {
    const value = this.#pop();
    if (value === MARK) throw new Error('a value is missing');
    return value;
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  mark(): void {
    this.push(MARK);
  }

  /** Everything above the last mark. */
  popToMark(): unknown[] {
    const start = this.#stack.lastIndexOf(MARK);
    if (start < 0) throw new Error('a mark is missing');
    return this.#stack.splice(start).slice(1);
  }

  remember(key: number): void {
    this.#memo.set(key, this.top());
  }

  get memoSize(): number {
    return this.#memo.size;
  }

  recall(key: number): void {
    if (!this.#memo.has(key)) throw new Error(`nothing was remembered as ${key}`);
    this.push(this.#memo.get(key));
  }

  uint(size: 1 | 2 | 4): number {
    const value =
      size === 1
        ? this.#view.getUint8(this.at)
        : size === 2
          ? this.#view.getUint16(this.at, true)
          : this.#view.getUint32(this.at, true);
    this.at += size;
    return value;
  }

  int32(): number {
    const value = this.#view.getInt32(this.at, true);
    this.at += 4;
    return value;
  }

  uint64(): number {
    const value = this.#view.getBigUint64(this.at, true);
    if (value > this.bytes.length) throw new RangeError('beyond the end');
    this.at += 8;
    return Number(value);
  }

  float64(): number {
    const value = this.#view.getFloat64(this.at);
    this.at += 8;
    return value;
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.at) throw new RangeError('beyond the end');
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(length: number): string {
    return UTF8.decode(this.take(length));
  }

  /** Up to the end of the line. */
  line(): string {
    const end = this.bytes.indexOf(NEWLINE, this.at);
    if (end < 0) throw new RangeError('beyond the end');
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** Whole numbers of any length, two's complement, little-endian. */
  long(length: number): number | bigint {
    if (length > MOST_LONG) throw new Error(`a whole number has ${length} bytes`);
    let value = 0n;
    for (const byte of this.take(length).toReversed()) value = (value << 8n) | BigInt(byte);
    return shortened(BigInt.asIntN(length * 8, value));
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const NEWLINE = 10;
const STOP = 0x2e;
/** PyTorch's magic number has 10 bytes. */
const MOST_LONG = 64;

function shortened(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

type Instruction = (machine: Machine) => unknown;

function setItems(machine: Machine, items: readonly unknown[]): void {
  const target = machine.top();
  if (!(target instanceof Map)) throw new Error('items are set of what is no dictionary');
  if (items.length % 2 !== 0) throw new Error('a key has no value');
  for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
}

function append(machine: Machine, items: readonly unknown[]): void {
  const target = machine.top();
  if (!Array.isArray(target) || target instanceof Tuple) {
    throw new Error('items are appended to what is no list');
  }
  for (const item of items) target.push(item);
}

function tuple(items: readonly unknown[]): Tuple {
  const made = new Tuple();
  for (const item of items) made.push(item);
  return made;
}

function reduce(machine: Machine): void {
  const args = machine.pop();
  const callable = machine.pop();
  if (!(args instanceof Tuple)) throw new Error('arguments are no tuple');
  if (!isCallable(callable)) throw new Error('something is called that is no function');
  machine.push(callable.call(args));
}

function isCallable(value: unknown): value is Callable {
  return typeof value === 'object' && value !== null && 'call' in value;
}

/** What an object's attributes are set to is of no use here: only dictionaries may have some. */
function build(machine: Machine): void {
  machine.pop();
  if (!(machine.top() instanceof Map)) throw new Error('the state of an object is not read');
}

function stackGlobal(machine: Machine): void {
  const [name, module] = [machine.pop(), machine.pop()];
  if (typeof name !== 'string' || typeof module !== 'string') throw new Error('a name is no text');
  machine.push(machine.world.global(module, name));
}

/** A number written out; `01` and `00` are true and false. */
function decimal(machine: Machine): void {
  const text = machine.line().replace(/L$/, '');
  if (!/^-?\d{1,40}$/.test(text)) throw new Error('a number is malformed');
  const isTruth = text === '01' || text === '00';
  machine.push(isTruth ? text === '01' : shortened(BigInt(text)));
}

function popTuple(machine: Machine, length: number): void {
  const items = Array.from({ length }, () => machine.pop());
  machine.push(tuple(items.reverse()));
}

function makeDictionary(machine: Machine): void {
  const items = machine.popToMark();
  machine.push(new Map());
  setItems(machine, items);
}

/** By their codes; the names are those of Python's `pickletools`. */
const INSTRUCTIONS = new Map<number, Instruction>([
  [0x80, (m) => m.uint(1)], // PROTO
  [0x95, (m) => m.uint64()], // FRAME
  [0x28, (m) => m.mark()], // MARK
  [0x30, (m) => m.pop()], // POP
  [0x31, (m) => m.popToMark()], // POP_MARK
  [0x32, (m) => m.push(m.top())], // DUP
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x49, decimal], // INT
  [0x4c, decimal], // LONG
  [0x4a, (m) => m.push(m.int32())], // BININT
  [0x4b, (m) => m.push(m.uint(1))], // BININT1
  [0x4d, (m) => m.push(m.uint(2))], // BININT2
  [0x8a, (m) => m.push(m.long(m.uint(1)))], // LONG1
  [0x8b, (m) => m.push(m.long(m.uint(4)))], // LONG4
  [0x47, (m) => m.push(m.float64())], // BINFLOAT
  [0x58, (m) => m.push(m.text(m.uint(4)))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.uint(1)))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.uint64()))], // BINUNICODE8
  [0x56, (m) => m.push(m.line())], // UNICODE
  [0x54, (m) => m.push(m.text(m.uint(4)))], // BINSTRING, of Python 2
  [0x55, (m) => m.push(m.text(m.uint(1)))], // SHORT_BINSTRING, of Python 2
  [0x42, (m) => m.push(m.take(m.uint(4)))], // BINBYTES
  [0x43, (m) => m.push(m.take(m.uint(1)))], // SHORT_BINBYTES
  [0x8e, (m) => m.push(m.take(m.uint64()))], // BINBYTES8
  [0x5d, (m) => m.push([])], // EMPTY_LIST
  [0x6c, (m) => m.push(m.popToMark())], // LIST
  [0x61, (m) => append(m, [m.pop()])], // APPEND
  [0x65, (m) => append(m, m.popToMark())], // APPENDS
  [0x29, (m) => m.push(tuple([]))], // EMPTY_TUPLE
  [0x74, (m) => m.push(tuple(m.popToMark()))], // TUPLE
  [0x85, (m) => popTuple(m, 1)], // TUPLE1
  [0x86, (m) => popTuple(m, 2)], // TUPLE2
  [0x87, (m) => popTuple(m, 3)], // TUPLE3
  [0x7d, (m) => m.push(new Map())], // EMPTY_DICT
  [0x64, makeDictionary], // DICT
  [0x73, (m) => setItems(m, [m.pop(), m.pop()].reverse())], // SETITEM
  [0x75, (m) => setItems(m, m.popToMark())], // SETITEMS
  [0x8f, (m) => m.push([])], // EMPTY_SET
  [0x90, (m) => append(m, m.popToMark())], // ADDITEMS
  [0x67, (m) => m.recall(Number(m.line()))], // GET
  [0x68, (m) => m.recall(m.uint(1))], // BINGET
  [0x6a, (m) => m.recall(m.uint(4))], // LONG_BINGET
  [0x70, (m) => m.remember(Number(m.line()))], // PUT
  [0x71, (m) => m.remember(m.uint(1))], // BINPUT
  [0x72, (m) => m.remember(m.uint(4))], // LONG_BINPUT
  [0x94, (m) => m.remember(m.memoSize)], // MEMOIZE
  [0x63, (m) => m.push(m.world.global(m.line(), m.line()))], // GLOBAL
  [0x93, stackGlobal], // STACK_GLOBAL
  [0x52, reduce], // REDUCE
  [0x81, reduce], // NEWOBJ
  [0x62, build], // BUILD
  [0x51, (m) => m.push(m.world.persistent(m.pop()))], // BINPERSID
]);
