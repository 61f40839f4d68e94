/**
 * Turns a group of pointwise calls into the body of one `pointwise` kernel: registers for the
 * inputs, one step a call, and the conversions between compute types that the dtypes ask for.
 */

import type { ComputeType, DType } from '../base/dtype.ts';
import { computeType } from '../base/dtype.ts';
import { assert } from '../base/errors.ts';
import type { PointwiseFn } from '../engine/kernels.ts';
import type { Call, IR } from './ir.ts';
import { sumFlops } from './ir.ts';
import { attrKey } from './key.ts';

interface Register {
  readonly index: number;
  readonly type: ComputeType;
}

/** The fused call: `members` in order, giving the values in `results`. */
export function buildBody(
  ir: IR,
  members: readonly Call[],
  constants: ReadonlyMap<number, number>,
  results: readonly number[],
): Call {
  const inputs = externalInputs(members, constants);
  const body = new BodyBuilder(ir, inputs, constants);
  for (const member of members) body.append(member);
  return {
    kernel: 'pointwise',
    attrs: body.attrs(results),
    inputs,
    outputs: results,
    label: [...new Set(members.map((member) => member.label))].join(' + '),
    flops: sumFlops(members),
  };
}

/** The values that `members` read and neither make nor know as constants. */
export function externalInputs(members: readonly Call[], constants: ReadonlyMap<number, number>) {
  const inside = new Set(members.map((member) => member.outputs[0]!));
  const inputs = new Set<number>();
  for (const member of members) {
    for (const input of member.inputs) {
      if (!(inside.has(input) || constants.has(input))) inputs.add(input);
    }
  }
  return [...inputs];
}

class BodyBuilder {
  readonly #fns: PointwiseFn[] = [];
  readonly #types: ComputeType[] = [];
  readonly #args: number[] = [];
  readonly #imms: number[] = [];
  readonly #registers = new Map<number, Register>();
  readonly #casts = new Map<string, Register>();

  constructor(
    readonly ir: IR,
    readonly inputs: readonly number[],
    readonly constants: ReadonlyMap<number, number>,
  ) {
    inputs.forEach((value, index) => {
      this.#registers.set(value, { index, type: computeType(this.#dtype(value)) });
    });
  }

  append(call: Call): void {
    const output = call.outputs[0]!;
    const dtype = this.#dtype(output);
    const exact = call.fn === 'cast' ? this.#convert(call.inputs[0]!, dtype) : this.#compute(call);
    this.#registers.set(output, this.#narrow(exact, dtype));
  }

  attrs(results: readonly number[]) {
    return {
      fns: this.#fns,
      types: this.#types,
      args: this.#args,
      imms: this.#imms,
      results: results.map((value) => {
        const register = this.#registers.get(value);
        assert(register !== undefined, `group result ${value} was not computed`);
        return register.index;
      }),
    };
  }

  #dtype(value: number): DType {
    return this.ir.types[value]!.dtype;
  }

  #compute(call: Call): Register {
    const type = this.#operandType(call);
    return this.#step(
      call.fn!,
      type,
      call.inputs.map((input) => this.#as(input, type)),
    );
  }

  /** The last operand decides (`where`'s first is its condition); masks stay as they are. */
  #operandType(call: Call): ComputeType {
    const last = call.inputs[call.inputs.length - 1]!;
    if (this.#dtype(last) === 'bool') {
      return this.#registers.get(last)?.type ?? 'int64';
    }
    return computeType(this.#dtype(last));
  }

  /** The register of `value` in `type`, with a cast step where it is held in another one. */
  #as(value: number, type: ComputeType): Register {
    const constant = this.constants.get(value);
    if (constant !== undefined)
      return this.#cached(`const ${attrKey(constant)} ${type}`, () =>
        this.#step('const', type, [], constant),
      );
    const register = this.#registers.get(value);
    assert(register !== undefined, `value ${value} is read before it is computed`);
    if (register.type === type) return register;
    return this.#cached(`cast ${value} ${type}`, () => this.#step('cast', type, [register]));
  }

  #cached(key: string, make: () => Register): Register {
    const known = this.#casts.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#casts.set(key, made);
    return made;
  }

  /** The value of an explicit cast to `dtype`, before narrowing. */
  #convert(value: number, dtype: DType): Register {
    if (dtype !== 'bool') return this.#as(value, computeType(dtype));
    // Truth is decided before anything is truncated: 0.5 is true.
    const from = this.#dtype(value);
    const register = this.#as(value, computeType(from));
    return from === 'bool' ? register : this.#step('to_bool', register.type, [register]);
  }

  /** Rounds to what a narrower dtype can hold, so that fusing changes no result. */
  #narrow(register: Register, dtype: DType): Register {
    switch (dtype) {
      case 'bfloat16':
        return this.#step('to_bfloat16', 'float32', [register]);
      case 'float16':
        return this.#step('to_float16', 'float32', [register]);
      case 'int32':
        return this.#step('to_int32', 'int64', [register]);
      case 'uint8':
        return this.#step('to_uint8', 'int64', [register]);
      default:
        return register;
    }
  }

  #step(fn: PointwiseFn, type: ComputeType, args: readonly Register[], imm = 0): Register {
    this.#fns.push(fn);
    this.#types.push(type);
    for (let i = 0; i < 3; i++) this.#args.push(args[i]?.index ?? -1);
    this.#imms.push(imm);
    return { index: this.inputs.length + this.#fns.length - 1, type };
  }
}
