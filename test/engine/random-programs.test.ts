/**
 * Random Programs on both engines: values that live long and short, aliases, several consumers and
 * state that is updated. What goes wrong in an arena plan or an in-place choice shows here.
 */

import { afterAll, describe, expect, test } from 'vitest';
import { toHostArray } from '../../src/base/dtype.ts';
import { numel } from '../../src/base/shape.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import type { Attrs, Binding, Instruction, Program, ValueType } from '../../src/engine/program.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { list } from './buffers.ts';
import { type Random, seeded, type } from './cases/case.ts';
import { group } from './cases/groups.ts';

/** Every value is (A, B), (B, A), (A * B,) or (B,). */
const A = 5;
const B = 7;
/** Absolute: values are of order 1, though differences of nearly equal ones are small. */
const TOLERANCE = 1e-5;

class ProgramBuilder {
  readonly values: ValueType[] = [];
  readonly instructions: Instruction[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  value(...shape: number[]): number {
    return this.values.push(type('float32', ...shape)) - 1;
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  /** A value of this shape made before, recent ones more often; undefined when there is none. */
  pick(...shape: number[]): number | undefined {
    const found = this.values.flatMap((known, i) => (`${known.shape}` === `${shape}` ? [i] : []));
    return found[Math.floor(found.length * Math.sqrt(this.#random()))];
  }

  add(kernel: Instruction['kernel'], inputs: number[], attrs: object, ...shapes: number[][]): void {
    const outputs = shapes.map((shape) => this.value(...shape));
    const label = `${kernel} ${this.instructions.length}`;
    this.instructions.push({ kernel, inputs, outputs, attrs: attrs as Attrs, label });
  }

  /** One more instruction. Numbers stay within [-2, 2], so that errors do not grow. */
  step(): void {
    const x = this.pick(A, B)!;
    const y = this.pick(A, B)!;
    const row = this.pick(B);
    const flat = this.pick(A * B);
    const turned = this.pick(B, A);
    const halfDifference = group(2, [
      ['sub', 'float32', [0, 1]],
      ['const', 'float32', [], 0.5],
      ['mul', 'float32', [2, 3]],
    ]);
    const extremes = group(
      2,
      [
        ['maximum', 'float32', [0, 1]],
        ['minimum', 'float32', [0, 1]],
      ],
      [2, 3],
    );
    const choices: (() => void)[] = [
      () => this.add('pointwise', [x, y], halfDifference, [A, B]),
      () => this.add('pointwise', [x, y], extremes, [A, B], [A, B]),
      () => this.add('copy_view', [x], { offset: 0, strides: [1, B] }, [B, A]),
      () => this.add('copy_view', [x], { offset: A * B - 1, strides: [-B, -1] }, [A, B]),
      () => this.add('alias', [x], {}, [A * B]),
      () => this.add('reduce', [x], { fn: 'amax', dims: [0] }, [B]),
    ];
    if (row !== undefined) {
      choices.push(() => this.add('pointwise', [row, x], halfDifference, [A, B]));
    }
    if (flat !== undefined) choices.push(() => this.add('alias', [flat], {}, [A, B]));
    if (turned !== undefined) {
      choices.push(
        () => this.add('softmax', [turned], { dim: 0 }, [B, A]),
        () => this.add('copy_view', [turned], { offset: 0, strides: [1, A] }, [A, B]),
      );
    }
    choices[Math.floor(choices.length * this.#random())]!();
  }
}

function randomProgram(random: Random): Program {
  const builder = new ProgramBuilder(random);
  const states = [0, 1, 2].map(() => builder.value(A, B));
  const scalar = builder.value();
  const shift = group(2, [['mul', 'float32', [0, 1]]]);
  builder.add('pointwise', [states[0]!, scalar], shift, [A, B]);
  const length = 3 + Math.floor(40 * random());
  for (let i = 0; i < length; i++) builder.step();

  const bindings: Binding[] = states.map((value) =>
    builder.chance(0.6)
      ? { access: 'update', value, result: builder.pick(A, B)! }
      : { access: 'read', value },
  );
  for (const shape of [[A, B], [A, B], [B, A], [A * B], [B]]) {
    const value = builder.pick(...shape);
    if (value !== undefined && builder.chance(0.7)) bindings.push({ access: 'write', value });
  }
  bindings.push({ access: 'write', value: builder.values.length - 1 });
  return {
    values: builder.values,
    instructions: builder.instructions,
    bindings,
    scalars: [scalar],
  };
}

/** Every bound buffer after each of three runs. */
function contentsAfterRuns(engine: Engine, program: Program, seed: string) {
  const random = seeded(seed);
  const storages = program.bindings.map(({ value }) => {
    const storage = engine.allocate('float32', numel(program.values[value]!.shape));
    const numbers = Float64Array.from({ length: storage.numel }, () => 2 * random() - 1);
    engine.write(storage, toHostArray('float32', numbers));
    return storage;
  });
  const executable = engine.load(program);
  const contents = [1, 0.5, -0.25].map((scalar) => {
    executable.runSync(storages, [scalar]);
    return storages.map((storage) => engine.readSync(storage));
  });
  executable.dispose();
  return contents;
}

const cpu = cpuEngine();
const threadsBefore = cpu.threads;

afterAll(() => {
  cpu.setThreads(threadsBefore);
});

describe.each([1, 2])('with %i threads', (threads) => {
  test.each(Array.from({ length: 150 }, (_, i) => i))('random Program %i', (i) => {
    cpu.setThreads(threads);
    const program = randomProgram(seeded(`program ${i}`));
    const expected = contentsAfterRuns(referenceEngine(), program, `data ${i}`);
    const actual = contentsAfterRuns(cpu, program, `data ${i}`);
    expected.forEach((buffers, run) => {
      buffers.forEach((buffer, binding) => {
        const got = list(actual[run]![binding]!);
        const errors = list(buffer).map((value, k) => Math.abs(value - got[k]!));
        expect(Math.max(...errors), `run ${run}, binding ${binding}`).toBeLessThan(TOLERANCE);
      });
    });
  });
});
