/** What a compiled step may return, taken apart and put together again. */

import { CompileError } from '../base/errors.ts';
import { Tensor } from './tensor.ts';

/** What a step may return. */
export type StepResult =
  // biome-ignore lint/suspicious/noConfusingVoidType: what a step without `return` gives
  void | undefined | Tensor | readonly Tensor[] | Readonly<Record<string, Tensor>>;

/** Refuses what the types refuse too, for steps that are not written in TypeScript. */
function checkResult(name: string, result: unknown): void {
  if (result instanceof Promise) {
    throw new CompileError(`[${name}] the step is async; it is traced, so it must not wait`);
  }
  if (typeof result === 'object' && result !== null) return;
  throw new CompileError(
    `[${name}] the step returns ${result} which is not a Tensor; it would be frozen at the value ` +
      'it had while tracing',
  );
}

/** The tensors of a step's result, and how to build the same result from others. */
export function flatten(name: string, result: StepResult) {
  if (result === undefined) return { tensors: [], pack: () => undefined };
  checkResult(name, result);
  if (result instanceof Tensor) {
    return { tensors: [result], pack: (outputs: readonly Tensor[]) => outputs[0]! };
  }
  const keys = Object.keys(result);
  const tensors = Object.values(result as Record<string, Tensor>);
  for (const [i, tensor] of tensors.entries()) {
    if (tensor instanceof Tensor) continue;
    throw new CompileError(
      `[${name}] the step returns ${keys[i]} which is not a Tensor; numbers would be frozen at ` +
        'the value they had while tracing',
    );
  }
  if (Array.isArray(result)) return { tensors, pack: (outputs: readonly Tensor[]) => [...outputs] };
  return {
    tensors,
    pack: (outputs: readonly Tensor[]) =>
      Object.fromEntries(keys.map((key, i) => [key, outputs[i]!])),
  };
}
