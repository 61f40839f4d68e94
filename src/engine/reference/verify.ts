/** Checks that a Program is well formed: every value made exactly once, and before it is read. */

import { EngineError } from '../../base/errors.ts';
import { formatShape, numel } from '../../base/shape.ts';
import type { Program, ValueType } from '../program.ts';
import { KERNELS } from './table.ts';

/** What an error is about: a binding, a scalar, or a kernel and the label of its instruction. */
interface Place {
  readonly what: string;
  readonly label?: string;
}

/** Throws `EngineError` naming the first binding, scalar or instruction that is wrong. */
export function verifyProgram(program: Program): void {
  const { values, instructions, bindings, scalars } = program;
  const made = new Set<number>();
  const make = (value: number, place: Place) => {
    checkIndex(program, value, place);
    demand(!made.has(value), place, `value ${value} is made a second time`);
    made.add(value);
  };
  const read = (value: number, place: Place) => {
    checkIndex(program, value, place);
    demand(made.has(value), place, `value ${value} is read before it is made`);
  };

  bindings.forEach((binding, i) => {
    if (binding.access !== 'write') make(binding.value, { what: `binding ${i}` });
  });
  scalars.forEach((value, i) => {
    const place = { what: `scalar ${i}` };
    make(value, place);
    const { shape } = values[value]!;
    demand(shape.length === 0, place, `has shape ${formatShape(shape)}, not ()`);
  });
  for (const { kernel, inputs, outputs, label } of instructions) {
    const place = { what: kernel, label };
    demand(Object.hasOwn(KERNELS, kernel), place, 'there is no such kernel');
    for (const value of inputs) read(value, place);
    for (const value of outputs) make(value, place);
  }
  bindings.forEach((binding, i) => {
    const place = { what: `binding ${i}` };
    if (binding.access === 'write') read(binding.value, place);
    if (binding.access !== 'update') return;
    read(binding.result, place);
    const [before, after] = [values[binding.value]!, values[binding.result]!];
    const fits = before.dtype === after.dtype && numel(before.shape) === numel(after.shape);
    demand(fits, place, `${formatType(before)} cannot be updated by ${formatType(after)}`);
  });
}

/** `float32 (2, 3)` */
export function formatType({ dtype, shape }: ValueType): string {
  return `${dtype} ${formatShape(shape)}`;
}

function checkIndex({ values }: Program, value: number, place: Place): void {
  demand(
    Number.isInteger(value) && value >= 0 && value < values.length,
    place,
    `value ${value} is not one of the Program's ${values.length}`,
  );
}

function demand(condition: boolean, { what, label }: Place, message: string): void {
  if (condition) return;
  throw new EngineError(`[${what}] ${message}${label === undefined ? '' : ` (at ${label})`}`);
}
