/**
 * Folds what is done to a kernel's result into the kernel: a bias along its channels, a tensor of
 * its shape, ReLU. A pointwise call is folded when it alone reads the result (through aliases, if
 * need be) and its other operand is there before the kernel runs. What a kernel takes is declared
 * in `EPILOGUES`.
 */

import { numel, type Shape, sameShape } from '../base/shape.ts';
import { EPILOGUES, type Epilogue } from '../engine/kernels.ts';
import type { Call, IR } from './ir.ts';
import { removeDead, substitute } from './ir.ts';

/** The order in which a kernel does them, each at most once. */
const ORDER: readonly Epilogue[] = ['bias', 'add', 'relu'];

export function foldEpilogues(ir: IR): void {
  const values = new Values(ir);
  const replacement = new Map<number, number>();
  for (const call of ir.calls) {
    if (call.fn !== 'add' && call.fn !== 'relu') continue;
    // Of two candidates the later one can take the other as its operand.
    const operands = call.inputs
      .map((input) => ({ input, maker: values.maker(input) }))
      .filter(({ maker }) => maker !== undefined && EPILOGUES[values.calls[maker]!.kernel])
      .sort((a, b) => b.maker! - a.maker!);
    const taken = operands.find(({ input, maker }) => fold(values, call, input, maker!));
    if (taken === undefined) continue;
    replacement.set(call.outputs[0]!, taken.input);
    values.rename(call.outputs[0]!, taken.input);
  }
  ir.calls = values.calls;
  substitute(ir, replacement);
  removeDead(ir);
}

/** Folds `call`, which reads `operand`, into the call at `at`. Says whether it could. */
function fold(values: Values, call: Call, operand: number, at: number): boolean {
  const target = values.calls[at]!;
  const type = values.ir.types[call.outputs[0]!]!;
  const own = values.ir.types[operand]!;
  if (type.dtype !== own.dtype || !sameShape(type.shape, own.shape)) return false;
  if (call.fn === 'relu') return extend(values, at, call.label, 'relu');

  const other = call.inputs.find((input) => input !== operand);
  if (other === undefined || values.ir.types[other]!.dtype !== type.dtype) return false;
  const out = values.ir.types[target.outputs[0]!]!.shape;
  if (sameShape(values.ir.types[other]!.shape, out) && sameShape(own.shape, out)) {
    return extend(values, at, call.label, 'add', other);
  }
  const bias = values.unbroadcast(other);
  return isAlongChannels(values, bias, own.shape, out, EPILOGUES[target.kernel]!.channel)
    ? extend(values, at, call.label, 'bias', values.flat(bias))
    : false;
}

/** Adds `part` to the call at `at`, if it takes it and its operand exists by then. */
function extend(
  values: Values,
  at: number,
  label: string,
  part: Epilogue,
  operand?: number,
): boolean {
  const call = values.calls[at]!;
  const done = (call.attrs.epilogue ?? []) as readonly Epilogue[];
  const last = done.at(-1);
  const { parts, channel } = EPILOGUES[call.kernel]!;
  if (!parts.includes(part)) return false;
  if (last !== undefined && ORDER.indexOf(last) >= ORDER.indexOf(part)) return false;
  if (operand !== undefined && !values.existsBefore(operand, at)) return false;
  const along: Call['attrs'] = part === 'bias' ? { channel } : {};
  values.calls[at] = {
    ...call,
    attrs: { ...call.attrs, epilogue: [...done, part], ...along },
    inputs: operand === undefined ? call.inputs : [...call.inputs, operand],
    label: `${call.label} + ${label}`,
  };
  return true;
}

/**
 * Does `bias`, broadcast to `shape`, have one value for each channel of `out`? `shape` and `out`
 * are the same elements, perhaps split into dimensions differently.
 */
function isAlongChannels(
  values: Values,
  bias: number,
  shape: Shape,
  out: Shape,
  channel: number,
): boolean {
  const sizes = values.ir.types[bias]!.shape;
  const long = sizes.flatMap((size, dim) =>
    size === 1 ? [] : [dim + shape.length - sizes.length],
  );
  const at = channel < 0 ? out.length + channel : channel;
  return (
    long.length === 1 &&
    numel(sizes) === out[at] &&
    values.ir.types[values.flat(bias)]!.shape.length === 1 &&
    numel(shape.slice(long[0]! + 1)) === numel(out.slice(at + 1))
  );
}

/** What is known about values while calls are being folded. */
class Values {
  readonly calls: Call[];
  /** Place in `calls` of the call that makes a value. */
  readonly #made = new Map<number, number>();
  readonly #reads = new Map<number, number>();
  readonly #renamed = new Map<number, number>();

  constructor(readonly ir: IR) {
    this.calls = [...ir.calls];
    for (const [place, call] of this.calls.entries()) {
      for (const output of call.outputs) this.#made.set(output, place);
      for (const input of call.inputs) this.#read(input);
    }
    for (const root of ir.roots) this.#read(root);
  }

  /** `value` was folded away; `by` takes its place and its readers. */
  rename(value: number, by: number): void {
    const root = this.#resolve(by);
    this.#renamed.set(value, root);
    this.#reads.set(root, this.#reads.get(value) ?? 0);
  }

  /** Where the call stands whose first output reaches `value` alone, through aliases. */
  maker(value: number): number | undefined {
    for (let current = value; ; ) {
      current = this.#resolve(current);
      const place = this.#made.get(current);
      if (place === undefined || this.#reads.get(current) !== 1) return undefined;
      const call = this.calls[place]!;
      if (call.kernel !== 'alias') return call.outputs[0] === current ? place : undefined;
      current = call.inputs[0]!;
    }
  }

  /** `value` in front of its expansions. */
  unbroadcast(value: number): number {
    return this.#follow(value, (call) => call.broadcasts === true);
  }

  /** `value` in front of its changes of shape. */
  flat(value: number): number {
    return this.#follow(value, (call) => call.kernel === 'alias');
  }

  existsBefore(value: number, place: number): boolean {
    return (this.#made.get(this.#resolve(value)) ?? -1) < place;
  }

  #follow(value: number, through: (call: Call) => boolean): number {
    for (let current = this.#resolve(value); ; ) {
      const call = this.calls[this.#made.get(current) ?? -1];
      if (call === undefined || !through(call)) return current;
      current = this.#resolve(call.inputs[0]!);
    }
  }

  #resolve(value: number): number {
    let current = value;
    for (let next = this.#renamed.get(current); next !== undefined; ) {
      current = next;
      next = this.#renamed.get(current);
    }
    return current;
  }

  #read(value: number): void {
    this.#reads.set(value, (this.#reads.get(value) ?? 0) + 1);
  }
}
