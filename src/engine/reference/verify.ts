/** Checks that a Program is well formed: every value made exactly once, and before it is read. */

import { EngineError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import type { Program, ValueType } from '../program.ts';
import { KERNELS } from './table.ts';

/** Throws `EngineError` naming the first binding, scalar or instruction that is wrong. */
export function verifyProgram(program: Program): void {
  const { values, instructions, bindings, scalars } = program;
  const made = new Set<number>();
  const make = (value: number, where: string) => {
    checkIndex(program, value, where);
    demand(!made.has(value), where, `value ${value} is made a second time`);
    made.add(value);
  };
  const read = (value: number, where: string) => {
    checkIndex(program, value, where);
    demand(made.has(value), where, `value ${value} is read before it is made`);
  };

  bindings.forEach((binding, i) => {
    if (binding.access !== 'write') make(binding.value, `binding ${i}`);
  });
  scalars.forEach((value, i) => {
    make(value, `scalar ${i}`);
    const { shape } = values[value]!;
    demand(shape.length === 0, `scalar ${i}`, `has shape ${formatShape(shape)}, not ()`);
  });
  instructions.forEach(({ kernel, inputs, outputs, label }, i) => {
    const where = `instruction ${i}: ${kernel}, ${label}`;
    demand(Object.hasOwn(KERNELS, kernel), where, 'there is no such kernel');
    for (const value of inputs) read(value, where);
    for (const value of outputs) make(value, where);
  });
  bindings.forEach((binding, i) => {
    const where = `binding ${i}`;
    if (binding.access === 'write') read(binding.value, where);
    if (binding.access !== 'update') return;
    read(binding.result, where);
    const [before, after] = [values[binding.value]!, values[binding.result]!];
    const fits = before.dtype === after.dtype && sameShape(before.shape, after.shape);
    demand(fits, where, `${formatType(before)} cannot be updated by ${formatType(after)}`);
  });
}

/** `float32 (2, 3)` */
export function formatType({ dtype, shape }: ValueType): string {
  return `${dtype} ${formatShape(shape)}`;
}

function checkIndex({ values }: Program, value: number, where: string): void {
  demand(
    Number.isInteger(value) && value >= 0 && value < values.length,
    where,
    `value ${value} is not one of the Program's ${values.length}`,
  );
}

function demand(condition: boolean, where: string, message: string): void {
  if (!condition) throw new EngineError(`[${where}] ${message}`);
}
