/** Leaves: the nodes a graph begins with. */

import { assert } from '../base/errors.ts';
import type { Storage } from '../engine/engine.ts';
import type { ValueType } from '../engine/program.ts';
import type { LeafSource, Op, Value } from './graph.ts';
import { Node } from './graph.ts';

const LEAF: Op = {
  name: 'leaf',
  kind: 'leaf',
  vjp: () => [],
  infer: (inputs) => [...inputs],
  lower: () => assert(false, 'a leaf is bound, not computed') as never,
};

/** The same value under a new identity; the root of a gradient's path. */
const VARIABLE: Op = {
  name: 'variable',
  kind: 'movement',
  vjp: () => [null],
  infer: (inputs) => [...inputs],
  lower: () => ({ kernel: 'alias', attrs: {} }),
};

/** A value that lives in `storage` already. */
export function bufferLeaf(type: ValueType, storage: Storage): Value {
  const node = new Node(LEAF, [], {}, [type], false);
  node.realize(0, storage);
  return { node, index: 0 };
}

export function placeholder(type: ValueType, argument: number): Value {
  return leaf(type, { kind: 'placeholder', argument });
}

/** A zero-dimensional value that is read from `read` whenever a Program runs. */
export function scalarLeaf(dtype: ValueType['dtype'], read: () => number): Value {
  return leaf({ dtype, shape: [] }, { kind: 'scalar', read });
}

function leaf(type: ValueType, source: LeafSource): Value {
  return { node: new Node(LEAF, [], {}, [type], false, source), index: 0 };
}

/** A node of its own over `value`, so that gradients end here (or, unwanted, are cut off). */
export function variableOf(value: Value, requires_grad: boolean): Value {
  const type = value.node.outputs[value.index]!;
  return { node: new Node(VARIABLE, [value], {}, [type], requires_grad), index: 0 };
}
