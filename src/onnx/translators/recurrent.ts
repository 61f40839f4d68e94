/** One direction of an LSTM layer. */

import type { LstmAttrs } from '../../engine/kernels.ts';
import type { GraphBuilder } from '../builder.ts';
import { isFixed, sameSize } from '../size.ts';
import { type TracedValue, typeOf } from '../trace.ts';
import { type Call, onlyUse, type Translator, type Translators } from '../translator.ts';
import type { MatmulAttrs } from './matmul.ts';

/** What the gate sums are made of: x (T, B, I) W_ihᵀ + bias. */
interface Projection {
  readonly x: TracedValue;
  readonly weight_ih: TracedValue;
  readonly bias: TracedValue | undefined;
}

/**
 * ONNX's LSTM takes the layer's input and both weights, with gates in the order input, output,
 * forget, cell. Where the gate sums are made otherwise they are its input, and W is the identity.
 */
const lstm: Translator = (call: Call<LstmAttrs>, builder) => {
  const { batch_first, reverse } = call.attrs;
  const units = call.fixed(call.type(2).shape.slice(1))[0]!;
  const { dtype } = call.type(0);
  const made = projectionOf(call.node.inputs[0]!);
  const gates = { builder, units };
  const weight = made === undefined ? identity(call, 4 * units) : builder.nameOf(made.weight_ih);
  const bias = made?.bias === undefined ? '' : builder.nameOf(made.bias);
  const steps = made === undefined ? call.input(0) : builder.nameOf(made.x);
  const directed = (x: string) => builder.emit('Unsqueeze', [x, builder.ints([0])]);
  const none = builder.numbers(dtype, new Array<number>(4 * units).fill(0), [4 * units]);
  const outputs = builder.emitAll(
    'LSTM',
    [
      batch_first ? builder.transpose(steps, [1, 0, 2]) : steps,
      directed(reordered(gates, weight)),
      directed(reordered(gates, call.input(1))),
      bias && directed(builder.emit('Concat', [reordered(gates, bias), none], { axis: 0 })),
      '',
      directed(call.input(2)),
      directed(call.input(3)),
    ],
    { hidden_size: units, direction: reverse ? 'reverse' : 'forward' },
    3,
  );
  const [all, h, c] = outputs as [string, string, string];
  const undirected = (x: string, axis: number) =>
    builder.emit('Squeeze', [x, builder.ints([axis])]);
  const values = undirected(all, 1);
  return [
    batch_first ? builder.transpose(values, [1, 0, 2]) : values,
    undirected(h, 0),
    undirected(c, 0),
  ];
};

/** Rows of gates in PyTorch's order (input, forget, cell, output), in ONNX's. */
function reordered(
  { builder, units }: { readonly builder: GraphBuilder; readonly units: number },
  weights: string,
): string {
  const parts = builder.emitAll(
    'Split',
    [weights, builder.ints([units, units, units, units])],
    { axis: 0 },
    4,
  );
  const [input, forget, cell, output] = parts as [string, string, string, string];
  return builder.emit('Concat', [input, output, forget, cell], { axis: 0 });
}

function identity(call: Call, size: number): string {
  const { dtype } = call.type(0);
  const values = Array.from({ length: size * size }, (_, at) =>
    Number(at % size === Math.floor(at / size)),
  );
  return call.builder.numbers(dtype, values, [size, size]);
}

/** `linear` of an input of three dimensions: reshaped to rows, multiplied, shaped back. */
function projectionOf(sums: TracedValue): Projection | undefined {
  const added = onlyUse(sums, 'add');
  const bias = added?.inputs[1];
  const product = onlyUse(added === undefined ? sums : added.inputs[0], 'reshape');
  const matmul = onlyUse(product?.inputs[0], 'matmul');
  const rows = matmul?.inputs[0];
  const from = rows?.node.op === 'reshape' ? rows.node.inputs[0] : undefined;
  const weight_ih = matmul?.inputs[1];
  if (from === undefined || weight_ih === undefined) return undefined;
  const { transpose_a, transpose_b } = matmul!.attrs as MatmulAttrs;
  const [given, shape] = [typeOf(from).shape, typeOf(sums).shape];
  const isLinear =
    !transpose_a &&
    transpose_b &&
    given.length === 3 &&
    given.slice(0, 2).every((size, i) => sameSize(size, shape[i]!)) &&
    (bias === undefined || typeOf(bias).shape.length === 1) &&
    typeOf(weight_ih).shape.every(isFixed);
  return isLinear ? { x: from, weight_ih, bias } : undefined;
}

export const recurrent: Translators = { lstm };
