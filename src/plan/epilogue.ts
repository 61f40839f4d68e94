/**
 * Folds what is done to a kernel's result into the kernel: a bias along its channels, a tensor of
 * its shape added or multiplied, ReLU, GELU. A pointwise call is folded when it alone reads the
 * result (through aliases, if need be) and its other operand is there before the kernel runs. Where
 * backward reads GELU's derivative, the kernel gives that too, from the value it has in registers.
 * What a kernel takes is declared in `EPILOGUES`.
 */

import { numel, type Shape, sameShape } from '../base/shape.ts';
import { EPILOGUE_ORDER, EPILOGUES, type Epilogue } from '../engine/kernels.ts';
import { FoldedValues } from './folded-values.ts';
import type { Call, IR } from './ir.ts';
import { removeDead, substitute } from './ir.ts';

/** Functions that become parts of an epilogue. */
const FOLDABLE: readonly Call['fn'][] = ['add', 'mul', 'relu', 'gelu', 'gelu_tanh'];

export function foldEpilogues(ir: IR): void {
  const values = new FoldedValues(ir);
  const replacement = new Map<number, number>();
  for (const call of ir.calls) {
    if (!FOLDABLE.includes(call.fn)) continue;
    const derivative = values.reader(call.inputs[0]!, `${call.fn}_derivative`);
    // Of two candidates the later one can take the other as its operand.
    const operands = call.inputs
      .map((input) => ({ input, maker: values.maker(input, derivative === undefined ? 1 : 2) }))
      .filter(({ maker }) => maker !== undefined && EPILOGUES[values.calls[maker]!.kernel])
      .sort((a, b) => b.maker! - a.maker!);
    const taken = operands.find(({ input, maker }) => fold(values, call, input, maker!));
    if (taken === undefined) continue;
    if (derivative !== undefined) values.give(taken.maker!, derivative);
    replacement.set(call.outputs[0]!, taken.input);
    values.rename(call.outputs[0]!, taken.input);
  }
  ir.calls = values.list();
  substitute(ir, replacement);
  removeDead(ir);
}

/** Folds `call`, which reads `operand`, into the call at `at`. Says whether it could. */
function fold(values: FoldedValues, call: Call, operand: number, at: number): boolean {
  const target = values.calls[at]!;
  const type = values.ir.types[call.outputs[0]!]!;
  const own = values.ir.types[operand]!;
  if (type.dtype !== own.dtype || !sameShape(type.shape, own.shape)) return false;
  if (call.inputs.length === 1) return extend(values, at, call.label, call.fn as Epilogue);

  const other = call.inputs.find((input) => input !== operand);
  if (other === undefined || values.ir.types[other]!.dtype !== type.dtype) return false;
  const out = values.ir.types[target.outputs[0]!]!.shape;
  const bias = values.unbroadcast(other);
  if (
    call.fn === 'add' &&
    isAlongChannels(values, bias, own.shape, out, EPILOGUES[target.kernel]!.channel)
  ) {
    return extend(values, at, call.label, 'bias', bias);
  }
  return sameShape(values.ir.types[other]!.shape, own.shape)
    ? extend(values, at, call.label, call.fn as Epilogue, other)
    : false;
}

/** Adds `part` to the call at `at`, if it takes it and its operand exists by then. */
function extend(
  values: FoldedValues,
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
  if (last !== undefined && EPILOGUE_ORDER.indexOf(last) >= EPILOGUE_ORDER.indexOf(part)) {
    return false;
  }
  if (part.startsWith('gelu') && last?.startsWith('gelu')) return false;
  const inputs = [...call.inputs];
  if (operand !== undefined) {
    const flat = values.flat(operand);
    if (!values.existsBefore(flat, at)) return false;
    const { shape } = values.ir.types[call.outputs[0]!]!;
    inputs.push(part === 'bias' ? flat : values.reshaped(flat, shape, at));
  }
  const along: Call['attrs'] = part === 'bias' ? { channel } : {};
  values.calls[at] = {
    ...call,
    attrs: { ...call.attrs, epilogue: [...done, part], ...along },
    inputs,
    label: `${call.label} + ${label}`,
  };
  return true;
}

/**
 * Does `bias`, broadcast to `shape`, have one value for each channel of `out`? `shape` and `out`
 * are the same elements, perhaps split into dimensions differently.
 */
function isAlongChannels(
  values: FoldedValues,
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
