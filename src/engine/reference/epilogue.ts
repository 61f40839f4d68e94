/** What a kernel does to its first output before storing it, as one pass over it afterwards. */

import { numel } from '../../base/shape.ts';
import {
  EPILOGUE_OPERANDS,
  EPILOGUES,
  type Epilogue,
  type KernelName,
  type WithEpilogue,
} from '../kernels.ts';
import type { ValueType } from '../program.ts';
import { check, checkDtype, checkShape, type KernelCall, type KernelFunction } from './kernel.ts';
import { gelu, geluDerivative, geluTanh, geluTanhDerivative } from './special.ts';

type Part = (out: Float64Array, operand: Float64Array | undefined, inner: number) => void;

const APPLY: Record<Epilogue, Part> = {
  bias: (out, bias, inner) => {
    for (let i = 0; i < out.length; i++) out[i]! += bias![Math.floor(i / inner) % bias!.length]!;
  },
  add: (out, other) => {
    for (let i = 0; i < out.length; i++) out[i]! += other![i]!;
  },
  relu: (out) => {
    for (let i = 0; i < out.length; i++) if (out[i]! <= 0) out[i] = 0;
  },
  gelu: (out) => {
    for (let i = 0; i < out.length; i++) out[i] = gelu(out[i]!);
  },
  gelu_tanh: (out) => {
    for (let i = 0; i < out.length; i++) out[i] = geluTanh(out[i]!);
  },
  mul: (out, other) => {
    for (let i = 0; i < out.length; i++) out[i]! *= other![i]!;
  },
};

/** `kernel`, one of `EPILOGUES`, followed by the call's epilogue. */
export function withEpilogue<K extends KernelName>(
  name: K,
  kernel: KernelFunction<K>,
): KernelFunction<K> {
  const { parts, channel } = EPILOGUES[name]!;
  return (call) => {
    const epilogue: readonly Epilogue[] = (call.attrs as WithEpilogue).epilogue ?? [];
    const known = parts.filter((part) => epilogue.includes(part));
    const kinds = epilogue.filter((part) => part === 'gelu' || part === 'gelu_tanh');
    check(
      known.join() === epilogue.join() && kinds.length <= 1,
      `takes the epilogue [${parts}], each at most once and in this order, got [${epilogue}]`,
    );
    const operands = epilogue.filter((part) => EPILOGUE_OPERANDS.includes(part));
    const own = Math.max(0, call.inputs.length - operands.length);
    const derives = kinds.length === 1 && call.outputs.length === 2;
    const outputs = derives ? call.outputs.slice(0, 1) : call.outputs;
    const run = kernel({ ...call, inputs: call.inputs.slice(0, own), outputs });

    const { shape } = call.outputs[0]!;
    const at = channel < 0 ? shape.length + channel : channel;
    const inner = numel(shape.slice(at + 1));
    checkOperands(call, operands, own, shape[at]!);
    if (derives) checkLike("gelu's derivative", call.outputs[1]!, call.outputs[0]!);
    const derivative = kinds[0] === 'gelu' ? geluDerivative : geluTanhDerivative;
    return (inputs, outs) => {
      run(inputs.slice(0, own), outs);
      for (const part of epilogue) {
        if (derives && part === kinds[0]) outs[1]!.set(outs[0]!.map(derivative));
        APPLY[part](outs[0]!, inputs[own + operands.indexOf(part)], inner);
      }
    };
  };
}

/** The operands of `parts` begin at input `own`. */
function checkOperands(
  { inputs, outputs }: KernelCall<KernelName>,
  parts: readonly Epilogue[],
  own: number,
  channels: number,
): void {
  const { shape, dtype } = outputs[0]!;
  parts.forEach((part, i) => {
    const given = inputs[own + i];
    check(given !== undefined, `the epilogue's ${part} is missing`);
    checkLike(part, given, { dtype, shape: part === 'bias' ? [channels] : shape });
  });
}

function checkLike(what: string, actual: ValueType, expected: ValueType): void {
  checkShape(what, actual.shape, expected.shape);
  checkDtype(what, actual.dtype, expected.dtype);
}
