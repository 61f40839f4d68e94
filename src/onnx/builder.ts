/** An ONNX graph while it is being made: its nodes, its weights and constants, and their names. */

import { createHash } from 'node:crypto';
import { type DType, toHostArray } from '../base/dtype.ts';
import { assert, currentScope } from '../base/errors.ts';
import { realize } from '../core/realize.ts';
import { Tensor } from '../core/tensor.ts';
import { asBytes, type HostTensor } from '../io/host-tensor.ts';
import {
  DATA_TYPES,
  type OnnxAttribute,
  type OnnxNode,
  type OnnxTensor,
} from '../io/onnx/model.ts';
import { type BatchSize, isFixed, type Size, sameSize } from './size.ts';
import { type TracedNode, type TracedValue, typeOf } from './trace.ts';

type Attributes = Readonly<Record<string, OnnxAttribute>>;

export class GraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();
  /** The names of the outputs of nodes that are translated, or of the values they stand for. */
  readonly #names = new Map<TracedNode, readonly string[]>();
  readonly #taken: Set<string>;
  /** Names of constants by what they hold, and of values computed from the batch by their size. */
  readonly #known = new Map<string, string>();

  /** @param names those of the model's inputs, outputs and keys, which nothing else gets. */
  constructor(
    readonly opset_version: number,
    readonly inputs: readonly string[],
    names: Iterable<string>,
  ) {
    this.#taken = new Set(names);
  }

  // ---- nodes -----------------------------------------------------------------------------------

  /** Adds a node with one output, under the path of the module at work; that output's name. */
  emit(op_type: string, input: readonly string[], attribute: Attributes = {}): string {
    return this.emitAll(op_type, input, attribute, 1)[0]!;
  }

  /** As `emit`; `wanted` says which outputs there are, or how many. */
  emitAll(
    op_type: string,
    input: readonly string[],
    attribute: Attributes,
    wanted: number | readonly boolean[],
  ): string[] {
    const path = currentScope()
      .split('.')
      .filter((part) => part !== '');
    const name = this.#unique(`/${[...path, op_type].join('/')}`);
    const list = typeof wanted === 'number' ? new Array<boolean>(wanted).fill(true) : wanted;
    const output = list.map((isWanted, i) => (isWanted ? this.#unique(`${name}_output_${i}`) : ''));
    this.nodes.push({ name, op_type, input, output, attribute });
    return output;
  }

  #unique(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.#taken.has(name); i++) name = `${wanted}_${i}`;
    this.#taken.add(name);
    return name;
  }

  /** The values of `node`'s outputs have these names from now on. */
  define(node: TracedNode, names: readonly string[]): void {
    this.#names.set(node, names);
  }

  nameOf(value: TracedValue): string {
    const { node, index } = value;
    const name = this.#names.get(node)?.[index];
    if (name !== undefined) return name;
    assert(
      node.origin === 'constant',
      `output ${index} of ${node.op} is translated before its use`,
    );
    return this.stored(value);
  }

  // ---- weights and constants -------------------------------------------------------------------

  get initializers(): OnnxTensor[] {
    return [...this.#initializers.values()];
  }

  /** A tensor of the model's state under its key. */
  weight(key: string, value: TracedValue): string {
    this.#initializers.set(key, { name: key, ...contents(value) });
    return key;
  }

  /** A value that does not depend on the inputs, computed now. */
  stored(value: TracedValue): string {
    return this.constant(contents(value));
  }

  /** Equal constants are one. */
  constant(tensor: HostTensor): string {
    const { dtype, shape, data } = tensor;
    const digest = createHash('sha256').update(asBytes(data)).digest('hex');
    return this.#once(`${dtype} ${shape} ${digest}`, () => {
      const name = this.#unique('constant');
      this.#initializers.set(name, { name, ...tensor });
      return name;
    });
  }

  numbers(dtype: DType, values: readonly number[], shape: readonly number[]): string {
    return this.constant({ dtype, shape, data: toHostArray(dtype, values) });
  }

  scalar(dtype: DType, value: number): string {
    return this.numbers(dtype, [value], []);
  }

  /** int64 (n). */
  ints(values: readonly number[]): string {
    return this.numbers('int64', values, [values.length]);
  }

  #once(key: string, make: () => string): string {
    const name = this.#known.get(key) ?? make();
    this.#known.set(key, name);
    return name;
  }

  // ---- sizes that depend on the batch ----------------------------------------------------------

  /** int64 (n): constants, or computed from the batch that the model is given. */
  sizes(list: readonly Size[]): string {
    if (list.every(isFixed)) return this.ints(list);
    const parts = list.map((size) => (isFixed(size) ? this.ints([size]) : this.#batchSize(size)));
    if (parts.length === 1) return parts[0]!;
    return this.#once(`sizes ${list}`, () => this.emit('Concat', parts, { axis: 0 }));
  }

  /** A number as a zero-dimensional tensor. */
  number(dtype: DType, value: Size): string {
    if (isFixed(value)) return this.scalar(dtype, value);
    return this.#once(`number ${dtype} ${value}`, () => {
      const whole = this.emit('Squeeze', [this.#batchSize(value), this.ints([0])]);
      return dtype === 'int64' ? whole : this.cast(whole, dtype);
    });
  }

  /** int64 (1). */
  #batchSize({ scale, offset }: BatchSize): string {
    const batch = this.#once('batch', () =>
      this.emit('Shape', [this.inputs[0]!], { start: 0, end: 1 }),
    );
    const product =
      scale === 1
        ? batch
        : this.#once(`${scale}*batch`, () => this.emit('Mul', [batch, this.ints([scale])]));
    if (offset === 0) return product;
    return this.#once(`${scale}*batch+${offset}`, () =>
      this.emit('Add', [product, this.ints([offset])]),
    );
  }

  // ---- what several translations need ----------------------------------------------------------

  cast(x: string, dtype: DType): string {
    return this.emit('Cast', [x], { to: DATA_TYPES[dtype] });
  }

  /** `x`, of shape `from`, in another shape. */
  reshape(x: string, from: readonly Size[], to: readonly Size[]): string {
    const isSame = from.length === to.length && to.every((size, i) => sameSize(size, from[i]!));
    if (isSame) return x;
    return this.emit('Reshape', [x, this.#targetShape(from, to)]);
  }

  /** One size that depends on the batch is left to be inferred (-1); more are copied (0). */
  #targetShape(from: readonly Size[], to: readonly Size[]): string {
    const isKept = (size: Size, i: number) => i < from.length && sameSize(size, from[i]!);
    const open = to.filter((size) => !isFixed(size));
    if (open.length <= 1) return this.sizes(to.map((size) => (isFixed(size) ? size : -1)));
    const unkept = to.filter((size, i) => !isFixed(size) && !isKept(size, i));
    if (unkept.length > 1) return this.sizes(to);
    return this.sizes(to.map((size, i) => (isFixed(size) ? size : isKept(size, i) ? 0 : -1)));
  }

  /** `x`, of shape `from`, with its sizes of 1 repeated to `to`. */
  expand(x: string, from: readonly Size[], to: readonly Size[]): string {
    const lead = to.length - from.length;
    // What stays is left to broadcasting.
    const sizes = to.map((size, i) => (i >= lead && sameSize(size, from[i - lead]!) ? 1 : size));
    if (lead === 0 && sizes.every((size) => size === 1)) return x;
    return this.emit('Expand', [x, this.sizes(sizes)]);
  }

  transpose(x: string, perm: readonly number[]): string {
    return this.emit('Transpose', [x], { perm });
  }
}

function contents(value: TracedValue): HostTensor {
  const { node, index } = value;
  const { dtype } = typeOf(value);
  const tensor = new Tensor({ node: node.nodes[0]!, index });
  return { dtype, shape: tensor.shape, data: tensor.dataSync() };
}

/** Computes what will be stored, all at once and without blocking. */
export async function prepare(nodes: readonly TracedNode[]): Promise<void> {
  await realize(
    nodes.flatMap(({ nodes: [node], outputs }) =>
      outputs.map((_, index) => ({ node: node!, index })),
    ),
  );
}
