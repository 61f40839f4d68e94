/** Functions that see, and may replace, the gradient of a tensor on its way back. */

import { AutogradError, opError } from '../base/errors.ts';
import type { Node } from './graph.ts';
import type { Tensor } from './tensor.ts';

/** Takes something back that was registered. */
export interface RemovableHandle {
  remove(): void;
}

/** Functions in the order in which they are called. One that is added twice is called twice. */
export class HookList<Hook> implements Iterable<Hook> {
  #entries: { readonly hook: Hook }[] = [];

  /** `changed` is told when a hook comes or goes. */
  constructor(readonly changed: () => void = () => {}) {}

  get size(): number {
    return this.#entries.length;
  }

  /** Adds `hook` behind the others, or before them with `prepend`. */
  add(hook: Hook, { prepend = false }: HookOptions = {}): RemovableHandle {
    const entry = { hook };
    this.#entries = prepend ? [entry, ...this.#entries] : [...this.#entries, entry];
    this.changed();
    return { remove: () => this.#remove(entry) };
  }

  #remove(entry: object): void {
    const rest = this.#entries.filter((other) => other !== entry);
    if (rest.length === this.#entries.length) return;
    this.#entries = rest;
    this.changed();
  }

  *[Symbol.iterator](): Generator<Hook> {
    for (const { hook } of this.#entries) yield hook;
  }
}

export interface HookOptions {
  /** Call it before the hooks that are there already. */
  readonly prepend?: boolean;
}

/** Gives the gradient to go on with, or nothing to leave it as it is. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing
export type GradientHook = (gradient: Tensor) => Tensor | void | null;

/** Of leaves, which get a new node whenever they are changed in place. */
const ofLeaves = new WeakMap<Tensor, HookList<GradientHook>>();
/** Of results, by node and output. */
const ofNodes = new WeakMap<Node, Map<number, HookList<GradientHook>>>();

/** Calls `hook` with every gradient that reaches `tensor`. Hooks run in the order they came in. */
export function registerHook(tensor: Tensor, hook: GradientHook): RemovableHandle {
  if (!tensor.requires_grad) {
    throw opError(AutogradError, 'register_hook', 'the tensor does not require a gradient');
  }
  return hooksOf(tensor).add(hook);
}

function hooksOf(tensor: Tensor): HookList<GradientHook> {
  if (tensor.is_leaf) return entryOf(ofLeaves, tensor, () => new HookList());
  const { node, index } = tensor.value;
  return entryOf(
    entryOf(ofNodes, node, () => new Map()),
    index,
    () => new HookList(),
  );
}

interface Table<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): unknown;
}

/** What `table` holds for `key`, made first where there is nothing. */
function entryOf<Key, Value>(table: Table<Key, Value>, key: Key, make: () => Value): Value {
  const known = table.get(key);
  if (known !== undefined) return known;
  const made = make();
  table.set(key, made);
  return made;
}

/** Results that are to keep their gradients, by node and output. */
const keeping = new WeakMap<Node, Map<number, Set<Tensor>>>();

/** Lets `backward` leave the gradient of a result in its `grad`, as it does of leaves. */
export function retainGrad(tensor: Tensor): void {
  if (!tensor.requires_grad) {
    throw opError(AutogradError, 'retain_grad', 'the tensor does not require a gradient');
  }
  if (tensor.is_leaf) return;
  const { node, index } = tensor.value;
  entryOf(
    entryOf(keeping, node, () => new Map()),
    index,
    () => new Set(),
  ).add(tensor);
}

export function retainsGrad(tensor: Tensor): boolean {
  const { node, index } = tensor.value;
  return keeping.get(node)?.get(index)?.has(tensor) ?? false;
}

/** The tensors that keep the gradients that reached `node`, each with its own. */
export function* keepersOf(
  node: Node,
  grads: readonly (Tensor | null)[],
): Generator<[Tensor, Tensor]> {
  if (node.variable !== undefined && grads[0]) yield [node.variable, grads[0]];
  for (const [index, tensors] of keeping.get(node) ?? []) {
    const gradient = grads[index];
    if (gradient) for (const tensor of tensors) yield [tensor, gradient];
  }
}

/** The gradients of a node's outputs after the hooks. */
export function hooked(node: Node, grads: readonly (Tensor | null)[]): (Tensor | null)[] {
  return grads.map((gradient, index) => {
    const hooks = node.variable ? ofLeaves.get(node.variable) : ofNodes.get(node)?.get(index);
    if (gradient === null || hooks === undefined) return gradient;
    return [...hooks].reduce((current, hook) => hook(current) ?? current, gradient);
  });
}
