/** The one way a node comes into being: check the shapes, then add it to the graph. */

import { isFloating } from '../base/dtype.ts';
import { ArgumentError, opError } from '../base/errors.ts';
import { inspect } from './anomaly.ts';
import { isGradEnabled } from './grad-mode.ts';
import type { Op, Value } from './graph.ts';
import { Node, valueType } from './graph.ts';
import { Tensor } from './tensor.ts';

/** Calls `op`; its outputs as tensors. Throws the op's typed error when the inputs do not fit. */
export function applyAll<Attrs extends object>(
  op: Op<Attrs>,
  inputs: readonly Tensor[],
  attrs: Attrs,
): Tensor[] {
  const values = inputs.map((input) => operandOf(op.name, input));
  const outputs = op.infer(values.map(valueType), attrs);
  const requires_grad =
    isGradEnabled() &&
    outputs.some((output) => isFloating(output.dtype)) &&
    values.some((value) => value.node.requires_grad && isFloating(valueType(value).dtype));
  const node = new Node(op as unknown as Op, values, attrs, outputs, requires_grad);
  inspect(node);
  return outputs.map((_, index) => new Tensor({ node, index }));
}

/** What JavaScript lets through where the types say Tensor is a mistake of the caller's. */
function operandOf(op: string, input: Tensor): Value {
  if (input instanceof Tensor) return input.value;
  throw opError(
    ArgumentError,
    op,
    `expected a tensor, got ${input === null ? 'null' : typeof input}`,
  );
}

/** `applyAll` for an op with one output. */
export function apply<Attrs extends object>(
  op: Op<Attrs>,
  inputs: readonly Tensor[],
  attrs: Attrs,
): Tensor {
  return applyAll(op, inputs, attrs)[0]!;
}
