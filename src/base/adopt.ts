/** How registries take what a user's file exports. */

import { z } from 'zod';
import { ArgumentError } from './errors.ts';
import type { Entry } from './registry.ts';

/**
 * How a registry takes what a user's file exports.
 * @throws ArgumentError that says what it should have been.
 */
export type Adopt<T, Context> = (value: unknown) => Entry<T, Context>;

// biome-ignore lint/suspicious/noExplicitAny: a class whatever its constructor takes
export type AnyClass<T> = new (...args: any[]) => T;

/**
 * Takes a class that extends `base`. Its arguments are what its `static schema` says, an object
 * schema of zod's; without one it takes none.
 *
 * @param wanted the base as a user would write it, such as `nn.Module`.
 * @param create makes an instance from the parsed arguments.
 */
export function adoptClass<T, Context>(
  base: abstract new (...args: never[]) => T,
  wanted: string,
  create: (type: AnyClass<T>, options: Record<string, unknown>, context: Context) => T,
): Adopt<T, Context> {
  return (value) => {
    if (typeof value !== 'function' || !(value.prototype instanceof base)) {
      throw new ArgumentError(`expected a class that extends ${wanted}, got ${kindOf(value)}`);
    }
    const type = value as AnyClass<T>;
    return {
      ...schemaOf(type),
      create: (options, context) => create(type, options, context),
    };
  };
}

/** The `static schema` of a user's class. */
export function schemaOf(type: object & { name?: string }): Pick<Entry<never>, 'schema' | 'note'> {
  const { schema } = type as { schema?: unknown };
  if (schema === undefined) {
    const note = `${type.name || 'it'} has no static schema, so it takes no arguments`;
    return { schema: z.strictObject({}), note };
  }
  if (schema instanceof z.ZodObject) return { schema };
  throw new ArgumentError(
    `its static schema must be an object of zod, z.object({ ... }), got ${kindOf(schema)}`,
  );
}

/** What a value is, in a word or two. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') {
    const isClass = /^class\b/.test(Function.prototype.toString.call(value));
    return isClass ? `the class ${value.name}` : 'a function';
  }
  if (typeof value !== 'object') return `a ${typeof value}`;
  const { name } = value.constructor ?? {};
  return name === 'Object' || !name ? 'an object' : `an object of ${name}`;
}
