/** Checks that a Program is well formed. Run on every plan: a broken one is a bug of ours. */

import { isDType } from '../base/dtype.ts';
import { assert } from '../base/errors.ts';
import type { Program, ValueType } from '../engine/program.ts';

/** Throws unless every value is made once, before it is read, and every result exists. */
export function verify(program: Program): void {
  const { values, instructions, bindings, scalars } = program;
  const made = new Array<boolean>(values.length).fill(false);
  const define = (value: number, by: string) => {
    assert(
      Number.isInteger(value) && value >= 0 && value < values.length,
      `${by}: no value ${value}`,
    );
    assert(!made[value], `${by}: value ${value} is made twice`);
    made[value] = true;
  };
  const read = (value: number, by: string) => {
    assert(made[value] === true, `${by}: value ${value} is read before it is made`);
  };

  values.forEach((value, id) => {
    const sane =
      isDType(value.dtype) && value.shape.every((size) => Number.isInteger(size) && size >= 0);
    assert(sane, `value ${id} has type ${text(value)}`);
  });
  bindings.forEach((binding, i) => {
    if (binding.access !== 'write') define(binding.value, `binding ${i}`);
  });
  scalars.forEach((value, i) => {
    define(value, `scalar ${i}`);
    assert(values[value]!.shape.length === 0, `scalar ${i} is not zero-dimensional`);
  });
  for (const [i, instruction] of instructions.entries()) {
    const by = `instruction ${i} ${instruction.kernel} (${instruction.label})`;
    for (const input of instruction.inputs) read(input, by);
    for (const output of instruction.outputs) define(output, by);
  }
  bindings.forEach((binding, i) => {
    if (binding.access === 'write') read(binding.value, `binding ${i}`);
    if (binding.access !== 'update') return;
    read(binding.result, `binding ${i}`);
    const [from, to] = [text(values[binding.value]!), text(values[binding.result]!)];
    assert(from === to, `binding ${i}: ${from} is updated with ${to}`);
  });
}

function text({ dtype, shape }: ValueType): string {
  return `${dtype} [${shape}]`;
}
