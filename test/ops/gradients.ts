/** Runs a case forward and backward; the numbers of both. */

import { isFloating } from '../../src/base/dtype.ts';
import { isHalfWidth } from '../../src/base/half-width.ts';
import { numel } from '../../src/base/shape.ts';
import { grad, type Tensor, tensor } from '../../src/index.ts';
import { cotangent, type Input, listOf, numbersOf, type OpCase, tensorsOf } from './case.ts';

export interface Ran {
  readonly outputs: readonly Tensor[];
  readonly numbers: readonly (readonly number[])[];
  /** By input; `null` where there is none. */
  readonly gradients: readonly (readonly number[] | null)[];
}

/** On the current engine. Gradients are those of the outputs times `cotangent`, summed. */
export function runCase(opCase: OpCase, dtypeOf?: (input: Input) => Input['dtype']): Ran {
  const inputs = tensorsOf(opCase, dtypeOf).map((input) =>
    opCase.grad && isFloating(input.dtype) ? input.requires_grad_() : input,
  );
  const outputs = listOf(opCase.run(...inputs));
  const roots = outputs.filter((output) => output.requires_grad);
  const gradients =
    roots.length === 0
      ? inputs.map(() => null)
      : grad(roots, inputs, {
          grad_outputs: roots.map(({ shape, dtype }) => cotangentOf(shape, dtype)),
          allow_unused: true,
        });
  return {
    outputs,
    numbers: outputs.map(numbersOf),
    gradients: gradients.map((gradient) => gradient && numbersOf(gradient)),
  };
}

function cotangentOf(shape: Tensor['shape'], dtype: Tensor['dtype']): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(Float64Array.from(cotangent(count)), { shape, dtype });
}

/** The dtype in which a case is compared to the last digits: float32 becomes float64. */
export const exactly = ({ dtype }: Input): Input['dtype'] =>
  dtype === 'float32' ? 'float64' : dtype;

/** Whether finite differences can tell the case's gradient. */
export function differentiable({ inputs, grad, smooth }: OpCase): boolean {
  const floating = inputs.filter(({ dtype }) => dtype === 'float32' || dtype === 'float64');
  const narrow = inputs.some(({ dtype }) => isHalfWidth(dtype));
  return grad && smooth && !narrow && floating.some(({ shape }) => numel(shape) > 0);
}

/** The inputs of a case in float64, requiring gradients. */
export function leaves(opCase: OpCase): Tensor[] {
  return tensorsOf(opCase, exactly).map((x) => (isFloating(x.dtype) ? x.requires_grad_() : x));
}
