/** A page for every section of a config, from the schemas. */

import { code, heading, table } from './markdown.mjs';
import { defaultText, typeText } from './types.mjs';

/** @typedef {import('./types.mjs').Json} Json */
/** @typedef {typeof import('../../src/internal.ts')} Torchts */
/** @typedef {ReturnType<Torchts['describeConfig']>} Description */
/** @typedef {import('../../src/base/registry.ts').AnyRegistry} AnyRegistry */

const FOLDER = 'docs/config';

/**
 * @param {Torchts} torchts
 * @returns {[file: string, text: string][]}
 */
export function configPages(torchts) {
  const description = torchts.describeConfig(torchts.registries);
  const pages = new Pages(description, torchts.definitionName);
  return pages.all();
}

class Pages {
  /** @type {Map<string, AnyRegistry>} by the names of their definitions */
  #registries;
  /** @type {Map<string, string>} the section whose page lists the types of a registry */
  #owners = new Map();

  /** @param {Description} description @param {Torchts['definitionName']} nameOf */
  constructor({ config, registries }, nameOf) {
    this.config = config;
    this.types = registries;
    this.#registries = new Map([...registries.keys()].map((one) => [nameOf(one), one]));
    for (const [section, schema] of this.sections()) this.#own(section, schema);
  }

  /** The first section that leads to a registry has it on its page. */
  #own(/** @type {string} */ section, /** @type {unknown} */ schema) {
    for (const name of referencesOf(schema)) {
      if (this.#owners.has(name)) continue;
      this.#owners.set(name, section);
      this.#own(section, this.typesOf(name));
    }
  }

  typesOf(/** @type {string} */ name) {
    return this.types.get(/** @type {AnyRegistry} */ (this.#registries.get(name))) ?? {};
  }

  /** @returns {[string, Json][]} the keys that have a page of their own */
  sections() {
    return Object.entries(/** @type {Json} */ (this.config.properties)).filter(
      ([, schema]) => objectOf(schema) !== undefined || referencesOf(schema).length > 0,
    );
  }

  /** @returns {[file: string, text: string][]} */
  all() {
    const pages = this.sections().map(
      ([name, schema]) =>
        /** @type {[string, string]} */ ([`${FOLDER}/${name}.md`, this.#page(name, schema)]),
    );
    return [[`${FOLDER}/README.md`, this.#index()], ...pages];
  }

  #index() {
    const sections = new Set(this.sections().map(([name]) => name));
    const link = (/** @type {string} */ key) =>
      sections.has(key) ? `[${code(key)}](${key}.md)` : code(key);
    return [heading('The config'), INTRODUCTION, this.#keys(this.config, 'README', link)].join('');
  }

  #page(/** @type {string} */ name, /** @type {Json} */ schema) {
    const parts = [heading(name), `${schema.description}\n`];
    const object = objectOf(schema);
    if (object !== schema) parts.push(`\nTakes: ${this.#type(schema, name)}.\n`);
    if (object !== undefined) parts.push(`\n${this.#keys(object, name)}`);
    parts.push(...this.#nested(object ?? {}, name, name));
    for (const [registry, owner] of this.#owners) {
      if (owner === name) parts.push(this.#registry(registry, name));
    }
    return parts.join('');
  }

  /** Sections for the objects inside an object. @returns {string[]} */
  #nested(/** @type {Json} */ schema, /** @type {string} */ path, /** @type {string} */ page) {
    const objects = Object.entries(/** @type {Record<string, Json>} */ (schema.properties ?? {}));
    return objects.flatMap(([key, field]) => {
      const inner = objectOf(field);
      if (inner === undefined) return [];
      const title = `\n## ${path}.${key}\n\n`;
      const text = field.description === undefined ? '' : `${field.description}\n\n`;
      const rest = this.#nested(inner, `${path}.${key}`, page);
      return [`${title}${text}${this.#keys(inner, page)}`, ...rest];
    });
  }

  #keys(
    /** @type {Json} */ { properties, required = [] },
    /** @type {string} */ page,
    /** @type {(key: string) => string} */ name = code,
  ) {
    const rows = Object.entries(/** @type {Record<string, Json>} */ (properties)).map(
      ([key, field]) => [
        name(key),
        this.#type(field, page),
        required.includes(key) ? 'required' : defaultText(field),
        field.description ?? '',
      ],
    );
    return table(['key', 'value', 'default', ''], rows);
  }

  #type(/** @type {Json} */ schema, /** @type {string} */ page) {
    return typeText(schema, (name) => {
      const owner = this.#owners.get(name);
      const kind = this.#registries.get(name)?.kind ?? name;
      return `[${kind}](${owner === page ? '' : `${owner}.md`}#${anchorOf(kind)})`;
    });
  }

  /** The types of a registry: in a table where they are many, but for those described here. */
  #registry(/** @type {string} */ name, /** @type {string} */ page) {
    const registry = /** @type {AnyRegistry} */ (this.#registries.get(name));
    const types = Object.entries(this.typesOf(name));
    const common = types.length > FEW_TYPES ? commonKeys(types) : [];
    const ours = types.filter(([, schema]) => types.length <= FEW_TYPES || isOurs(schema, common));
    const others = types.filter((entry) => !ours.includes(entry));
    const parts = [
      ...this.#nested({ properties: Object.fromEntries(common) }, page, page),
      `\n## ${titleOf(registry.kind)}\n\n`,
    ];
    if (common.length > 0) {
      const properties = Object.fromEntries(common);
      parts.push(`All of them take\n\n${this.#keys({ properties }, page)}\n`);
    }
    if (others.length > 0) parts.push(`${LEGEND}\n${rows(registry, others, common)}`);
    for (const [type, schema] of ours) {
      const { summary, page: address } = registry.about(type);
      const see = address === undefined ? '' : `As on [${new URL(address).host}](${address}).`;
      const about = [summary, see].filter(Boolean).join(' ');
      parts.push(`\n### ${type}\n\n${about === '' ? '' : `${about}\n\n`}`);
      const properties = withoutKeys(schema, common);
      if (Object.keys(properties).length === 0) parts.push('Takes no arguments.\n');
      else parts.push(this.#keys({ ...schema, properties }, page));
    }
    return parts.join('');
  }
}

/** One line a type. */
function rows(
  /** @type {AnyRegistry} */ registry,
  /** @type {[string, Json][]} */ types,
  /** @type {[string, Json][]} */ common,
) {
  const lines = types.map(([type, schema]) => {
    const { page, summary } = registry.about(type);
    const shown = Object.entries(withoutKeys(schema, common)).map(([key, field]) =>
      argumentText(key, field, schema.required?.includes(key)),
    );
    const name = page === undefined ? code(type) : `[${code(type)}](${page})`;
    return [name, [...(summary === undefined ? [] : [summary]), shown.join(', ')].join(' ')];
  });
  return table(['type', 'arguments'], lines);
}

/** The keys that all types take, with their schemas. @param {[string, Json][]} types */
function commonKeys(types) {
  const [[, { properties }]] = /** @type {[[string, Json]]} */ (types);
  const all = /** @type {[string, Json][]} */ (Object.entries(properties));
  return all.filter(([key]) => types.every(([, schema]) => key in schema.properties));
}

/** @param {Json} schema @param {[string, Json][]} common @returns {Record<string, Json>} */
function withoutKeys({ properties }, common) {
  const keys = common.map(([key]) => key);
  return Object.fromEntries(Object.entries(properties).filter(([key]) => !keys.includes(key)));
}

/** Has a type arguments of its own, all of them described? */
function isOurs(/** @type {Json} */ schema, /** @type {[string, Json][]} */ common) {
  const fields = Object.values(withoutKeys(schema, common));
  return fields.length > 0 && fields.every(({ description }) => description !== undefined);
}

/** A registry of more types is a table. */
const FEW_TYPES = 10;

const INTRODUCTION = `A config is a YAML file; \`torchts train\` takes one. A spec, such as that of the model, is an object
with \`type\` and the arguments of that type, or the type's name alone. Names and defaults are PyTorch's.
\`type: ./file.ts#Name\` is your own code.

A key that is not known, a value of a wrong type and a number out of range are refused before anything
is read or computed, each with its line. \`extends: other.yaml\` lays a config over another: objects merge
key by key, lists and values replace, null removes; \`$replace: true\` in an object takes its place instead,
\`$delete: [key]\` removes keys of the other. \`\${NAME}\` and \`\${NAME:-default}\` are environment variables.
On the command line, \`optimizer.lr=0.01\` or \`model.layers.0.bias=false\` sets a value, and null removes it.

`;

const LEGEND = `Arguments in bold are required; the others have a default, or may be left out. The page behind a name
says what they mean.
`;

/** @param {unknown} schema @returns {string[]} the definitions that it refers to, in order */
function referencesOf(schema) {
  const found = JSON.stringify(schema).matchAll(/"#\/definitions\/([^"]+)"/g);
  return [...new Set([...found].map(([, name]) => /** @type {string} */ (name)))];
}

/** @param {string} key @param {Json} field @param {boolean} isRequired */
function argumentText(key, field, isRequired) {
  const value = defaultText(field);
  if (isRequired) return `**${key}**`;
  return value === '' ? key : `${key}\u00a0=\u00a0${value}`;
}

/** @param {string} kind */
const titleOf = (kind) => `Types of ${kind}`;

/** @param {string} kind */
const anchorOf = (kind) => titleOf(kind).toLowerCase().replaceAll(' ', '-');

/** A schema's object: itself, or the one that may stand in its place. @param {Json} schema */
function objectOf(schema) {
  const branches = /** @type {Json[]} */ ([schema, ...(schema.anyOf ?? [])]);
  return branches.find(({ properties }) => properties !== undefined);
}
