/** Average pooling over windows given by their bounds, and its gradient. */

import type { Shape } from '../../base/shape.ts';
import type { AvgPool2dAttrs } from '../kernels.ts';
import { arity, check, checkFloating, checkShape, type KernelCall, type Run } from './kernel.ts';

/** One output row or column: the places it sums and what the sum is divided by. */
interface Window {
  readonly begin: number;
  readonly end: number;
  readonly divisor: number;
}

export function avgPool2dForward(call: KernelCall<'avg_pool2d_fwd'>): Run {
  const x = call.inputs[0]!.shape;
  return overWindows(call, x, call.outputs[0]!.shape, (input, output, i, places, divisor) => {
    let sum = 0;
    for (const place of places) sum += input[place]!;
    output[i] = sum / divisor;
  });
}

export function avgPool2dBackward(call: KernelCall<'avg_pool2d_bwd'>): Run {
  const x = call.outputs[0]!.shape;
  return overWindows(call, x, call.inputs[0]!.shape, (g, gradient, i, places, divisor) => {
    for (const place of places) gradient[place]! += g[i]! / divisor;
  });
}

/** Calls `visit` for every element `i` of the pooled tensor, with the places of its window in x. */
function overWindows(
  call: KernelCall<'avg_pool2d_fwd' | 'avg_pool2d_bwd'>,
  x: Shape,
  y: Shape,
  visit: (
    input: Float64Array,
    output: Float64Array,
    i: number,
    places: readonly number[],
    divisor: number,
  ) => void,
): Run {
  arity(call, 1);
  checkFloating(call);
  check(x.length === 4 && y.length === 4, 'x and y must have 4 dimensions');
  checkShape('y (N, C)', y.slice(0, 2), x.slice(0, 2));
  const [N, C, H, W] = x as [number, number, number, number];
  const rows = windows(call.attrs, 'row', H, y[2]!);
  const columns = windows(call.attrs, 'column', W, y[3]!);
  return ([input], [output]) => {
    let i = 0;
    for (let plane = 0; plane < N * C; plane++) {
      for (const row of rows) {
        for (const column of columns) {
          const places = placesOf(row, column, plane * H * W, W);
          visit(input!, output!, i++, places, row.divisor * column.divisor);
        }
      }
    }
  };
}

function windows(
  attrs: AvgPool2dAttrs,
  along: 'row' | 'column',
  size: number,
  out: number,
): Window[] {
  const [begins, ends] = [attrs[`${along}_begin`], attrs[`${along}_end`]];
  const divisors = attrs[`${along}_divisor`];
  const lists = [begins, ends, divisors];
  check(
    lists.every((list) => list.length === out),
    `${along} windows must be ${out}`,
  );
  return begins.map((begin, i) => {
    const end = ends[i]!;
    const whole = Number.isInteger(begin) && Number.isInteger(end);
    check(whole && begin >= 0 && begin <= end && end <= size, `${along} window ${i} lies outside`);
    return { begin, end, divisor: divisors[i]! };
  });
}

function placesOf(row: Window, column: Window, base: number, width: number): number[] {
  const places: number[] = [];
  for (let h = row.begin; h < row.end; h++) {
    for (let w = column.begin; w < column.end; w++) places.push(base + h * width + w);
  }
  return places;
}
