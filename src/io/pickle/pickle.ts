/**
 * A reader of Python's pickles that executes nothing. A pickle is a program for a stack machine;
 * this one runs its instructions on plain values and asks its caller what each global name stands
 * for. A name that the caller does not know ends the reading, as does everything else unusual.
 * https://github.com/python/cpython/blob/main/Lib/pickletools.py
 */

import { FileError } from '../../base/errors.ts';
import { OP } from './opcodes.ts';

/** Something a pickle may call: what a library's own functions make of their arguments. */
export interface Callable {
  call(args: readonly unknown[]): unknown;
}

/** An object that a pickle makes first and fills later. */
export interface Fillable {
  setState(state: unknown): void;
}

export interface PickleWorld {
  /** What `module.name` stands for; throws for what is not allowed. */
  global(module: string, name: string): unknown;
  /** What is kept outside of the pickle under `id`. */
  persistent(id: unknown): unknown;
  /** What Python 2's strings of bytes become, as Python's `encoding`. Default: text in UTF-8. */
  readonly strings?: 'text' | 'bytes';
  /** How many values the pickle may make, where that is known. */
  readonly most?: number;
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
      // A name in the file may hold anything; what is said of it is one line.
      const line = reason.replaceAll(/\p{Cc}+/gu, ' ');
      throw new FileError(`${this.file}: byte ${machine.at} of the pickle: ${line}`);
    }
  }
}

const MARK = Symbol('mark');

/** More than any state dict nests; deeper ones would make later walks overflow. */
const MOST_STACK = 1_000_000;
const TOO_MANY = 'its values are too many';

class Machine {
  readonly #view: DataView;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #made = 0;

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
      if (code === OP.STOP) return this.#pop();
      const instruction = INSTRUCTIONS.get(code);
      if (instruction === undefined) {
        throw new Error(`instruction 0x${code.toString(16)} is not one of plain data`);
      }
      instruction(this);
      if (this.#stack.length > MOST_STACK) throw new Error(TOO_MANY);
    }
  }

  push(value: unknown): void {
    const { most = Infinity } = this.world;
    if (++this.#made > most) throw new Error(TOO_MANY);
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
    this.#stack.push(value);
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

  /** A string of Python 2. */
  string(length: number): string | Uint8Array {
    return this.world.strings === 'bytes' ? this.take(length) : this.text(length);
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

/** What a dictionary's attributes are set to is of no use here. */
function build(machine: Machine): void {
  const state = machine.pop();
  const target = machine.top();
  if (isFillable(target)) target.setState(state);
  else if (!(target instanceof Map)) throw new Error('the state of an object is not read');
}

function isFillable(value: unknown): value is Fillable {
  return typeof value === 'object' && value !== null && 'setState' in value;
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

const INSTRUCTIONS = new Map<number, Instruction>([
  [OP.PROTO, (m) => m.uint(1)],
  [OP.FRAME, (m) => m.uint64()],
  [OP.MARK, (m) => m.mark()],
  [OP.POP, (m) => m.pop()],
  [OP.POP_MARK, (m) => m.popToMark()],
  [OP.DUP, (m) => m.push(m.top())],
  [OP.NONE, (m) => m.push(null)],
  [OP.NEWTRUE, (m) => m.push(true)],
  [OP.NEWFALSE, (m) => m.push(false)],
  [OP.INT, decimal],
  [OP.LONG, decimal],
  [OP.BININT, (m) => m.push(m.int32())],
  [OP.BININT1, (m) => m.push(m.uint(1))],
  [OP.BININT2, (m) => m.push(m.uint(2))],
  [OP.LONG1, (m) => m.push(m.long(m.uint(1)))],
  [OP.LONG4, (m) => m.push(m.long(m.uint(4)))],
  [OP.BINFLOAT, (m) => m.push(m.float64())],
  [OP.BINUNICODE, (m) => m.push(m.text(m.uint(4)))],
  [OP.SHORT_BINUNICODE, (m) => m.push(m.text(m.uint(1)))],
  [OP.BINUNICODE8, (m) => m.push(m.text(m.uint64()))],
  [OP.UNICODE, (m) => m.push(m.line())],
  [OP.BINSTRING, (m) => m.push(m.string(m.uint(4)))],
  [OP.SHORT_BINSTRING, (m) => m.push(m.string(m.uint(1)))],
  [OP.BINBYTES, (m) => m.push(m.take(m.uint(4)))],
  [OP.SHORT_BINBYTES, (m) => m.push(m.take(m.uint(1)))],
  [OP.BINBYTES8, (m) => m.push(m.take(m.uint64()))],
  [OP.EMPTY_LIST, (m) => m.push([])],
  [OP.LIST, (m) => m.push(m.popToMark())],
  [OP.APPEND, (m) => append(m, [m.pop()])],
  [OP.APPENDS, (m) => append(m, m.popToMark())],
  [OP.EMPTY_TUPLE, (m) => m.push(tuple([]))],
  [OP.TUPLE, (m) => m.push(tuple(m.popToMark()))],
  [OP.TUPLE1, (m) => popTuple(m, 1)],
  [OP.TUPLE2, (m) => popTuple(m, 2)],
  [OP.TUPLE3, (m) => popTuple(m, 3)],
  [OP.EMPTY_DICT, (m) => m.push(new Map())],
  [OP.DICT, makeDictionary],
  [OP.SETITEM, (m) => setItems(m, [m.pop(), m.pop()].reverse())],
  [OP.SETITEMS, (m) => setItems(m, m.popToMark())],
  [OP.EMPTY_SET, (m) => m.push([])],
  [OP.ADDITEMS, (m) => append(m, m.popToMark())],
  [OP.GET, (m) => m.recall(Number(m.line()))],
  [OP.BINGET, (m) => m.recall(m.uint(1))],
  [OP.LONG_BINGET, (m) => m.recall(m.uint(4))],
  [OP.PUT, (m) => m.remember(Number(m.line()))],
  [OP.BINPUT, (m) => m.remember(m.uint(1))],
  [OP.LONG_BINPUT, (m) => m.remember(m.uint(4))],
  [OP.MEMOIZE, (m) => m.remember(m.memoSize)],
  [OP.GLOBAL, (m) => m.push(m.world.global(m.line(), m.line()))],
  [OP.STACK_GLOBAL, stackGlobal],
  [OP.REDUCE, reduce],
  [OP.NEWOBJ, reduce],
  [OP.BUILD, build],
  [OP.BINPERSID, (m) => m.push(m.world.persistent(m.pop()))],
]);
