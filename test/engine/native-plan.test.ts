/** The native engine's plan, read back from its text: no two values that live overlap. */

import { describe, expect, test } from 'vitest';
import { itemsize } from '../../src/base/dtype.ts';
import { numel } from '../../src/base/shape.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import type { Binding, Instruction, Program, ValueType } from '../../src/engine/program.ts';
import { add } from './buffers.ts';
import { type Random, seeded, type } from './cases/case.ts';

interface Range {
  readonly begin: number;
  readonly end: number;
}

interface PlannedValue {
  /** `arena` or `binding 3`. */
  readonly place: string;
  readonly range: Range;
  readonly inPlaceOf: number | undefined;
}

interface Plan {
  readonly arena: number;
  readonly values: ReadonlyMap<number, PlannedValue>;
  readonly scratch: ReadonlyMap<number, Range>;
}

const range = (offset: number, bytes: number): Range => ({ begin: offset, end: offset + bytes });

function parsePlan(text: string, values: readonly ValueType[]): Plan {
  const planned = new Map<number, PlannedValue>();
  const scratch = new Map<number, Range>();
  for (const line of text.split('\n')) {
    const value = /^value (\d+) .*? (?:arena (\d+)\+(\d+)|(binding \d+)) life/.exec(line);
    if (value !== null) {
      const index = Number(value[1]);
      const inPlace = /in place of (\d+)/.exec(line);
      planned.set(index, {
        place: value[4] ?? 'arena',
        range:
          value[4] === undefined
            ? range(Number(value[2]), Number(value[3]))
            : range(0, bytes(values[index]!)),
        inPlaceOf: inPlace === null ? undefined : Number(inPlace[1]),
      });
    }
    const call = /^instruction (\d+) .* scratch (\d+)\+(\d+)/.exec(line);
    if (call !== null) scratch.set(Number(call[1]), range(Number(call[2]), Number(call[3])));
  }
  return { arena: Number(/^arena (\d+)/.exec(text)![1]), values: planned, scratch };
}

const bytes = ({ dtype, shape }: ValueType): number => numel(shape) * itemsize(dtype);
const overlap = (a: Range, b: Range): boolean => a.begin < b.end && b.begin < a.end;

interface Life {
  first: number;
  last: number;
}

/** When each alias group is needed, worked out from the Program alone. Keys are roots. */
function livesOf({ values, instructions, bindings, scalars }: Program) {
  const roots = values.map((_, i) => i);
  const lives = new Map<number, Life>();
  for (const { access, value } of bindings) {
    if (access !== 'write') lives.set(value, { first: -1, last: -1 });
  }
  for (const value of scalars) lives.set(value, { first: -1, last: -1 });
  instructions.forEach(({ kernel, inputs, outputs }, step) => {
    if (kernel === 'alias') {
      roots[outputs[0]!] = roots[inputs[0]!]!;
      return;
    }
    for (const input of inputs) lives.get(roots[input]!)!.last = step;
    for (const output of outputs) lives.set(output, { first: step, last: step });
  });
  for (const binding of bindings) {
    if (binding.access === 'read') continue;
    const result = binding.access === 'update' ? binding.result : binding.value;
    lives.get(roots[result]!)!.last = instructions.length;
  }
  return { roots, lives };
}

/** Two values may meet in one step only where that step writes the second over the first. */
function expectApart(program: Program, plan: Plan): void {
  const { roots, lives } = livesOf(program);
  const groups = [...lives].map(([root, life]) => ({ root, life, ...plan.values.get(root)! }));
  for (const a of groups) {
    for (const b of groups) {
      if (a.root >= b.root || a.place !== b.place || !overlap(a.range, b.range)) continue;
      const [earlier, later] = a.life.first <= b.life.first ? [a, b] : [b, a];
      const step = later.life.first;
      const message = `values ${earlier.root} and ${later.root} meet at step ${step}`;
      if (earlier.life.last < step) continue;
      expect(earlier.life.last, message).toBe(step);
      const { inputs, outputs } = program.instructions[step]!;
      expect(outputs, message).toContain(later.root);
      expect(
        inputs.map((input) => roots[input]),
        message,
      ).toContain(earlier.root);
      if (later.place === 'arena') expect(later.inPlaceOf, message).toBe(earlier.root);
    }
  }
  for (const [step, scratch] of plan.scratch) {
    expect(scratch.end).toBeLessThanOrEqual(plan.arena);
    for (const { root, life, place, range: used } of groups) {
      const alive = place === 'arena' && life.first <= step && step <= life.last;
      if (alive) expect(overlap(used, scratch), `value ${root}, scratch of ${step}`).toBe(false);
    }
  }
}

/** Products, sums, exchanges of shape and state, over 4 x 4 matrices. */
function randomProgram(random: Random): Program {
  const values: ValueType[] = [];
  const instructions: Instruction[] = [];
  const value = (...shape: number[]) => values.push(type('float32', ...shape)) - 1;
  const matrices = [value(4, 4), value(4, 4), value(4, 4)];
  const states = [...matrices];
  const scalar = value();
  const pick = () => matrices[Math.floor(matrices.length * Math.sqrt(random()))]!;
  const steps = 1 + Math.floor(30 * random());
  for (let i = 0; i < steps; i++) {
    const [a, b] = [pick(), pick()];
    const kind = Math.floor(4 * random());
    const out = value(4, 4);
    if (kind === 0) {
      const attrs = { transpose_a: random() < 0.5, transpose_b: random() < 0.5 };
      instructions.push({ kernel: 'matmul', inputs: [a, b], outputs: [out], attrs, label: 'mm' });
    } else if (kind === 1) {
      instructions.push({ kernel: 'alias', inputs: [a], outputs: [out], attrs: {}, label: 'view' });
    } else {
      instructions.push(add(a, kind === 2 ? b : scalar, out));
    }
    matrices.push(out);
  }
  const bindings: Binding[] = states.map((state) =>
    random() < 0.7
      ? { access: 'update', value: state, result: pick() }
      : { access: 'read', value: state },
  );
  for (let i = 0; i < 3; i++) bindings.push({ access: 'write', value: pick() });
  return { values, instructions, bindings, scalars: [scalar] };
}

describe('the plan', () => {
  test('keeps live values apart in 200 random Programs', () => {
    let inPlace = 0;
    for (let seed = 0; seed < 200; seed++) {
      const program = randomProgram(seeded(`plan ${seed}`));
      const executable = cpuEngine().load(program);
      const plan = parsePlan(executable.plan(), program.values);
      expect(plan.values.size).toBe(program.values.length);
      expect(plan.arena).toBe(executable.memory.arena_bytes);
      for (const { place, range: used } of plan.values.values()) {
        if (place === 'arena') expect(used.end).toBeLessThanOrEqual(plan.arena);
      }
      expectApart(program, plan);
      inPlace += [...plan.values.values()].filter((v) => v.inPlaceOf !== undefined).length;
      executable.dispose();
    }
    expect(inPlace).toBeGreaterThan(50);
  });

  test('computes an update in the bound buffer when its old contents are no longer needed', () => {
    const program: Program = {
      values: [type('float32', 8), type('float32', 8), type('float32', 8)],
      instructions: [add(0, 1, 2)],
      bindings: [
        { access: 'update', value: 0, result: 2 },
        { access: 'read', value: 1 },
      ],
      scalars: [],
    };
    const direct = cpuEngine().load(program).plan();
    expect(direct).toMatch(/^value 2 .* binding 0 /m);
    expect(direct).not.toMatch(/^copy/m);
    // A later reader of the old contents forbids it.
    const values = [...program.values, type('float32', 8)];
    const bindings: Binding[] = [...program.bindings, { access: 'write', value: 3 }];
    const instructions = [...program.instructions, add(0, 1, 3)];
    const copied = cpuEngine()
      .load({ ...program, values, instructions, bindings })
      .plan();
    expect(copied).toMatch(/^value 2 .* arena /m);
    expect(copied).toMatch(/^copy 2 value 2 arena \d+\+32 -> binding 0$/m);
  });
});
