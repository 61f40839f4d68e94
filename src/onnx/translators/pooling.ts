/** Pooling over two dimensions. */

import { numel } from '../../base/shape.ts';
import type { AvgPool2dAttrs, Pool2dAttrs } from '../../engine/kernels.ts';
import type { GraphBuilder } from '../builder.ts';
import type { Call, Translator, Translators } from '../translator.ts';

/**
 * What the windows reach over the end. It is written down because runtimes read `ceil_mode`
 * differently.
 */
function endPads(call: Call<Pool2dAttrs>): number[] {
  const { kernel_size, stride, padding, dilation } = call.attrs;
  const from = call.fixed(call.type(0).shape.slice(2));
  return call.fixed(call.output.shape.slice(2)).map((count, i) => {
    const reach = dilation[i]! * (kernel_size[i]! - 1) + 1;
    return Math.max(0, (count - 1) * stride[i]! + reach - padding[i]! - from[i]!);
  });
}

const maxPool: Translator = (call: Call<Pool2dAttrs>, builder) => {
  const { kernel_size, stride, padding, dilation } = call.attrs;
  const attribute = {
    kernel_shape: kernel_size,
    strides: stride,
    pads: [...padding, ...endPads(call)],
    dilations: dilation,
  };
  const wantsPlaces = call.node.usedOutputs.has(1);
  const outputs = builder.emitAll('MaxPool', call.inputs, attribute, wantsPlaces ? 2 : 1);
  if (!wantsPlaces) return outputs;
  // ONNX counts through all planes.
  const plane = numel(call.fixed(call.type(0).shape.slice(2)));
  const place = builder.emit('Mod', [outputs[1]!, builder.scalar('int64', plane)]);
  return [outputs[0]!, builder.cast(place, 'int32')];
};

// ---- averages ----------------------------------------------------------------------------------

/** The windows along one dimension, ends excluded. */
interface Windows {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly divisor: readonly number[];
  readonly size: number;
}

/** Windows of one size, evenly apart, as ONNX describes them. */
interface Even {
  readonly kernel: number;
  readonly stride: number;
  readonly before: number;
  readonly after: number;
  /** Are the places beyond the ends counted? `undefined` where no window has any. */
  readonly counts_padding: boolean | undefined;
}

function evenWindows({ begin, end, divisor, size }: Windows): Even | undefined {
  const count = begin.length;
  // A window in the middle shows its whole size; one at an end may be cut off.
  const kernel = Math.max(...begin.map((start, i) => end[i]! - start));
  const stride = count > 1 ? strideOf(begin, end) : 1;
  const before = count > 1 ? Math.max(0, kernel - end[0]!) : 0;
  const starts = begin.map((_, i) => i * stride - before);
  const fits = starts.every(
    (start, i) => begin[i] === Math.max(start, 0) && end[i] === Math.min(start + kernel, size),
  );
  if (!fits || kernel < 1 || stride < 1 || before >= kernel || begin[0] !== 0) return undefined;
  const after = Math.max(0, starts.at(-1)! + kernel - size);
  const isCut = begin.some((start, i) => end[i]! - start < kernel);
  const whole = divisor.every((by) => by === kernel);
  const inside = divisor.every((by, i) => by === end[i]! - begin[i]!);
  if (!whole && !inside) return undefined;
  return { kernel, stride, before, after, counts_padding: isCut ? whole : undefined };
}

/** How far two windows that are cut off at the same end, or nowhere, lie apart. */
function strideOf(begin: readonly number[], end: readonly number[]): number {
  const byBegin = begin.at(-1)! - begin.at(-2)!;
  return byBegin > 0 ? byBegin : end[1]! - end[0]!;
}

const avgPool: Translator = (call: Call<AvgPool2dAttrs>, builder) => {
  const a = call.attrs;
  const sizes = call.fixed(call.type(0).shape.slice(2)) as [number, number];
  const rows = { begin: a.row_begin, end: a.row_end, divisor: a.row_divisor, size: sizes[0] };
  const columns = {
    ...{ begin: a.column_begin, end: a.column_end, divisor: a.column_divisor },
    size: sizes[1],
  };
  const isGlobal = [rows, columns].every(
    ({ begin, end, divisor, size }) =>
      begin.length === 1 && begin[0] === 0 && end[0] === size && divisor[0] === size,
  );
  if (isGlobal) return builder.emit('GlobalAveragePool', call.inputs);
  return (
    evenPool(call, builder, evenWindows(rows), evenWindows(columns)) ??
    weightedSums(call, builder, rows, columns)
  );
};

function evenPool(
  call: Call,
  builder: GraphBuilder,
  rows: Even | undefined,
  columns: Even | undefined,
): string | undefined {
  if (rows === undefined || columns === undefined) return undefined;
  const counts = [rows, columns].flatMap(({ counts_padding }) => counts_padding ?? []);
  if (new Set(counts).size > 1) return undefined;
  return builder.emit('AveragePool', call.inputs, {
    kernel_shape: [rows.kernel, columns.kernel],
    strides: [rows.stride, columns.stride],
    pads: [rows.before, columns.before, rows.after, columns.after],
    count_include_pad: Number(counts[0] ?? false),
  });
}

/** Windows that differ, such as adaptive ones: R x Cᵀ with the shares of the places in each. */
function weightedSums(call: Call, builder: GraphBuilder, rows: Windows, columns: Windows): string {
  const { dtype } = call.type(0);
  const down = builder.numbers(dtype, shares(rows), [rows.begin.length, rows.size]);
  const across = builder.numbers(dtype, shares(columns), [columns.begin.length, columns.size]);
  const sums = builder.emit('MatMul', [down, call.input(0)]);
  return builder.emit('MatMul', [sums, builder.transpose(across, [1, 0])]);
}

/** (windows, places). */
function shares({ begin, end, divisor, size }: Windows): number[] {
  return begin.flatMap((start, i) =>
    Array.from({ length: size }, (_, at) => (at >= start && at < end[i]! ? 1 / divisor[i]! : 0)),
  );
}

export const pooling: Translators = { max_pool2d: maxPool, avg_pool2d: avgPool };
