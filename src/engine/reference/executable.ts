/** A Program made ready to run in float64: one checked closure an instruction, run in order. */

import { itemsize } from '../../base/dtype.ts';
import { EngineError } from '../../base/errors.ts';
import { numel } from '../../base/shape.ts';
import type {
  Executable,
  KernelTiming,
  MemoryPlan,
  RunArguments,
  RunClock,
  Storage,
} from '../engine.ts';
import type { Instruction, Program, ValueType } from '../program.ts';
import type { KernelFunction, Run } from './kernel.ts';
import { own, type ReferenceStorage } from './storage.ts';
import { KERNELS } from './table.ts';
import { convertTo } from './values.ts';
import { formatType, verifyProgram } from './verify.ts';

export class ReferenceExecutable implements Executable {
  readonly memory: MemoryPlan;
  readonly kernels: readonly KernelTiming[];
  readonly #program: Program;
  readonly #runs: readonly Run[];
  #disposed = false;

  /** Throws `EngineError` naming the instruction that is wrong. */
  constructor(program: Program) {
    verifyProgram(program);
    this.#program = program;
    this.#runs = program.instructions.map((instruction) => prepare(program, instruction));
    this.memory = planMemory(program);
    this.kernels = program.instructions.map(({ label, kernel, flops = 0 }) => ({
      label,
      kernel,
      method: 'reference',
      flops,
    }));
  }

  /** Computes before it returns, so runs, reads and writes happen in the order of the calls. */
  async run(storages: readonly Storage[], scalars: readonly number[]): Promise<void> {
    this.runSync(storages, scalars);
  }

  async runMany(runs: readonly RunArguments[]): Promise<void> {
    for (const { storages, scalars } of runs) this.runSync(storages, scalars);
  }

  runSync(storages: readonly Storage[], scalars: readonly number[]): void {
    this.#runThrough(storages, scalars, () => undefined);
  }

  async profile(storages: readonly Storage[], scalars: readonly number[]): Promise<RunClock> {
    const clock: number[] = [];
    const mark = () => clock.push(performance.now());
    this.#runThrough(storages, scalars, mark);
    mark();
    return Float64Array.from(clock);
  }

  /** Calls `mark` before each instruction and after the last. */
  #runThrough(storages: readonly Storage[], scalars: readonly number[], mark: () => void): void {
    if (this.#disposed) throw new EngineError('[run] the executable was disposed');
    const { bindings, instructions } = this.#program;
    const buffers = this.#checkStorages(storages);
    const values = this.#bind(buffers, scalars);
    instructions.forEach((instruction, i) => {
      mark();
      this.#execute(instruction, this.#runs[i]!, values);
    });
    mark();
    // Copies first: a result may be another binding's buffer, which must not change under it.
    const results = bindings.map((binding) => {
      if (binding.access === 'read') return undefined;
      return values[binding.access === 'update' ? binding.result : binding.value]!.slice();
    });
    results.forEach((result, i) => {
      if (result !== undefined) buffers[i]!.values.set(result);
    });
  }

  plan(): string {
    const { values, instructions, bindings, scalars } = this.#program;
    const name = (value: number) => `%${value}`;
    const lines = [
      `reference: ${values.length} values, ${this.memory.arena_bytes} bytes of them own`,
    ];
    values.forEach((type, value) => {
      const roles = bindings.flatMap((binding, i) =>
        binding.value === value ? [`${binding.access} binding ${i}`] : [],
      );
      const scalar = scalars.indexOf(value);
      if (scalar >= 0) roles.push(`scalar ${scalar}`);
      lines.push([`  ${name(value)} ${formatType(type)}`, ...roles].join(', '));
    });
    for (const { kernel, inputs, outputs, label } of instructions) {
      const call = `${kernel}(${inputs.map(name).join(', ')})`;
      lines.push(`  ${outputs.map(name).join(', ')} = ${call} [reference] ${label}`);
    }
    return lines.join('\n');
  }

  dispose(): void {
    this.#disposed = true;
  }

  #checkStorages(storages: readonly Storage[]): ReferenceStorage[] {
    const { bindings, values } = this.#program;
    if (storages.length !== bindings.length) {
      throw new EngineError(`[run] ${bindings.length} buffers are bound, got ${storages.length}`);
    }
    const written = new Set<Storage>();
    return bindings.map((binding, i) => {
      const buffer = own(storages[i]!);
      const type = values[binding.value]!;
      if (buffer.dtype !== type.dtype || buffer.numel !== numel(type.shape)) {
        throw new EngineError(
          `[run] binding ${i} is ${formatType(type)}, got a ${buffer.dtype} buffer of ${buffer.numel}`,
        );
      }
      if (binding.access !== 'read') {
        if (written.has(buffer)) {
          throw new EngineError(
            `[run] the buffer of binding ${i} is written by another binding too`,
          );
        }
        written.add(buffer);
      }
      return buffer;
    });
  }

  /** The values known before the first instruction; the others are still empty places. */
  #bind(buffers: readonly ReferenceStorage[], scalars: readonly number[]): Float64Array[] {
    const program = this.#program;
    if (scalars.length !== program.scalars.length) {
      throw new EngineError(
        `[run] ${program.scalars.length} scalars needed, got ${scalars.length}`,
      );
    }
    const values = new Array<Float64Array>(program.values.length);
    program.bindings.forEach((binding, i) => {
      const contents = buffers[i]!.values; // throws when disposed, also for `write`
      if (binding.access !== 'write') values[binding.value] = contents;
    });
    program.scalars.forEach((value, i) => {
      values[value] = Float64Array.of(scalars[i]!);
      convertTo(program.values[value]!.dtype, values[value]);
    });
    return values;
  }

  #execute(instruction: Instruction, run: Run, values: Float64Array[]): void {
    const types = instruction.outputs.map((output) => this.#program.values[output]!);
    const outputs = types.map(({ shape }) => new Float64Array(numel(shape)));
    try {
      run(
        instruction.inputs.map((input) => values[input]!),
        outputs,
      );
    } catch (error) {
      throw located(error, this.#program, instruction);
    }
    outputs.forEach((output, i) => {
      convertTo(types[i]!.dtype, output);
      values[instruction.outputs[i]!] = output;
    });
  }
}

function prepare(program: Program, instruction: Instruction): Run {
  const { kernel, attrs } = instruction;
  const types = (list: readonly number[]): ValueType[] => list.map((i) => program.values[i]!);
  // The table pairs each name with a function of that name's attributes; a Program's are untyped.
  const make = KERNELS[kernel] as unknown as KernelFunction<'alias'>;
  try {
    return make({
      attrs,
      inputs: types(instruction.inputs),
      outputs: types(instruction.outputs),
    });
  } catch (error) {
    throw located(error, program, instruction);
  }
}

/** The error with its instruction's kernel, shapes and label. */
function located(error: unknown, { values }: Program, instruction: Instruction): EngineError {
  const { kernel, inputs, outputs, label } = instruction;
  const list = (indices: readonly number[]) =>
    indices.map((index) => formatType(values[index]!)).join(', ') || 'nothing';
  const what = error instanceof Error ? error.message : String(error);
  const types = `${list(inputs)} -> ${list(outputs)}`;
  return new EngineError(`[${kernel}] ${what}; ${types} (at ${label})`, { cause: error });
}

function planMemory({ values, bindings }: Program): MemoryPlan {
  const bytes = ({ dtype, shape }: ValueType) => itemsize(dtype) * numel(shape);
  const bound = new Set(bindings.map(({ value }) => value));
  let arena_bytes = 0;
  values.forEach((type, value) => {
    if (!bound.has(value)) arena_bytes += bytes(type);
  });
  const binding_bytes = bindings.reduce((sum, { value }) => sum + bytes(values[value]!), 0);
  return { arena_bytes, binding_bytes };
}
