/**
 * One case of the op table: what goes in, the op in torchts, and the same op in PyTorch. The tests
 * beside this file run every case forward, backward, twice backward and on every engine.
 */

import { type DType, isFloating, toHostArray } from '../../src/base/dtype.ts';
import { isHalfWidth } from '../../src/base/half-width.ts';
import { philox4x32 } from '../../src/base/philox.ts';
import { numel, type Shape } from '../../src/base/shape.ts';
import { Tensor, tensor } from '../../src/index.ts';

/** One input with its numbers, all of which every dtype it is used in can hold exactly. */
export interface Input {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly values: readonly number[];
}

export interface OpCase {
  /** Distinct in the whole table; it also chooses the numbers. */
  readonly name: string;
  /** The row of the op table, or the composite, that the case is about. */
  readonly op: string;
  readonly inputs: readonly Input[];
  run(...inputs: Tensor[]): Tensor | readonly Tensor[];
  /** The same in PyTorch, over `a`, `b`, ...; the recorded results are what `run` must give. */
  readonly torch?: string;
  /** What `run` must give where PyTorch has no such op: the elements of each output. */
  readonly expected?: readonly (readonly number[])[];
  /** False where gradients are not compared: there are none, or an input is not finite. */
  readonly grad: boolean;
  /** False where the function has a kink at the given point, so that differences mean nothing. */
  readonly smooth: boolean;
  /** False where the gradient is right but its own gradient is known not to be. */
  readonly twice: boolean;
}

/** What a case may say instead of the usual. */
export type CaseOptions = Partial<Pick<OpCase, 'torch' | 'expected' | 'grad' | 'smooth' | 'twice'>>;

/** An input still without numbers: `domain` says which it gets when the case is made. */
export interface Slot {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly domain: Domain | readonly number[];
}

/**
 * - `any`: distinct odd multiples of 1/64 in (-2, 2), so never at a kink, a tie or an integer.
 * - `positive`: the same in (0.25, 4.25).
 */
export type Domain = 'any' | 'positive';

type SlotMaker = (...shape: number[]) => Slot;

const slotMaker =
  (dtype: DType, domain: Domain = 'any'): SlotMaker =>
  (...shape) => ({ dtype, shape, domain });

export const f32 = slotMaker('float32');
export const f64 = slotMaker('float64');
export const bf16 = slotMaker('bfloat16');
export const i64 = slotMaker('int64');
export const i32 = slotMaker('int32');
export const u8 = slotMaker('uint8');
export const bool = slotMaker('bool');

/** An input with these numbers. */
export function values(dtype: DType, shape: Shape, numbers: readonly number[]): Slot {
  return { dtype, shape, domain: numbers };
}

/** The slot with numbers of `domain`, unless it has its own. */
export function within(domain: Domain, slot: Slot): Slot {
  return typeof slot.domain === 'string' ? { ...slot, domain } : slot;
}

export function opCase(
  op: string,
  detail: string,
  slots: readonly Slot[],
  run: OpCase['run'],
  options: CaseOptions = {},
): OpCase {
  const name = `${op}: ${detail}`;
  const draw = new Pool(name);
  const inputs = slots.map((slot) => ({
    dtype: slot.dtype,
    shape: slot.shape,
    values: typeof slot.domain === 'string' ? draw.take(slot, slot.domain) : slot.domain,
  }));
  return { name, op, inputs, run, grad: true, smooth: true, twice: true, ...options };
}

/** Numbers in an order that depends on the case's name, no float twice in one case. */
class Pool {
  readonly #key: number;
  #taken = 0;
  #block = 0;
  readonly #order: number[];

  constructor(name: string) {
    this.#key = [...name].reduce((hash, c) => (Math.imul(hash, 31) + c.charCodeAt(0)) | 0, 7) >>> 0;
    this.#order = Array.from({ length: 128 }, (_, i) => i);
    for (let i = this.#order.length - 1; i > 0; i--) {
      const j = this.#word() % (i + 1);
      [this.#order[i], this.#order[j]] = [this.#order[j]!, this.#order[i]!];
    }
  }

  #word(): number {
    return philox4x32([this.#block++, 0, 0, 0], [this.#key, 0])[0];
  }

  take({ dtype, shape }: Slot, domain: Domain): number[] {
    return Array.from({ length: numel(shape) }, () => {
      const place = this.#order[this.#taken++ % this.#order.length]!;
      if (dtype === 'bool') return place % 2;
      if (dtype === 'uint8') return place % 7;
      if (!isFloating(dtype)) return (place % 9) - 4;
      return (2 * place + 1) / 64 + (domain === 'positive' ? 0.25 : -2);
    });
  }
}

/** The inputs of a case as tensors of the current engine. */
export function tensorsOf({ inputs }: OpCase, dtypeOf = (input: Input) => input.dtype): Tensor[] {
  return inputs.map((input) => {
    const dtype = dtypeOf(input);
    return tensor(toHostArray(isHalfWidth(dtype) ? 'float32' : dtype, input.values), {
      dtype,
      shape: input.shape,
    });
  });
}

export function listOf(result: Tensor | readonly Tensor[]): readonly Tensor[] {
  return result instanceof Tensor ? [result] : result;
}

/** The numbers of a tensor. */
export function numbersOf(x: Tensor): number[] {
  return Array.from(x.dataSync(), Number);
}

/** What gradients are asked for: d(sum of cotangent * output), with unequal cotangents. */
export function cotangent(count: number): number[] {
  return Array.from({ length: count }, (_, i) => ((i * 5) % 7) / 4 - 0.625);
}
