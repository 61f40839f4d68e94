/** Host data as nested arrays and as text, in the manner of PyTorch's printer. */

import type { DType, HostArray } from '../base/dtype.ts';
import { isFloating } from '../base/dtype.ts';
import { formatShape, type Shape } from '../base/shape.ts';

export type NestedNumbers = number | boolean | NestedNumbers[];

/** Row-major `data` as arrays nested by `shape`. */
export function nest(data: HostArray, shape: Shape, dtype: DType): NestedNumbers {
  const element = (i: number) => (dtype === 'bool' ? data[i] !== 0 : Number(data[i]));
  let offset = 0;
  const level = (dim: number): NestedNumbers =>
    dim === shape.length
      ? element(offset++)
      : Array.from({ length: shape[dim]! }, () => level(dim + 1));
  return level(0);
}

/** More elements than this are abbreviated, as in PyTorch. */
const SUMMARY_THRESHOLD = 1000;
const EDGE_ITEMS = 3;

export function formatTensor(
  data: HostArray,
  shape: Shape,
  dtype: DType,
  requires_grad: boolean,
): string {
  const body = formatBody(data, shape, dtype);
  const grad = requires_grad ? ', requires_grad=true' : '';
  return `tensor(${body}, shape=${formatShape(shape)}, dtype=${dtype}${grad})`;
}

function formatBody(data: HostArray, shape: Shape, dtype: DType): string {
  const format = elementFormat(data, dtype);
  const summarize = data.length > SUMMARY_THRESHOLD;
  const level = (dim: number, offset: number): string => {
    if (dim === shape.length) return format(offset);
    const size = shape[dim]!;
    const stride = shape.slice(dim + 1).reduce((product, n) => product * n, 1);
    const parts: string[] = [];
    for (let i = 0; i < size; i++) {
      if (summarize && size > 2 * EDGE_ITEMS && i === EDGE_ITEMS) {
        parts.push('...');
        i = size - EDGE_ITEMS;
      }
      parts.push(level(dim + 1, offset + i * stride));
    }
    const last = dim === shape.length - 1;
    return `[${parts.join(last ? ', ' : `,\n${' '.repeat('tensor('.length + dim + 1)}`)}]`;
  };
  return level(0, 0);
}

/** Prints element `i`; all elements of a tensor take the same width. */
function elementFormat(data: HostArray, dtype: DType): (i: number) => string {
  if (dtype === 'bool') return (i) => (data[i] !== 0 ? ' true' : 'false');
  let text = (x: number) => String(x);
  if (isFloating(dtype)) {
    const finite = Array.from(data as Float32Array).filter(Number.isFinite);
    const largest = finite.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    const smallest = finite.reduce(
      (min, x) => (x === 0 ? min : Math.min(min, Math.abs(x))),
      Infinity,
    );
    if (finite.every(Number.isInteger) && largest < 1e8) text = (x) => integerText(x);
    else if (largest >= 1e8 || smallest < 1e-4) text = (x) => x.toExponential(4);
    else text = (x) => x.toFixed(4);
  }
  let width = 0;
  for (let i = 0; i < data.length; i++) width = Math.max(width, text(Number(data[i])).length);
  return (i) => text(Number(data[i])).padStart(width);
}

function integerText(x: number): string {
  return Number.isFinite(x) ? `${x}.` : String(x);
}
