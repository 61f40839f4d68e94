/** What a kernel does to its first output before storing it, as one pass over it afterwards. */

import { numel } from '../../base/shape.ts';
import { EPILOGUES, type Epilogue, type KernelName, type WithEpilogue } from '../kernels.ts';
import { check, checkDtype, checkShape, type KernelFunction } from './kernel.ts';

/** `kernel`, one of `EPILOGUES`, followed by the call's epilogue. */
export function withEpilogue<K extends KernelName>(
  name: K,
  kernel: KernelFunction<K>,
): KernelFunction<K> {
  const { parts, channel } = EPILOGUES[name]!;
  return (call) => {
    const epilogue: readonly Epilogue[] = (call.attrs as WithEpilogue).epilogue ?? [];
    const known = parts.filter((part) => epilogue.includes(part));
    check(
      known.join() === epilogue.join(),
      `takes the epilogue [${parts}], each at most once and in this order, got [${epilogue}]`,
    );
    const operands: readonly Epilogue[] = epilogue.filter((part) => part !== 'relu');
    const own = Math.max(0, call.inputs.length - operands.length);
    const run = kernel({ ...call, inputs: call.inputs.slice(0, own) });

    const { shape, dtype } = call.outputs[0]!;
    const at = channel < 0 ? shape.length + channel : channel;
    const inner = numel(shape.slice(at + 1));
    operands.forEach((part, i) => {
      const given = call.inputs[own + i];
      check(given !== undefined, `the epilogue's ${part} is missing`);
      checkShape(part, given.shape, part === 'bias' ? [shape[at]!] : shape);
      checkDtype(part, given.dtype, dtype);
    });
    const apply: Record<Epilogue, (out: Float64Array, operand: Float64Array) => void> = {
      bias: (out, bias) => {
        for (let i = 0; i < out.length; i++) {
          out[i]! += bias[Math.floor(i / inner) % bias.length]!;
        }
      },
      add: (out, other) => {
        for (let i = 0; i < out.length; i++) out[i]! += other[i]!;
      },
      relu: (out) => {
        for (let i = 0; i < out.length; i++) if (out[i]! <= 0) out[i] = 0;
      },
    };
    return (inputs, outputs) => {
      run(inputs.slice(0, own), outputs);
      for (const part of epilogue) {
        apply[part](outputs[0]!, inputs[own + operands.indexOf(part)]!);
      }
    };
  };
}
