/** Reductions over dimensions, and what is computed along one of them. */

import { category } from '../../base/dtype.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Call, Translator, Translators } from '../translator.ts';

const reduction =
  (op_type: string): Translator =>
  ({ inputs, attrs: { dims } }: Call<{ dims: readonly number[] }>, builder) =>
    builder.emit(op_type, [inputs[0]!, builder.ints(dims)], { keepdims: 0 });

/** Of truth values, the extreme is taken of numbers. */
const extreme =
  (op_type: string): Translator =>
  (call, builder) => {
    if (call.type(0).dtype !== 'bool') return reduction(op_type)(call, builder);
    const { dims } = call.attrs as { dims: readonly number[] };
    const wide = builder.cast(call.input(0), 'int32');
    const found = builder.emit(op_type, [wide, builder.ints(dims)], { keepdims: 0 });
    return builder.cast(found, 'bool');
  };

const position =
  (op_type: string): Translator =>
  (call: Call<{ dim: number }>, builder) =>
    builder.emit(op_type, [numbers(call, builder)], { axis: call.attrs.dim, keepdims: 0 });

const numbers = (call: Call, builder: GraphBuilder) =>
  category(call.type(0).dtype) === 'bool' ? builder.cast(call.input(0), 'int32') : call.input(0);

const alongDim =
  (op_type: string): Translator =>
  ({ inputs, attrs: { dim } }: Call<{ dim: number }>, builder) =>
    builder.emit(op_type, inputs, { axis: dim });

const cumsum: Translator = ({ inputs, attrs: { dim } }: Call<{ dim: number }>, builder) =>
  builder.emit('CumSum', [inputs[0]!, builder.scalar('int64', dim)]);

/** The first of the elements in order along the last dimension, and where they stood. */
const sort: Translator = (
  { inputs, attrs: { descending, count } }: Call<{ descending: boolean; count: number }>,
  builder,
) =>
  builder.emitAll(
    'TopK',
    [inputs[0]!, builder.ints([count])],
    { axis: -1, largest: Number(descending), sorted: 1 },
    2,
  );

/** sorted (..R, N), values (..R, M): how many of the row are smaller, or not larger (`right`). */
const searchSorted: Translator = (
  { inputs, attrs: { right } }: Call<{ right: boolean }>,
  builder,
) => {
  const [sorted, values] = inputs as [string, string];
  const row = builder.emit('Unsqueeze', [sorted, builder.ints([-2])]);
  const wanted = builder.emit('Unsqueeze', [values, builder.ints([-1])]);
  const isBelow = builder.emit(right ? 'LessOrEqual' : 'Less', [row, wanted]);
  const ones = builder.cast(isBelow, 'int64');
  return builder.emit('ReduceSum', [ones, builder.ints([-1])], { keepdims: 0 });
};

export const reductions: Translators = {
  sum: reduction('ReduceSum'),
  prod: reduction('ReduceProd'),
  amax: extreme('ReduceMax'),
  amin: extreme('ReduceMin'),
  argmax: position('ArgMax'),
  argmin: position('ArgMin'),
  softmax: alongDim('Softmax'),
  log_softmax: alongDim('LogSoftmax'),
  cumsum,
  sort,
  search_sorted: searchSorted,
};
