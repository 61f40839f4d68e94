/**
 * Numbers of a traced graph that may depend on the batch. A model is traced with several batch
 * sizes; a number that differs between the traces is `scale * batch + offset`.
 */

import { ArgumentError, opError } from '../base/errors.ts';

/** The batch sizes of the traces; the third shows whether a line through the others is right. */
export const BATCHES: readonly number[] = [2, 3, 5];

export class BatchSize {
  constructor(
    readonly scale: number,
    readonly offset: number,
  ) {}

  /** The name of the dimension in the file. */
  toString(): string {
    const product = this.scale === 1 ? 'batch' : `${this.scale}*batch`;
    return this.offset === 0 ? product : `${product}+${this.offset}`;
  }
}

export type Size = number | BatchSize;

export function sameSize(a: Size, b: Size): boolean {
  if (typeof a === 'number' || typeof b === 'number') return Object.is(a, b);
  return a.scale === b.scale && a.offset === b.offset;
}

export const isFixed = (size: Size): size is number => typeof size === 'number';

/** `T` with every number replaced by one that may depend on the batch. */
export type Merged<T> = T extends number ? Size : { readonly [K in keyof T]: Merged<T[K]> };

/**
 * What one and the same thing was in each trace, as one: structures must agree, numbers may be of
 * the batch.
 * @throws ArgumentError for what depends on the batch in another way.
 */
export function merged<T>(values: readonly T[]): Merged<T> {
  const [first] = values;
  if (typeof first === 'number') return mergedNumber(values as readonly number[]) as Merged<T>;
  if (Array.isArray(first)) {
    const lists = values as readonly (readonly unknown[])[];
    if (lists.some((list) => list.length !== first.length)) throw otherwise();
    return first.map((_, i) => merged(lists.map((list) => list[i]))) as unknown as Merged<T>;
  }
  if (typeof first === 'object' && first !== null) {
    const keys = Object.keys(first) as (keyof T)[];
    const entries = keys.map((key) => [key, merged(values.map((value) => value[key]))]);
    return Object.fromEntries(entries) as Merged<T>;
  }
  if (values.some((value) => !Object.is(value, first))) throw otherwise();
  return first as Merged<T>;
}

function mergedNumber(values: readonly number[]): Size {
  const [first, second] = values as [number, number];
  if (values.every((value) => Object.is(value, first))) return first;
  const scale = (second - first) / (BATCHES[1]! - BATCHES[0]!);
  const offset = first - scale * BATCHES[0]!;
  const fits = values.every((value, i) => value === scale * BATCHES[i]! + offset);
  if (!fits || !Number.isInteger(scale) || !Number.isInteger(offset)) throw otherwise();
  return new BatchSize(scale, offset);
}

const otherwise = () =>
  opError(
    ArgumentError,
    'onnx',
    'what is computed depends on the batch size; export with a fixed batch',
  );

/** Does any number in it depend on the batch? */
export function ofBatch(value: unknown): boolean {
  if (value instanceof BatchSize) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(ofBatch);
}
