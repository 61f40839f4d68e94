/** From the JSON Schema that zod writes to one about which editors give short, exact messages. */

import { REFERENCE_PATTERN } from './environment.ts';

export type Json = Record<string, unknown>;

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A reference to a definition. */
export const referring = (name: string): Json => ({ $ref: `#/definitions/${name}` });

/** `if`, `then` and `else`. */
export function when(condition: Json, holds: Json, otherwise?: Json): Json {
  const rest = otherwise === undefined ? {} : { else: otherwise };
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema, on nothing awaited
  return { if: condition, then: holds, ...rest };
}

/** Keywords whose values are maps of schemas, lists of schemas, or a schema. */
const MAPS = ['properties', 'patternProperties'];
const LISTS = ['anyOf', 'allOf', 'oneOf'];
const SCHEMAS = ['items', 'additionalItems', 'additionalProperties', 'not', 'if', 'then', 'else'];

/** `schema` with every schema directly inside it mapped. */
export function mapInside(schema: Json, map: (inner: Json) => Json): Json {
  const one = (value: unknown) => (isObject(value) ? map(value) : value);
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (MAPS.includes(key) && isObject(value)) {
        return [key, Object.fromEntries(Object.entries(value).map(([k, v]) => [k, one(v)]))];
      }
      if (LISTS.includes(key) || SCHEMAS.includes(key)) {
        return [key, Array.isArray(value) ? value.map(one) : one(value)];
      }
      return [key, value];
    }),
  );
}

/** The whole schema in our form. */
export function simplified(schema: Json): Json {
  const inside = mapInside(schema, simplified);
  return withDefaultSaid(withReferences(withBranchesMerged(withoutSafeBounds(inside))));
}

/** zod writes the bounds of a double's integers at every integer. */
function withoutSafeBounds(schema: Json): Json {
  const bounds: Json = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };
  return Object.fromEntries(Object.entries(schema).filter(([key, value]) => bounds[key] !== value));
}

/**
 * `anyOf` with branches of different types becomes one schema: keywords such as `minimum` or
 * `items` speak of one type each. `[5, x]` where an integer or two may stand is then a fault of its
 * second item, not one of two branches that do not fit.
 */
function withBranchesMerged(schema: Json): Json {
  if (!Array.isArray(schema.anyOf) || 'type' in schema) return schema;
  const branches = (schema.anyOf as Json[])
    .flatMap((branch) => (isOnlyAnyOf(branch) ? branch.anyOf : [branch]))
    .filter((branch) => !isNothing(branch));
  const types = branches.flatMap((branch) => branch.type ?? []) as string[];
  const kinds = types.map((type) => (type === 'integer' ? 'number' : type));
  const mergeable =
    branches.every((branch) => 'type' in branch && !('anyOf' in branch)) &&
    new Set(kinds).size === kinds.length;
  if (!mergeable) return { ...schema, anyOf: branches };
  const { anyOf: _, ...rest } = schema;
  return Object.assign({}, ...branches, { type: types.length === 1 ? types[0] : types }, rest);
}

function isOnlyAnyOf(schema: Json): schema is { anyOf: Json[] } {
  return Array.isArray(schema.anyOf) && Object.keys(schema).length === 1;
}

/** Does a schema take no value at all? */
function isNothing({ not }: Json): boolean {
  return isObject(not) && Object.keys(not).length === 0;
}

/** One of `words`, or text of the pattern `other`. */
export const oneOf = (words: readonly unknown[], other: string): Json => ({
  anyOf: [...(words.length > 0 ? [{ enum: words }] : []), { type: 'string', pattern: other }],
});

/** What a type is called in a message. */
const WORDS: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  null: 'null',
};

/** An environment variable may stand for any number, boolean or text. */
function withReferences(schema: Json): Json {
  if (Array.isArray(schema.enum)) {
    const { enum: words, ...rest } = schema;
    return { ...rest, ...oneOf(words as unknown[], REFERENCE_PATTERN) };
  }
  const { pattern } = schema;
  const types = [schema.type ?? []].flat() as string[];
  const isText = types.includes('string') && pattern !== REFERENCE_PATTERN;
  if (isText && pattern === undefined) return schema;
  if (isText) return { ...schema, pattern: `${REFERENCE_PATTERN}|${pattern}` };
  if (!types.some((type) => ['number', 'integer', 'boolean'].includes(type))) return schema;
  const words = types.flatMap((type) => WORDS[type] ?? []);
  return {
    ...schema,
    type: [...new Set([...types, 'string'])],
    pattern: REFERENCE_PATTERN,
    // Of the YAML language server, in place of the pattern.
    patternErrorMessage: `Expected ${words.join(' or ')}.`,
  };
}

/** Editors show the description of a key, not its default. */
function withDefaultSaid(schema: Json): Json {
  if (schema.default === undefined || isObject(schema.default)) return schema;
  const said = `Default: ${JSON.stringify(schema.default)}.`;
  const description = [schema.description ?? [], said].flat().join(' ');
  return { ...schema, description };
}
