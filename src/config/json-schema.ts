/**
 * The JSON Schema of a config, for editors: made from the zod schemas that the loader checks with,
 * so it knows no key, default or range of its own. Draft 07, which every editor reads.
 *
 * A registry's specs are told apart by `type` with `if`/`then`, never by `anyOf`: of a wrong
 * argument an editor then says what is wrong with it, where it stands, and nothing of other types.
 * A config that extends another is held to a looser copy of everything, its `patch`: no key is
 * required, and null removes one.
 */

import { z } from 'zod';
import { type AnyRegistry, registryOf } from '../base/registry.ts';
import { USER_TYPE } from '../base/user-code.ts';
import { REFERENCE_PATTERN } from './environment.ts';
import { type Json, oneOf, referring, simplified, when } from './json-schema-form.ts';
import { patchOf } from './json-schema-patch.ts';
import { configSchema, type Registries } from './schema.ts';

/** A config and what may stand in it, as zod writes their JSON Schemas. */
export interface ConfigDescription {
  readonly config: Json;
  /** Of every registry that the config names, and those that arguments name: types by name. */
  readonly registries: ReadonlyMap<AnyRegistry, Readonly<Record<string, Json>>>;
}

/** What the configs are whose specs name entries of `registries`; a spec is a `$ref`. */
export function describeConfig(registries: Registries): ConfigDescription {
  const found = new Map<AnyRegistry, Record<string, Json>>();
  const describe = (schema: z.ZodType) =>
    toJson(schema, (registry) => {
      if (!found.has(registry)) found.set(registry, {});
    });
  const config = describe(configSchema(registries));
  // The loader names a config that does not do so after its file.
  config.required = (config.required as string[]).filter((key) => key !== 'name');
  (config.properties as Json).extends = EXTENDS;
  // A map's loop reaches what is added meanwhile: registries that only arguments of others name.
  for (const [registry, types] of found) {
    for (const type of registry.names()) types[type] = describe(registry.argumentsOf(type));
  }
  return { config, registries: found };
}

/** The JSON Schema of the configs whose specs name entries of `registries`. */
export function configJsonSchema(registries: Registries): Json {
  const description = describeConfig(registries);
  const whole: Json = { config: simplified(description.config) };
  for (const [registry, types] of description.registries) {
    whole[definitionName(registry)] = specOf(registry);
    for (const [type, schema] of Object.entries(types)) {
      whole[definitionName(registry, type)] = entryOf(registry, type, simplified(schema));
    }
  }
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    ...when({ required: ['extends'] }, referring('config.patch'), referring('config')),
    definitions: withPatches(withSharedKeys(whole)),
  };
}

const withPatches = (definitions: Json): Json => ({ ...definitions, ...patchOf(definitions) });

/** A key that as many definitions have alike stands once: every module may have `weights`. */
const SHARED_BY = 20;
/** A reference is no longer. */
const SHORTEST_SHARED = 100;

function withSharedKeys(definitions: Json): Json {
  const uses = new Map<string, number>();
  const place = (key: string, field: unknown) => `${key} ${JSON.stringify(field)}`;
  const fieldsOf = (schema: unknown) => ((schema as Json).properties ?? {}) as Json;
  for (const schema of Object.values(definitions)) {
    for (const [key, field] of Object.entries(fieldsOf(schema))) {
      const text = place(key, field);
      uses.set(text, (uses.get(text) ?? 0) + 1);
    }
  }
  const shared = new Map<string, Json>();
  const names = new Map<string, string>();
  const nameOf = (key: string, field: unknown) => {
    const text = place(key, field);
    if ((uses.get(text) ?? 0) < SHARED_BY || text.length < SHORTEST_SHARED) return undefined;
    const taken = [...names.values()].filter((name) => name.startsWith(`shared.${key}`)).length;
    const name = names.get(text) ?? `shared.${key}${taken === 0 ? '' : `.${taken}`}`;
    names.set(text, name);
    shared.set(name, field as Json);
    return name;
  };
  const whole = Object.entries(definitions).map(([name, schema]): [string, unknown] => {
    const fields = Object.entries(fieldsOf(schema)).map(([key, field]): [string, unknown] => {
      const found = nameOf(key, field);
      return [key, found === undefined ? field : referring(found)];
    });
    if (fields.length === 0) return [name, schema];
    return [name, { ...(schema as Json), properties: Object.fromEntries(fields) }];
  });
  return { ...Object.fromEntries(whole), ...Object.fromEntries(shared) };
}

const EXTENDS: Json = {
  type: 'string',
  description: 'A config that this one is laid over: its path, from the folder of this one.',
};

/** As a file: every definition in a line of its own, so that a change shows what it changes. */
export function jsonSchemaText(schema: Json): string {
  const lines = Object.entries(schema.definitions as Json).map(
    ([name, definition]) => `    ${JSON.stringify(name)}: ${JSON.stringify(definition)}`,
  );
  const text = JSON.stringify({ ...schema, definitions: {} }, null, 2);
  return `${text.replace('"definitions": {}', `"definitions": {\n${lines.join(',\n')}\n  }`)}\n`;
}

/** `module`, or `module.Linear`. */
export function definitionName({ kind }: AnyRegistry, type?: string): string {
  const name = kind.replaceAll(' ', '_');
  return type === undefined ? name : `${name}.${type}`;
}

/** A zod schema's JSON; `found` is told of the registries whose specs stand in it. */
function toJson(schema: z.ZodType, found: (registry: AnyRegistry) => void): Json {
  const json = z.toJSONSchema(schema, {
    target: 'draft-07',
    io: 'input',
    // What only code can give, such as a function: no text will do.
    unrepresentable: ({ zodSchema }) => (isRepresented(zodSchema) ? {} : { not: {} }),
    override({ zodSchema, jsonSchema }) {
      const registry = registryOf(zodSchema);
      if (registry === undefined || zodSchema._zod.def.type !== 'pipe') return;
      found(registry);
      jsonSchema.$ref = referring(definitionName(registry)).$ref as string;
    },
  }) as Json;
  delete json.$schema;
  return json;
}

/** Does a schema's `meta` say what zod cannot? */
function isRepresented(schema: z.core.$ZodType): boolean {
  return (z.globalRegistry.get(schema) as Json | undefined)?.type !== undefined;
}

/** A spec of any type: the bare word, or an object whose arguments are those of its `type`. */
function specOf(registry: AnyRegistry): Json {
  const names = registry.names();
  // What a user's own code takes is its own affair.
  const other = `${USER_TYPE.source}|${REFERENCE_PATTERN}`;
  const needsNothing = names.filter((type) => isOptional(registry.argumentsOf(type)));
  return {
    description: `A ${registry.kind}: its type alone, or an object with the type and its arguments.`,
    type: ['string', 'object'],
    anyOf: [...(oneOf(needsNothing, other).anyOf as Json[]), { type: 'object' }],
    required: ['type'],
    properties: { type: oneOf(names, other) },
    ...(names.length > 0 ? { allOf: names.map((type) => ofType(registry, type)) } : {}),
  };
}

function ofType(registry: AnyRegistry, type: string): Json {
  const isOfType = { type: 'object', properties: { type: { const: type } }, required: ['type'] };
  return when(isOfType, referring(definitionName(registry, type)));
}

function isOptional(schema: z.ZodObject): boolean {
  return Object.values(schema.shape).every((field) => (field as z.ZodType).isOptional());
}

function entryOf(registry: AnyRegistry, type: string, { properties, ...json }: Json): Json {
  const { summary, page } = registry.about(type);
  const description = [summary, page].filter((text) => text !== undefined).join('\n\n');
  return {
    ...json,
    description,
    properties: { type: { const: type, description }, ...(properties as Json) },
  };
}
