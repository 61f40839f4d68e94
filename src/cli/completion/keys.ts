/**
 * The overrides that may stand on a command line, `optimizer.lr=`, and their values: from the JSON
 * Schema that comes with torchts, which takes a hundredth of the time that loading every module and
 * its own schema would, and from the types that the config names.
 */

import fs from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../base/package-root.ts';
import { isObject, type Json } from '../../config/json-schema-form.ts';
import { readConfig } from '../../config/source.ts';
import { toValue } from '../../config/tree.ts';
import { resolveTarget } from '../target.ts';

/** The overrides of the config `target` that begin with `word`; none where it cannot be read. */
export function completeKeys(target: string, word: string): string[] {
  const file = path.join(PACKAGE_ROOT, 'configs/torchts.schema.json');
  const { definitions } = JSON.parse(fs.readFileSync(file, 'utf8')) as { definitions: Json };
  return overrides(definitions, configOf(target), word);
}

/** The config as it is written; whether it is right does not matter here. */
function configOf(target: string): unknown {
  try {
    return toValue(readConfig(resolveTarget(target).config));
  } catch {
    return {}; // what is wrong with it will be said when the command runs
  }
}

/** The overrides of `config` that begin with `word`, by the definitions of the JSON Schema. */
export function overrides(definitions: Json, config: unknown, word: string): string[] {
  const equals = word.indexOf('=');
  const keys = (equals < 0 ? word : word.slice(0, equals)).split('.');
  const parents = equals < 0 ? keys.slice(0, -1) : keys;
  let value: unknown = config;
  let schemas = parts({ $ref: '#/definitions/config' }, value, definitions);
  for (const key of parents) {
    const next = schemas.flatMap((schema) => within(schema, key));
    value = isObject(value) || Array.isArray(value) ? (value as Json)[key] : undefined;
    schemas = next.flatMap((schema) => parts(schema, value, definitions));
  }
  const found =
    equals < 0
      ? schemas.flatMap((schema) => keysOf(schema, value, definitions))
      : schemas.flatMap((schema) => valuesOf(schema, definitions));
  const head = equals < 0 ? parents.map((key) => `${key}.`).join('') : word.slice(0, equals + 1);
  const all = [...new Set(found)].map((rest) => `${head}${rest}`);
  return all.filter((candidate) => candidate.startsWith(word));
}

/** A schema and all that apply to `value` beside it: what it refers to, branches, its type's. */
function parts(schema: Json, value: unknown, definitions: Json): Json[] {
  const {
    $ref,
    anyOf = [],
    allOf = [],
  } = schema as { $ref?: string; anyOf?: Json[]; allOf?: Json[] };
  const target =
    $ref === undefined ? [] : [definitions[$ref.replace('#/definitions/', '')] as Json];
  const applying = allOf.flatMap((branch) => {
    if (!('if' in branch)) return [branch];
    return typeOf(value) === constantType(branch.if as Json) ? [branch.then as Json] : [];
  });
  const inner = [...target, ...anyOf, ...applying];
  return [schema, ...inner.flatMap((each) => parts(each, value, definitions))];
}

/** A spec's type: a bare word is one too. */
function typeOf(value: unknown): unknown {
  return isObject(value) ? value.type : value;
}

function constantType({ properties }: Json): unknown {
  return ((properties as Json | undefined)?.type as Json | undefined)?.const;
}

/** The schemas of what stands at `key`. */
function within({ properties, items, additionalProperties }: Json, key: string): Json[] {
  const found = /^\d+$/.test(key) ? [items].flat() : [(properties as Json | undefined)?.[key]];
  const other = found.some(isObject) ? [] : [additionalProperties];
  return [...found, ...other].filter(isObject);
}

/** `lr=`, or `early_stopping.` where there are more keys inside; the places of a list. */
function keysOf(schema: Json, value: unknown, definitions: Json): string[] {
  if ('items' in schema && Array.isArray(value)) {
    return value.map((item, i) => `${i}${isNested(schema.items as Json, item, definitions)}`);
  }
  const properties = (schema.properties ?? {}) as Record<string, Json>;
  return Object.entries(properties).map(([key, field]) => {
    const inner = isObject(value) ? value[key] : undefined;
    return `${key}${isNested(field, inner, definitions)}`;
  });
}

function isNested(field: Json, value: unknown, definitions: Json): '.' | '=' {
  const all = parts(field, value, definitions);
  const holds = all.some((schema) => 'properties' in schema) || Array.isArray(value);
  return holds && (value !== undefined || !all.some(isSpec)) ? '.' : '=';
}

/** May a bare word stand in place of the object? */
function isSpec({ type }: Json): boolean {
  return Array.isArray(type) && type.includes('string') && type.includes('object');
}

/** The words that may stand as a value. */
function valuesOf(schema: Json, definitions: Json): string[] {
  const { enum: words = [], const: constant, type } = schema;
  const isBoolean = [type].flat().includes('boolean');
  const branches = ((schema.anyOf ?? []) as Json[]).flatMap((branch) =>
    '$ref' in branch ? [] : valuesOf(branch, definitions),
  );
  return [
    ...(words as unknown[]).map(String),
    ...(constant === undefined ? [] : [String(constant)]),
    ...(isBoolean ? ['true', 'false'] : []),
    ...branches,
  ];
}
