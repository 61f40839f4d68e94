/** Kernels without inputs. */

import { arity, check, type KernelCall, type Run } from './kernel.ts';

export function fill(call: KernelCall<'fill'>): Run {
  arity(call, 0);
  const { value } = call.attrs;
  return (_, [out]) => out!.fill(value);
}

export function arange(call: KernelCall<'arange'>): Run {
  arity(call, 0);
  check(call.outputs[0]!.shape.length === 1, 'the output must have one dimension');
  const { start, step } = call.attrs;
  return (_, [out]) => {
    for (let i = 0; i < out!.length; i++) out![i] = start + i * step;
  };
}
