/**
 * A linear map of rows that were chosen from a table is the same map of the table, then the choice:
 * gather_rows(E) W = gather_rows(E W). Where the table has fewer rows than are chosen, that is less
 * work; so are its two gradients, with S = scatter_rows(G), the sums of G's rows by index:
 * scatter_rows(G W) = S W, and Gᵀ gather_rows(E) = Sᵀ E. Sums are added in another order, so
 * results differ by rounding.
 */

import { numel } from '../base/shape.ts';
import type { Call, IR } from './ir.ts';
import { producers, removeDead, substitute } from './ir.ts';
import { attrsKey } from './key.ts';

export function moveThroughTables(ir: IR): void {
  const pass = new Pass(ir);
  ir.calls = ir.calls.flatMap((call) => pass.rewrite(call));
  substitute(ir, pass.replacement);
  removeDead(ir);
}

/** The rows of `table` that `index` names. */
interface Chosen {
  readonly table: number;
  readonly index: number;
}

class Pass {
  readonly replacement = new Map<number, number>();
  readonly #made: Map<number, Call>;
  /** Calls added so far, by what they compute: two gradients share their sums. */
  readonly #added = new Map<string, number>();

  constructor(readonly ir: IR) {
    this.#made = producers(ir);
  }

  /** The calls that take the place of `call`. */
  rewrite(call: Call): Call[] {
    const added: Call[] = [];
    const add = (kernel: Call['kernel'], inputs: number[], shape: number[], attrs = {}) =>
      this.#add(added, call, { kernel, inputs, shape, attrs });
    const result =
      call.kernel === 'matmul'
        ? this.#product(call, add)
        : call.kernel === 'scatter_rows'
          ? this.#sums(call, add)
          : undefined;
    if (result !== undefined) this.replacement.set(call.outputs[0]!, result);
    return [...added, call];
  }

  /** gather_rows(E) W, or Gᵀ gather_rows(E), or gather_rows(E)ᵀ G. */
  #product(call: Call, add: Add): number | undefined {
    const [a, b] = call.inputs as [number, number];
    const { transpose_a, transpose_b } = call.attrs as Record<string, boolean>;
    const [rows, columns] = this.#shape(call.outputs[0]!) as [number, number];
    if (call.outputs.length !== 1) return undefined;
    const left = this.#chosen(a);
    if (left !== undefined && !transpose_a && rowwise(call)) {
      const mapped = add(
        'matmul',
        [left.table, ...call.inputs.slice(1)],
        [this.#shape(left.table)[0]!, columns],
        call.attrs,
      );
      return add('alias', [this.#gather(add, mapped, left.index)], [rows, columns]);
    }
    const right = this.#chosen(b);
    if (call.attrs.epilogue !== undefined && call.inputs.length !== 2) return undefined;
    if (right !== undefined && transpose_a && !transpose_b) {
      const sums = this.#scatter(add, a, right, -1);
      return add('matmul', [sums, right.table], [rows, columns], call.attrs);
    }
    if (left !== undefined && transpose_a && !transpose_b) {
      const sums = this.#scatter(add, b, left, -1);
      return add('matmul', [left.table, sums], [rows, columns], call.attrs);
    }
    return undefined;
  }

  /** scatter_rows(G W). */
  #sums(call: Call, add: Add): number | undefined {
    const [value, index] = call.inputs as [number, number];
    const product = this.#made.get(this.#source(value));
    const shape = this.#shape(call.outputs[0]!);
    const chosen = numel(this.#shape(index));
    const fits = product?.kernel === 'matmul' && shape.length === 2 && shape[0]! < chosen;
    // Sums of what an epilogue made are not what it makes of sums.
    if (!fits || product.attrs.epilogue !== undefined || product.attrs.transpose_a === true) {
      return undefined;
    }
    const matrix = this.#shape(product.outputs[0]!);
    if (matrix.length !== 2 || matrix[1] !== shape[1]) return undefined;
    const [g, w] = product.inputs as [number, number];
    const padding = call.attrs.padding as number;
    const sums = this.#scatter(add, g, { rows: shape[0]!, index }, padding);
    return add('matmul', [sums, w], [...shape], product.attrs);
  }

  /** What `value`, a matrix, was chosen from, if that has fewer rows. */
  #chosen(value: number): Chosen | undefined {
    const gather = this.#made.get(this.#source(value));
    if (gather?.kernel !== 'gather_rows') return undefined;
    const [table, index] = gather.inputs as [number, number];
    const [rows, size] = this.#shape(table) as [number, number];
    const shape = this.#shape(value);
    const isMatrix = this.#shape(table).length === 2 && shape.length === 2 && shape[1] === size;
    return isMatrix && rows < shape[0]! ? { table, index } : undefined;
  }

  #gather(add: Add, table: number, index: number): number {
    return add('gather_rows', [table, index], [...this.#shape(index), this.#shape(table)[1]!]);
  }

  /** The rows of matrix `g` summed by index. */
  #scatter(
    add: Add,
    g: number,
    { index, ...to }: { index: number; table?: number; rows?: number },
    padding: number,
  ): number {
    const size = this.#shape(g)[1]!;
    const rows = to.rows ?? this.#shape(to.table!)[0]!;
    const shaped = add('alias', [g], [...this.#shape(index), size]);
    return add('scatter_rows', [shaped, index], [rows, size], { padding });
  }

  #shape(value: number): readonly number[] {
    return this.ir.types[value]!.shape;
  }

  /** `value` before it was reshaped. */
  #source(value: number): number {
    let source = value;
    for (
      let call = this.#made.get(source);
      call?.kernel === 'alias';
      call = this.#made.get(source)
    ) {
      source = call.inputs[0]!;
    }
    return source;
  }

  #add(added: Call[], from: Call, { kernel, inputs, shape, attrs }: New): number {
    const key = [kernel, attrsKey(attrs), inputs, shape.join('x')].join(';');
    const known = this.#added.get(key);
    if (known !== undefined) return known;
    const { dtype } = this.ir.types[from.outputs[0]!]!;
    const output = this.ir.types.push({ dtype, shape }) - 1;
    const call: Call = {
      kernel,
      attrs: attrs as Call['attrs'],
      inputs,
      outputs: [output],
      label: from.label,
      flops: kernel === 'matmul' ? this.#productFlops(inputs, shape, attrs) : 0,
    };
    added.push(call);
    this.#made.set(output, call);
    this.#added.set(key, output);
    return output;
  }

  #productFlops([a]: readonly number[], shape: readonly number[], attrs: object): number {
    const [rows, columns] = this.#shape(a!) as [number, number];
    const inner = 'transpose_a' in attrs && attrs.transpose_a === true ? rows : columns;
    return 2 * numel(shape) * inner;
  }
}

interface New {
  readonly kernel: Call['kernel'];
  readonly inputs: number[];
  readonly shape: number[];
  readonly attrs: object;
}

type Add = (kernel: Call['kernel'], inputs: number[], shape: number[], attrs?: object) => number;

/** Does nothing that is done to the product's result differ from row to row? */
function rowwise({ attrs }: Call): boolean {
  const epilogue = (attrs.epilogue ?? []) as readonly string[];
  return !epilogue.includes('add') && !epilogue.includes('mul');
}
