/** gather_rows and scatter_rows: rows of a table chosen by indices. */

import { numel, type Shape } from '../../base/shape.ts';
import {
  arity,
  check,
  checkDtype,
  checkFloating,
  checkShape,
  type KernelCall,
  type Run,
} from './kernel.ts';

/** Elements of a row, after checking that `rows` are rows of `table` by `index`. */
function rowSize(table: Shape, index: Shape, rows: Shape): number {
  check(table.length > 0, 'the table has no rows');
  checkShape('the rows', rows, [...index, ...table.slice(1)]);
  return numel(table.slice(1));
}

function checkRow(row: number, rows: number): void {
  check(row >= 0 && row < rows, `index ${row} is out of range for ${rows} rows`);
}

/** table, index -> out */
export function gatherRows(call: KernelCall<'gather_rows'>): Run {
  arity(call, 2);
  const [table, index] = call.inputs.map((input) => input.shape) as [Shape, Shape];
  checkDtype('index', call.inputs[1]!.dtype, 'int32', 'int64');
  checkDtype('the output', call.outputs[0]!.dtype, call.inputs[0]!.dtype);
  const size = rowSize(table, index, call.outputs[0]!.shape);
  return ([from, chosen], [out]) => {
    for (const [i, row] of chosen!.entries()) {
      checkRow(row, table[0]!);
      out!.set(from!.subarray(row * size, (row + 1) * size), i * size);
    }
  };
}

/** src, index -> out */
export function scatterRows(call: KernelCall<'scatter_rows'>): Run {
  arity(call, 2);
  const [src, index] = call.inputs.map((input) => input.shape) as [Shape, Shape];
  const out = call.outputs[0]!;
  checkDtype('index', call.inputs[1]!.dtype, 'int32', 'int64');
  checkFloating({ ...call, inputs: call.inputs.slice(0, 1) });
  const size = rowSize(out.shape, index, src);
  return ([from, chosen], [to]) => {
    for (const [i, row] of chosen!.entries()) {
      checkRow(row, out.shape[0]!);
      if (row === call.attrs.padding) continue;
      for (let c = 0; c < size; c++) to![row * size + c]! += from![i * size + c]!;
    }
  };
}
