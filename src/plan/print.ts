/** A Program as text, one line an instruction, for people and for tests. */

import { formatShape } from '../base/shape.ts';
import type { Instruction, Program } from '../engine/program.ts';

/** `%4 = conv2d_fwd(%0, %1)  float32 (4, 6, 28, 28)  # conv2d (conv1)` and so on. */
export function printProgram(program: Program): string {
  const type = (value: number) => {
    const { dtype, shape } = program.values[value]!;
    return `${dtype} ${formatShape(shape)}`;
  };
  const lines = program.bindings.map((binding, i) => {
    const result = binding.access === 'update' ? ` <- %${binding.result}` : '';
    return `binding ${i}: ${binding.access} %${binding.value}${result}  ${type(binding.value)}`;
  });
  program.scalars.forEach((value, i) => {
    lines.push(`scalar ${i}: %${value}  ${type(value)}`);
  });
  for (const instruction of program.instructions) {
    const outputs = instruction.outputs.map((value) => `%${value}`).join(', ');
    const inputs = instruction.inputs.map((value) => `%${value}`).join(', ');
    const types = instruction.outputs.map(type).join(', ');
    lines.push(
      `${outputs} = ${instruction.kernel}${detail(instruction)}(${inputs})  ${types}  # ${instruction.label}`,
    );
  }
  return lines.join('\n');
}

function detail(instruction: Instruction): string {
  if (instruction.kernel === 'pointwise')
    return `[${(instruction.attrs.fns as string[]).join(' ')}]`;
  const entries = Object.entries(instruction.attrs);
  if (entries.length === 0) return '';
  return `{${entries.map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')}}`;
}
