/** What a JSON Schema takes, in words. */

import { code } from './markdown.mjs';

/** @typedef {Record<string, any>} Json */

/**
 * `integer > 0`, `number in [0, 1)`, `list of 2 integers ≥ 1`, or a link to a registry's types.
 *
 * @param {Json} schema as zod writes it
 * @param {(definition: string) => string} link to the types of a registry
 * @returns {string}
 */
export function typeText(schema, link) {
  if (typeof schema.$ref === 'string') return link(schema.$ref.replace('#/definitions/', ''));
  if (schema.allOf?.length === 1) return typeText(schema.allOf[0], link);
  if (schema.enum !== undefined) return schema.enum.map(literal).join(', ');
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.anyOf !== undefined && schema.type === undefined) {
    const branches = schema.anyOf.map((/** @type {Json} */ branch) => typeText(branch, link));
    return [...new Set(branches)].join(' or ');
  }
  if (Array.isArray(schema.type)) {
    return schema.type.map((type) => typeText({ ...schema, type }, link)).join(' or ');
  }
  if (schema.type === 'array') return listText(schema, link);
  if (schema.type === 'integer' || schema.type === 'number') return numberText(schema);
  return WORDS[schema.type] ?? 'given in code only';
}

/** @type {Record<string, string>} */
const WORDS = { boolean: '`true`, `false`', string: 'text', object: 'keys', null: '`null`' };

/** @param {unknown} value */
const literal = (value) => code(typeof value === 'string' ? value : JSON.stringify(value));

/** @param {Json} schema @param {(definition: string) => string} link */
function listText({ items, minItems, maxItems }, link) {
  if (Array.isArray(items)) {
    const kinds = [...new Set(items.map((item) => typeText(item, link)))];
    return `list of ${items.length}: ${kinds.join(', ')}`;
  }
  const length = minItems !== undefined && minItems === maxItems ? `${minItems}: ` : '';
  return `list of ${length}${typeText(items ?? {}, link)}`;
}

/** zod writes this bound at every integer. */
const MAX_INTEGER = Number.MAX_SAFE_INTEGER;

/** @param {Json} schema */
function numberText({ type, minimum, exclusiveMinimum, maximum, exclusiveMaximum }) {
  const isBound = (/** @type {number | undefined} */ value) =>
    value !== undefined && Math.abs(value) < MAX_INTEGER;
  const low = isBound(minimum)
    ? `≥ ${minimum}`
    : isBound(exclusiveMinimum) && `> ${exclusiveMinimum}`;
  const high = isBound(maximum)
    ? `≤ ${maximum}`
    : isBound(exclusiveMaximum) && `< ${exclusiveMaximum}`;
  return [type, [low, high].filter(Boolean).join(', ')].join(' ').trim();
}

/** @param {Json} schema */
export function defaultText(schema) {
  if (schema.default === undefined || isPlain(schema.default)) return '';
  return literal(schema.default);
}

/** An object's defaults are those of its keys. @param {unknown} value */
const isPlain = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
