/** Functions that see, and may replace, the gradient of a tensor on its way back. */

import { AutogradError, opError } from '../base/errors.ts';
import type { Node } from './graph.ts';
import type { Tensor } from './tensor.ts';

/** Takes something back that was registered. */
export interface RemovableHandle {
  remove(): void;
}

/** Adds `item` to `set`; the handle takes it out. `changed` is told of both. */
export function removable<T>(set: Set<T>, item: T, changed = () => {}): RemovableHandle {
  set.add(item);
  changed();
  return {
    remove: () => {
      if (set.delete(item)) changed();
    },
  };
}

/** Gives the gradient to go on with, or nothing to leave it as it is. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing
export type GradientHook = (gradient: Tensor) => Tensor | void | null;

/** Of leaves, which get a new node whenever they are changed in place. */
const ofLeaves = new WeakMap<Tensor, Set<GradientHook>>();
/** Of results, by node and output. */
const ofNodes = new WeakMap<Node, Map<number, Set<GradientHook>>>();

/** Calls `hook` with every gradient that reaches `tensor`. Hooks run in the order they came in. */
export function registerHook(tensor: Tensor, hook: GradientHook): RemovableHandle {
  if (!tensor.requires_grad) {
    throw opError(AutogradError, 'register_hook', 'the tensor does not require a gradient');
  }
  const wrapped: GradientHook = (gradient) => hook(gradient);
  if (tensor.is_leaf) {
    const set = ofLeaves.get(tensor) ?? new Set();
    ofLeaves.set(tensor, set);
    return removable(set, wrapped);
  }
  const { node, index } = tensor.value;
  const byOutput = ofNodes.get(node) ?? new Map<number, Set<GradientHook>>();
  ofNodes.set(node, byOutput);
  const set = byOutput.get(index) ?? new Set();
  byOutput.set(index, set);
  return removable(set, wrapped);
}

/** The gradients of a node's outputs after the hooks. */
export function hooked(node: Node, grads: readonly (Tensor | null)[]): (Tensor | null)[] {
  return grads.map((gradient, index) => {
    const hooks = node.variable ? ofLeaves.get(node.variable) : ofNodes.get(node)?.get(index);
    if (gradient === null || hooks === undefined) return gradient;
    return [...hooks].reduce((current, hook) => hook(current) ?? current, gradient);
  });
}
