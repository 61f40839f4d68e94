/** Max pooling with the place of each maximum. */

import { formatShape } from '../../base/shape.ts';
import { arity, check, checkDtype, checkShape, type KernelCall, type Run } from './kernel.ts';

/** The places of one dimension that the window of output `o` covers, without padding. */
function windowPlaces(
  o: number,
  size: number,
  [kernel, stride, padding, dilation]: readonly [number, number, number, number],
): number[] {
  const places: number[] = [];
  for (let k = 0; k < kernel; k++) {
    const place = o * stride - padding + k * dilation;
    if (place >= 0 && place < size) places.push(place);
  }
  return places;
}

export function maxPool2dForward(call: KernelCall<'max_pool2d_fwd'>): Run {
  arity(call, 1, 2);
  const { kernel_size, stride, padding, dilation } = call.attrs;
  const { shape, dtype } = call.inputs[0]!;
  const out = call.outputs[0]!.shape;
  check(shape.length === 4 && out.length === 4, 'x and y must have 4 dimensions');
  checkShape('y (N, C)', out.slice(0, 2), shape.slice(0, 2));
  checkShape('indices', call.outputs[1]!.shape, out);
  checkDtype('y', call.outputs[0]!.dtype, dtype);
  checkDtype('indices', call.outputs[1]!.dtype, 'int32');
  const [N, C, H, W] = shape as [number, number, number, number];

  const [rows, columns] = [0, 1].map((dim) => {
    const window = [kernel_size, stride, padding, dilation].map((pair) => pair[dim]!);
    return Array.from({ length: out[2 + dim]! }, (_, o) =>
      windowPlaces(o, shape[2 + dim]!, window as [number, number, number, number]),
    );
  }) as [number[][], number[][]];
  check(
    N * C === 0 || [...rows, ...columns].every((places) => places.length > 0),
    `a window of ${formatShape(kernel_size)} lies wholly in the padding`,
  );

  return ([x], [y, indices]) => {
    let i = 0;
    for (let plane = 0; plane < N * C; plane++) {
      for (const hs of rows) {
        for (const ws of columns) {
          const place = firstMaximum(x!, plane * H * W, W, hs, ws);
          y![i] = x![plane * H * W + place]!;
          indices![i] = place;
          i++;
        }
      }
    }
  };
}

/** g, indices -> x's gradient */
export function maxPool2dBackward(call: KernelCall<'max_pool2d_bwd'>): Run {
  arity(call, 2);
  const { shape, dtype } = call.inputs[0]!;
  const out = call.outputs[0]!.shape;
  check(shape.length === 4 && out.length === 4, "g and x's gradient must have 4 dimensions");
  checkShape('indices', call.inputs[1]!.shape, shape);
  checkShape("x's gradient (N, C)", out.slice(0, 2), shape.slice(0, 2));
  checkDtype("x's gradient", call.outputs[0]!.dtype, dtype);
  checkDtype('indices', call.inputs[1]!.dtype, 'int32');
  const [from, to] = [shape, out].map(([, , h, w]) => h! * w!) as [number, number];
  return ([g, indices], [dx]) => {
    for (const [i, place] of indices!.entries()) {
      check(place >= 0 && place < to, `index ${place} is outside a plane of ${to}`);
      dx![Math.floor(i / from) * to + place]! += g![i]!;
    }
  };
}

/** The place h * W + w in the plane at `base` of the first maximum; NaN is maximal. */
function firstMaximum(
  x: Float64Array,
  base: number,
  W: number,
  hs: readonly number[],
  ws: readonly number[],
): number {
  let best = hs[0]! * W + ws[0]!;
  for (const h of hs) {
    for (const w of ws) {
      const value = x[base + h * W + w]!;
      const maximum = x[base + best]!;
      if (Number.isNaN(maximum)) return best;
      if (value > maximum || Number.isNaN(value)) best = h * W + w;
    }
  }
  return best;
}
