/** Ops that move elements. */

import { contiguousStrides, numel } from '../../base/shape.ts';
import type { GraphBuilder } from '../builder.ts';
import { isFixed, type Merged, merged, type Size, sameSize } from '../size.ts';
import { type TracedValue, typeOf } from '../trace.ts';
import { type Call, onlyUse, type Translator, type Translators } from '../translator.ts';
import type { MatmulAttrs } from './matmul.ts';

const reshape: Translator = (call, builder) =>
  stackedProduct(call, builder) ??
  builder.reshape(call.input(0), call.type(0).shape, call.output.shape);

/** x (..., K) times a matrix, which torchts computes of (rows, K): ONNX's MatMul takes it whole. */
function stackedProduct(call: Call, builder: GraphBuilder): string | undefined {
  const product = onlyUse(call.node.inputs[0], 'matmul');
  if (product === undefined || product.outputs[0]!.shape.length !== 2) return undefined;
  const { transpose_a, transpose_b } = product.attrs as MatmulAttrs;
  const [rows, matrix] = product.inputs as [TracedValue, TracedValue];
  const from = onlyUse(rows, 'reshape')?.inputs[0];
  if (from === undefined || transpose_a) return undefined;
  const given = typeOf(from).shape;
  const { shape } = call.output;
  const isStack =
    given.length === shape.length &&
    given.slice(0, -1).every((size, i) => sameSize(size, shape[i]!)) &&
    sameSize(given.at(-1)!, typeOf(rows).shape[1]!);
  if (!isStack) return undefined;
  const weights = builder.nameOf(matrix);
  return builder.emit('MatMul', [
    builder.nameOf(from),
    transpose_b ? builder.transpose(weights, [1, 0]) : weights,
  ]);
}

const permute: Translator = (call: Call<{ dims: readonly number[] }>, builder) =>
  selection(call, builder) ?? builder.transpose(call.input(0), call.attrs.dims);

/** Parts chosen along a dimension, which torchts chooses as rows of the transposed tensor. */
function selection(call: Call<{ dims: readonly number[] }>, builder: GraphBuilder) {
  const rows = onlyUse(call.node.inputs[0], 'embedding');
  const [table, index] = rows?.inputs ?? [];
  const turned = onlyUse(table, 'permute');
  if (index === undefined || turned === undefined || typeOf(index).shape.length !== 1) {
    return undefined;
  }
  const { dims } = turned.attrs as { dims: readonly number[] };
  const axis = dims[0]!;
  const isBack = dims.every((dim, i) => call.attrs.dims[dim] === i);
  if (!isBack) return undefined;
  return builder.emit('Gather', [builder.nameOf(turned.inputs[0]!), builder.nameOf(index)], {
    axis,
  });
}

const expand: Translator = (call, builder) =>
  builder.expand(call.input(0), call.type(0).shape, call.output.shape);

const cat: Translator = ({ inputs, attrs: { dim } }: Call<{ dim: number }>, builder) =>
  builder.emit('Concat', inputs, { axis: dim });

// ---- views -------------------------------------------------------------------------------------

interface View {
  readonly offset: number;
  readonly strides: readonly number[];
}

/** One dimension of a view that keeps the dimensions of what is viewed. */
interface Range {
  readonly start: number;
  readonly step: number;
}

/** `view`, of shape `sizes`, of a dense tensor of `shape`, dimension by dimension. */
function rangesOf(
  { offset, strides }: View,
  sizes: readonly number[],
  shape: readonly number[],
): Range[] | undefined {
  if (sizes.length !== shape.length) return undefined;
  if (numel(sizes) === 0) return sizes.map(() => ({ start: 0, step: 1 }));
  let rest = offset;
  const ranges = contiguousStrides(shape).map((stride, dim) => {
    const start = Math.floor(rest / stride);
    rest -= start * stride;
    return { start, step: sizes[dim] === 1 ? 1 : strides[dim]! / stride };
  });
  const fits = ranges.every(({ start, step }, dim) => {
    const last = start + step * (sizes[dim]! - 1);
    const size = shape[dim]!;
    return Number.isInteger(step) && step !== 0 && start < size && last >= 0 && last < size;
  });
  return fits ? ranges : undefined;
}

/** The numbers of the elements that `view` addresses, in order. */
function placesOf({ offset, strides }: View, sizes: readonly number[]): number[] {
  return sizes.reduceRight<number[]>(
    (inner, size, dim) =>
      Array.from({ length: size }, (_, i) =>
        inner.map((place) => place + i * strides[dim]!),
      ).flat(),
    [offset],
  );
}

/**
 * The same for each sample: where the first dimension of both tensors is the batch and is walked
 * sample by sample, the places inside of one; else all places, of tensors that know no batch.
 */
function placesInSample(
  call: Call,
  views: readonly View[],
  sizes: readonly Size[],
  shape: readonly Size[],
): { readonly places: number[]; readonly batch: Size[] } {
  if (sizes.every(isFixed) && shape.every(isFixed)) {
    return { places: placesOf(views[0]!, sizes), batch: [] };
  }
  const [batch, ...inside] = shape;
  const [samples, ...rest] = sizes;
  const each = views.map(({ offset, strides }) => ({ offset, strides: strides.slice(1) }));
  const known = sameSize(batch!, samples!) && inside.every(isFixed) && rest.every(isFixed);
  const isWhole = known && views.every(({ strides }) => strides[0] === numel(inside));
  const view = isWhole ? merged(each) : undefined;
  if (view === undefined || !isFixed(view.offset) || !view.strides.every(isFixed)) {
    throw call.refuse('it moves elements from one sample to another');
  }
  return { places: placesOf(view as View, rest as number[]), batch: [batch!] };
}

const slice: Translator = (call: Call<Merged<View>>, builder) => {
  const views = call.attrsOf<View>();
  const ranges = views.map((view, trace) =>
    rangesOf(view, call.shapes('output')[trace]!, call.shapes('input')[trace]!),
  );
  const { shape } = call.output;
  const from = call.type(0).shape;
  if (ranges.every((range) => range !== undefined)) return sliced(call, builder, ranges);
  const { places, batch } = placesInSample(call, views, shape, from);
  const flat = builder.reshape(call.input(0), from, [...batch, count(from.slice(batch.length))]);
  const index = builder.ints(places);
  const chosen = builder.emit('Gather', [flat, index], { axis: batch.length });
  return builder.reshape(chosen, [...batch, places.length], shape);
};

const count = (sizes: readonly Size[]) => numel(sizes as readonly number[]);

/** Beyond every end. */
const FAR = 2 ** 31 - 1;

function sliced(call: Call, builder: GraphBuilder, ranges: readonly (readonly Range[])[]): string {
  const from = call.shapes('input');
  const to = call.shapes('output');
  const bounds = ranges.map((list, trace) =>
    list.map(({ start, step }, dim) => {
      const end = start + step * to[trace]![dim]!;
      const isLast = step > 0 ? end >= from[trace]![dim]! : end < 0;
      return { start, step, end: isLast ? FAR * Math.sign(step) : end };
    }),
  );
  const axes = merged(bounds);
  const dims = axes.flatMap(({ start, step, end }, dim) =>
    start === 0 && step === 1 && end === FAR ? [] : [dim],
  );
  if (dims.length === 0) return call.input(0);
  const pick = (key: 'start' | 'step' | 'end') => dims.map((dim) => axes[dim]![key]);
  return builder.emit('Slice', [
    call.input(0),
    builder.sizes(pick('start')),
    builder.sizes(pick('end')),
    builder.ints(dims),
    builder.sizes(pick('step')),
  ]);
}

/** The input put into a tensor of `fill`. */
const place: Translator = (call: Call<{ fill: number }>, builder) => {
  const views = call.attrsOf<View>();
  const { shape, dtype } = call.output;
  const fill = builder.scalar(dtype, call.attrs.fill);
  const ranges = views.map((view, trace) =>
    rangesOf(view, call.shapes('input')[trace]!, call.shapes('output')[trace]!),
  );
  if (ranges.every((list) => list?.every(({ step }) => step === 1))) {
    return builder.emit('Pad', [call.input(0), padding(call, builder, ranges as Range[][]), fill]);
  }
  const { places, batch } = placesInSample(call, views, call.type(0).shape, shape);
  const inside = shape.slice(batch.length);
  const flat = builder.expand(fill, [], [...batch, count(inside)]);
  const index = builder.expand(
    builder.numbers('int64', places, batch.length === 0 ? [places.length] : [1, places.length]),
    batch.length === 0 ? [places.length] : [1, places.length],
    [...batch, places.length],
  );
  const given = builder.reshape(call.input(0), call.type(0).shape, [...batch, places.length]);
  const placed = builder.emit('ScatterElements', [flat, index, given], { axis: batch.length });
  return builder.reshape(placed, [...batch, count(inside)], shape);
};

function padding(call: Call, builder: GraphBuilder, ranges: readonly Range[][]): string {
  const from = call.shapes('input');
  const to = call.shapes('output');
  const pads = merged(
    ranges.map((list, trace) => ({
      before: list.map(({ start }) => start),
      after: list.map(({ start }, dim) => to[trace]![dim]! - start - from[trace]![dim]!),
    })),
  );
  return builder.sizes([...pads.before, ...pads.after]);
}

// ---- windows -----------------------------------------------------------------------------------

interface Sliding {
  readonly first: number;
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly taps_at: number;
}

/** Along one dimension after the other, each of which becomes (windows, taps). */
const slidingWindows: Translator = (call: Call<Sliding>, builder) => {
  const { first, kernel, stride, dilation, taps_at } = call.attrs;
  const from = call.type(0).shape;
  const sizes = call.fixed(from.slice(first, first + kernel.length));
  const windows = kernel.reduce((x, taps, i) => {
    const windows = Math.floor((sizes[i]! - dilation[i]! * (taps - 1) - 1) / stride[i]!) + 1;
    const places = Array.from({ length: windows * taps }, (_, at) => {
      const [window, tap] = [Math.floor(at / taps), at % taps];
      return window * stride[i]! + tap * dilation[i]!;
    });
    const index = builder.numbers('int64', places, [windows, taps]);
    return builder.emit('Gather', [x, index], { axis: first + 2 * i });
  }, call.input(0));
  const taps = kernel.map((_, i) => first + 2 * i + 1);
  const others = Array.from({ length: from.length + kernel.length }, (_, dim) => dim).filter(
    (dim) => !taps.includes(dim),
  );
  return builder.transpose(windows, [
    ...others.slice(0, taps_at),
    ...taps,
    ...others.slice(taps_at),
  ]);
};

export const movement: Translators = {
  reshape,
  /** The same value, cut off from the graph that gradients walk. */
  variable: (call) => call.input(0),
  permute,
  expand,
  cat,
  slice,
  place,
  sliding_windows: slidingWindows,
};
