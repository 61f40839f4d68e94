/** sort and search_sorted: rows in order, NaN last. */

import { arity, check, checkDtype, checkShape, type KernelCall, type Run } from './kernel.ts';

/** Below 0 where `a` comes before `b`: NaN is the largest number and equal to itself. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : Number(a > b);
}

/** x -> values, indices */
export function sort(call: KernelCall<'sort'>): Run {
  arity(call, 1, 2);
  const { descending, count } = call.attrs;
  const { shape, dtype } = call.inputs[0]!;
  check(shape.length > 0, 'a number has no order');
  const size = shape.at(-1)!;
  check(Number.isInteger(count) && count >= 0 && count <= size, `count ${count} of ${size}`);
  for (const output of call.outputs)
    checkShape('an output', output.shape, [...shape.slice(0, -1), count]);
  checkDtype('values', call.outputs[0]!.dtype, dtype);
  checkDtype('indices', call.outputs[1]!.dtype, 'int64');
  const sign = descending ? -1 : 1;
  return ([x], [values, indices]) => {
    for (let row = 0; row * size < x!.length; row++) {
      const from = x!.subarray(row * size, (row + 1) * size);
      // Sorting is stable, so equal elements keep their order either way.
      const order = Array.from(from.keys()).sort((a, b) => sign * compare(from[a]!, from[b]!));
      for (let i = 0; i < count; i++) {
        values![row * count + i] = from[order[i]!]!;
        indices![row * count + i] = order[i]!;
      }
    }
  };
}

/** sorted, values -> places */
export function searchSorted(call: KernelCall<'search_sorted'>): Run {
  arity(call, 2);
  const [rows, values] = call.inputs.map((input) => input.shape);
  check(rows!.length > 0 && values!.length === rows!.length, 'rows and values differ in rank');
  checkShape('values (..R)', values!.slice(0, -1), rows!.slice(0, -1));
  checkShape('the output', call.outputs[0]!.shape, values!);
  checkDtype('values', call.inputs[1]!.dtype, call.inputs[0]!.dtype);
  checkDtype('the output', call.outputs[0]!.dtype, 'int64');
  const [size, count] = [rows!.at(-1)!, values!.at(-1)!];
  const least = call.attrs.right ? 1 : 0;
  return ([sorted, wanted], [out]) => {
    for (let i = 0; i < wanted!.length; i++) {
      const row = Math.floor(i / count) * size;
      let place = 0;
      while (place < size && compare(sorted![row + place]!, wanted![i]!) < least) place++;
      out![i] = place;
    }
  };
}
