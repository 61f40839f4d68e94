/**
 * The part of a JSON Schema for configs that extend others. Objects are laid over the base's key by
 * key, so none of their keys is required and null removes one; lists and what is in them are whole.
 */

import { isObject, type Json } from './json-schema-form.ts';

const OWN_KEYS: Json = {
  $replace: { const: true, description: "Stands in the base's place, instead of over it." },
  $delete: {
    type: 'array',
    items: { type: 'string' },
    description: 'Keys of the base that are removed.',
  },
};

/** The looser copies of `definitions`, each under its name with `.patch`. */
export function patchOf(definitions: Json): Json {
  return Object.fromEntries(
    Object.entries(definitions).map(([name, schema]) => [
      `${name}.patch`,
      nullable(loosened(schema as Json)),
    ]),
  );
}

/** A schema of what is laid over a base's value. */
function loosened(schema: Json): Json {
  const { required: _, anyOf, ...rest } = schema;
  const over: Json = { ...rest };
  if (typeof over.$ref === 'string') over.$ref = `${over.$ref}.patch`;
  for (const key of ['then', 'else', 'additionalProperties']) {
    if (isObject(over[key])) over[key] = loosened(over[key]);
  }
  if (Array.isArray(over.allOf)) over.allOf = over.allOf.map(loosened);
  // What needs one of several keys may have them from the base.
  const branches = Array.isArray(anyOf) ? anyOf.filter((branch) => !('required' in branch)) : [];
  if (branches.length > 0) over.anyOf = branches.map(loosened);
  if (!isObject(over.properties)) return over;
  const fields = Object.entries(over.properties).map(([key, field]): [string, Json] => [
    key,
    nullable(loosened(field as Json)),
  ]);
  // A spec's `type` alone, beside which anything may stand, is no whole object.
  const own = over.additionalProperties === false ? OWN_KEYS : {};
  return { ...over, properties: { ...Object.fromEntries(fields), ...own } };
}

/** The schema that takes null too; what a reference leads to does so itself. */
function nullable(schema: Json): Json {
  if ('const' in schema || '$ref' in schema) return schema;
  if (Array.isArray(schema.anyOf)) {
    const types = 'type' in schema ? { type: [...new Set([schema.type, 'null'].flat())] } : {};
    return { ...schema, ...types, anyOf: [...schema.anyOf, NOTHING] };
  }
  if (!('type' in schema)) return schema;
  return { ...schema, type: [...new Set([schema.type, 'null'].flat())] };
}

const NOTHING: Json = { type: 'null' };
