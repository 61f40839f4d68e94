/** What a module takes, given by the names of its arguments. */

import { ArgumentError, nearestName, opError } from '../base/errors.ts';
import type { AnyModule } from './module.ts';

/**
 * The arguments of `module.call` where `names` says which they are; nothing stands for those that
 * are left out. `values` as they are without names.
 *
 * @throws ArgumentError for a name that the module does not have, or where it has none.
 */
export function placed<T>(
  module: AnyModule,
  values: readonly T[],
  names: readonly string[] | undefined,
): (T | undefined)[] {
  if (names === undefined) return [...values];
  const type = module.constructor.name;
  const known = module.argumentNames;
  if (known === undefined) {
    throw opError(ArgumentError, type, 'takes its inputs by place, not by name: give a list');
  }
  const result: (T | undefined)[] = [];
  for (const [i, name] of names.entries()) {
    const place = known.indexOf(name);
    if (place < 0) {
      const nearest = nearestName(name, known);
      const hint = nearest === undefined ? `it takes ${known.join(', ')}` : `is it ${nearest}?`;
      throw opError(ArgumentError, type, `there is no argument ${name}; ${hint}`);
    }
    result[place] = values[i];
  }
  return Array.from(result);
}
