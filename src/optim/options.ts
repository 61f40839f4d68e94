/** Pieces of the optimizers' schemas, and how an option is read. */

import { z } from 'zod';
import { ArgumentError } from '../base/errors.ts';
import { hostScalar } from '../core/scalar.ts';
import { Tensor } from '../core/tensor.ts';

/** A learning rate: a number, or a tensor of one element that may be changed in place. */
export type Rate = number | Tensor;

/** The number that a rate is now. Not to be asked for in a trace: give it to `hostScalar`. */
export function rateOf(lr: Rate): number {
  return lr instanceof Tensor ? lr.item() : lr;
}

/** A rate's value when the option is checked. */
function isRate(value: unknown): value is Rate {
  if (value instanceof Tensor) return value.numel() === 1 && value.item() >= 0;
  return typeof value === 'number' && value >= 0 && Number.isFinite(value);
}

export const numberFrom0 = z.number().min(0);

export function rate(initial: number) {
  return z
    .custom<Rate>(isRate, {
      error: 'expected a number of at least 0, or in code a tensor of one element',
    })
    .meta({ type: 'number', minimum: 0 })
    .default(initial);
}

function isBeta(value: unknown): value is number | Tensor {
  const isOne = value instanceof Tensor && value.numel() === 1;
  const number = isOne ? value.item() : value;
  return typeof number === 'number' && number >= 0 && number < 1;
}

const beta = z
  .custom<number | Tensor>(isBeta, { error: 'expected a number of at least 0 and less than 1' })
  .meta({ type: 'number', minimum: 0, exclusiveMaximum: 1 });

/** Two numbers, or two tensors of one element, whose numbers are taken. */
export const betas = z
  .tuple([beta, beta])
  .refine(([a, b]) => a instanceof Tensor === b instanceof Tensor, {
    error: 'must be two numbers or two tensors',
  })
  .transform(([a, b]): [number, number] => [rateOf(a), rateOf(b)])
  .default([0.9, 0.999]);

/**
 * Options that choose among PyTorch's ways to compute one and the same update. They are taken, so
 * that its calls and configs need no change, and have no effect: there is one way here.
 */
const ways = {
  foreach: z.boolean().nullable().default(null),
  fused: z.boolean().nullable().default(null),
  capturable: z.boolean().default(false),
};

/** Of an optimizer that has these options, and in the same order. */
export function withoutEffect<Name extends keyof typeof ways>(...names: Name[]) {
  return Object.fromEntries(names.map((name) => [name, ways[name]])) as Pick<typeof ways, Name>;
}

/** Differentiates through the update: the step is recorded, and parameters need not be leaves. */
export const differentiable = z.boolean().default(false);
export const maximize = z.boolean().default(false);

/** What any group may hold beside its optimizer's own options. */
interface Flags {
  readonly lr: Rate;
  readonly foreach?: boolean | null;
  readonly fused?: boolean | null;
  readonly capturable?: boolean;
  readonly differentiable?: boolean;
}

/** Combinations that PyTorch refuses, so that a program that works here works there. */
export function checkWays(type: string, group: Flags): void {
  const { foreach, fused, capturable = false } = group;
  const refuse = (problem: string) => new ArgumentError(`[${type}] ${problem}`);
  if (fused === true && group.differentiable === true) {
    throw refuse('fused does not support differentiable');
  }
  if (fused === true && foreach === true) throw refuse('fused and foreach exclude each other');
  if (foreach === true && !capturable && group.lr instanceof Tensor) {
    throw refuse('lr as a tensor needs capturable where foreach is true');
  }
}

/** A scalar of the update that is read anew at every step. */
export type ScalarOf = (read: () => number) => Tensor;

export function scalars(dtype: 'float32' | 'float64'): ScalarOf {
  return (read) => hostScalar(read, dtype);
}
