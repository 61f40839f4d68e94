/** What all containers share. */

import { ArgumentError, opError, TorchtsError } from '../base/errors.ts';
import { Module } from './module.ts';

/** A module that is not called itself. */
export abstract class Container extends Module<never, never> {
  forward(): never {
    throw new TorchtsError(`[${this.constructor.name}] is a list of parts and computes nothing`);
  }
}

/** Places `index` counts from the end where it is negative. */
export function placeOf(name: string, index: number, length: number): number {
  const place = index < 0 ? index + length : index;
  if (Number.isInteger(place) && place >= 0 && place < length) return place;
  throw opError(ArgumentError, name, `index ${index} is out of range for ${length} parts`);
}

/** Entries of an object or of anything that has them. */
export type Entries<T> = Readonly<Record<string, T>> | Iterable<readonly [string, T]>;

export function entriesOf<T>(given: Entries<T>): Iterable<readonly [string, T]> {
  return Symbol.iterator in given ? given : Object.entries(given);
}
