/** Reading and writing at places given by indices, and tensors made of nothing. */

import type { DType } from '../../base/dtype.ts';
import { isFloating } from '../../base/dtype.ts';
import type { ScatterFn } from '../../engine/kernels.ts';
import { isFixed, type Size } from '../size.ts';
import type { Call, Translator, Translators } from '../translator.ts';

/** table (N, ...), index -> its rows. */
const embedding: Translator = ({ inputs }, builder) => builder.emit('Gather', inputs, { axis: 0 });

const gather: Translator = ({ inputs, attrs: { dim } }: Call<{ dim: number }>, builder) =>
  builder.emit('GatherElements', inputs, { axis: dim });

const REDUCTIONS: Readonly<Record<ScatterFn, string>> = {
  set: 'none',
  add: 'add',
  mul: 'mul',
  amax: 'max',
  amin: 'min',
};

const scatter: Translator = (
  { inputs, attrs: { dim, fn } }: Call<{ dim: number; fn: ScatterFn }>,
  builder,
) => builder.emit('ScatterElements', inputs, { axis: dim, reduction: REDUCTIONS[fn] });

/** src, index -> zeros with src added at its places. */
const scatterSum: Translator = (
  { inputs: [src, index], attrs: { dim }, output }: Call<{ dim: number }>,
  builder,
) => {
  const zeros = builder.expand(builder.scalar(output.dtype, 0), [], output.shape);
  const reduction = REDUCTIONS.add;
  return builder.emit('ScatterElements', [zeros, index!, src!], { axis: dim, reduction });
};

/** Of a shape that depends on the batch. */
const full: Translator = (
  { attrs: { value, dtype }, output }: Call<{ value: Size; dtype: DType }>,
  builder,
) => builder.expand(builder.number(dtype, value), [], output.shape);

/** As long as the batch. */
const arange: Translator = (
  call: Call<{
    start: Size;
    step: Size;
    length: Size;
    dtype: DType;
  }>,
  builder,
) => {
  const { start, step, length, dtype } = call.attrs;
  if (!isFixed(start) || !isFixed(step)) throw call.refuse('its bounds depend on the batch');
  const counting = isFloating(dtype) ? dtype : 'int64';
  const number = (value: Size) => builder.number(counting, value);
  const counted = builder.emit('Range', [number(0), number(length), number(1)]);
  const spread = step === 1 ? counted : builder.emit('Mul', [counted, number(step)]);
  const moved = start === 0 ? spread : builder.emit('Add', [spread, number(start)]);
  return counting === dtype ? moved : builder.cast(moved, dtype);
};

export const indexing: Translators = {
  embedding,
  gather,
  scatter,
  scatter_sum: scatterSum,
  full,
  arange,
};
