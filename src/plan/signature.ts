/** The structure of a graph as text: equal texts plan to equal Programs. */

import type { PlanNode, PlanValue } from './graph.ts';
import { attrsKey } from './key.ts';

/** `nodes` are the collected nodes of `roots`, in order. */
export function signature(nodes: readonly PlanNode[], roots: readonly PlanValue[]): string {
  const position = new Map(nodes.map((node, i) => [node, i]));
  const reference = (value: PlanValue) => `${position.get(value.node)}.${value.index}`;
  const lines = nodes.map((node) => {
    const outputs = node.outputs
      .map(({ dtype, shape }, index) => `${dtype}[${shape}]${node.leaf(index) ?? ''}`)
      .join();
    // A node collected only for its leaves has inputs that were not.
    const inputs = node.inputs.map(reference).join();
    return `${node.op.name}{${attrsKey(node.attrs)}}(${inputs})${outputs}`;
  });
  return `${lines.join(';')}->${roots.map(reference).join()}`;
}
