/** How one op becomes ONNX nodes, and the table of all that can. */

import { ArgumentError, opError, type TorchtsError } from '../base/errors.ts';
import type { Shape } from '../base/shape.ts';
import { valueType } from '../core/graph.ts';
import type { GraphBuilder } from './builder.ts';
import { isFixed, type Size } from './size.ts';
import { type SizedType, type TracedNode, type TracedValue, typeOf } from './trace.ts';

/** A call of an op that is to be translated. */
export class Call<Attrs = object> {
  constructor(
    readonly node: TracedNode,
    readonly builder: GraphBuilder,
  ) {}

  /** Numbers in it may depend on the batch; `fixed` is for those that do not. */
  get attrs(): Attrs {
    return this.node.attrs as Attrs;
  }

  /** What the op was called with in each trace. */
  attrsOf<T>(): readonly T[] {
    return this.node.nodes.map((node) => node.attrs as T);
  }

  /** The shape of the first input or output in each trace. */
  shapes(of: 'input' | 'output'): readonly Shape[] {
    return this.node.nodes.map((node) => {
      const value = of === 'input' ? node.inputs[0]! : { node, index: 0 };
      return valueType(value).shape;
    });
  }

  /** The name of input `i`. */
  input(i: number): string {
    return this.builder.nameOf(this.node.inputs[i]!);
  }

  /** The names of all inputs. */
  get inputs(): string[] {
    return this.node.inputs.map((value) => this.builder.nameOf(value));
  }

  type(i: number): SizedType {
    return typeOf(this.node.inputs[i]!);
  }

  /** Of the first output. */
  get output(): SizedType {
    return this.node.outputs[0]!;
  }

  /** A fault of this op. */
  refuse(problem: string): TorchtsError {
    return refused(this.node.op, problem);
  }

  /** Sizes that must not depend on the batch. */
  fixed(sizes: readonly Size[]): readonly number[] {
    if (sizes.every(isFixed)) return sizes;
    throw this.refuse(`sizes [${sizes.join(', ')}] must not depend on the batch`);
  }
}

export function refused(op: string, problem: string): TorchtsError {
  return opError(ArgumentError, 'onnx', `${op} cannot be exported: ${problem}`);
}

/** The names of the outputs; of those left out nobody may need any. */
// biome-ignore lint/suspicious/noExplicitAny: each translator knows the attributes of its op
export type Translator = (call: Call<any>, builder: GraphBuilder) => string | readonly string[];

export type Translators = Readonly<Record<string, Translator>>;

/**
 * What `value` is computed from, if that is a call of `op` that nothing else needs, so that both
 * may become one node.
 */
export function onlyUse(value: TracedValue | undefined, op: string): TracedNode | undefined {
  const node = value?.node;
  return node?.op === op && node.uses === 1 && node.leaf === undefined ? node : undefined;
}
