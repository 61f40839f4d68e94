/** `func`: modules as functions of their state. https://pytorch.org/docs/stable/func.api.html */

import { ArgumentError, nearestName, opError, ShapeError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { currentTrace } from '../core/trace.ts';
import type { AnyModule, Module } from './module.ts';

/** Tensors by the keys of a state_dict. */
export type State = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

/**
 * Calls `module` with these tensors in the place of its parameters and buffers; those that are not
 * named stay. Gradients reach the given tensors, and what the module updates in place, such as
 * running statistics, is updated in them.
 * https://pytorch.org/docs/stable/generated/torch.func.functional_call.html
 *
 * @throws ArgumentError for a key that the module does not have, ShapeError for another shape.
 */
export function functionalCall<Inputs extends readonly unknown[], Output>(
  module: Module<Inputs, Output>,
  parameter_and_buffer_dicts: State,
  args: Inputs | Tensor,
): Output {
  const isList = Array.isArray(args);
  const inputs = (isList ? args : [args]) as unknown as Inputs;
  const given = parameter_and_buffer_dicts;
  const entries = given instanceof Map ? [...given] : Object.entries(given);
  return borrowing(module, entries, () => module.call(...inputs));
}

/** Runs `body` while the tensors of `module` have the values of others, and updates those. */
function borrowing<T>(
  module: AnyModule,
  given: readonly (readonly [string, Tensor])[],
  body: () => T,
): T {
  const options = { remove_duplicate: false };
  const tensors = [...module.namedParameters(options), ...module.namedBuffers(options)];
  const own = new Map<string, Tensor>(tensors);
  const loans = given.map(([key, lender]) => {
    const tensor = checked(module, own, key, lender);
    return { tensor, lender, value: tensor.value };
  });
  const known = new Set(currentTrace()?.rebound.keys());
  for (const { tensor, lender } of loans) tensor.restore(lender.value);
  try {
    return body();
  } finally {
    for (const { tensor, lender, value } of loans) {
      const after = tensor.value;
      tensor.restore(value);
      // A trace must not take the update for one of the module's own tensor.
      if (!known.has(tensor)) currentTrace()?.rebound.delete(tensor);
      const { node, index } = lender.value;
      if (after.node !== node || after.index !== index) lender.exchange(after);
    }
  }
}

/** The tensor at `key`, which must have the shape of `lender`. */
function checked(
  module: AnyModule,
  own: ReadonlyMap<string, Tensor>,
  key: string,
  lender: Tensor,
): Tensor {
  const op = 'functional_call';
  const tensor = own.get(key);
  if (tensor === undefined) {
    const nearest = nearestName(key, own.keys());
    const hint = nearest === undefined ? '' : `; is it ${nearest}?`;
    throw opError(ArgumentError, op, `${module.constructor.name} has no ${key}${hint}`);
  }
  if (sameShape(tensor.shape, lender.shape)) return tensor;
  const shapes = `${formatShape(lender.shape)}, needs ${formatShape(tensor.shape)}`;
  throw opError(ShapeError, op, `${key} has shape ${shapes}`);
}
