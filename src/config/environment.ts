/**
 * Environment variables in a config: `${NAME}`, or `${NAME:-default}` where it need not be set;
 * `$${` stands for `${` itself. References are hidden from the YAML parser, to whom braces mean a
 * flow mapping, by characters of the same number, so that places stay right; every scalar shows its
 * own.
 */

import { nearestName } from '../base/errors.ts';

const REFERENCE = /(\$?)\$\{([A-Za-z_]\w*)(?::-([^}\n]*))?\}/g;

/** What a JSON Schema knows a text by that holds a reference: some value will stand for it. */
export const REFERENCE_PATTERN = String.raw`\$\{`;

/** Where ASCII is moved to: characters that no text has for itself. */
const PRIVATE = 0xe000;
const HIDDEN = /[\ue000-\ue07f]/g;

/** The place of a character that `hideReferences` needs for itself, or -1. */
export function reservedCharacter(text: string): number {
  return text.search(HIDDEN);
}

/** `text` with its references spelt in characters that mean nothing to YAML; as long as before. */
export function hideReferences(text: string): string {
  return text.replaceAll(REFERENCE, (reference) =>
    reference.replaceAll(/[\0-\x7f]/g, (character) =>
      String.fromCharCode(PRIVATE + character.charCodeAt(0)),
    ),
  );
}

/** Does a scalar that the parser gave hold a reference, or what looks like one? */
export function hasReference(text: string): boolean {
  return text.search(HIDDEN) >= 0 || text.includes('${');
}

/** A scalar's text with its references as they were written. */
export function showReferences(text: string): string {
  return text.replaceAll(HIDDEN, (character) =>
    String.fromCharCode(character.charCodeAt(0) - PRIVATE),
  );
}

/**
 * The text with the values of its variables.
 * @throws Error that says what is wrong: a variable that is not set, or is no name.
 */
export function withVariables(
  text: string,
  variables: Readonly<Record<string, string | undefined>>,
): string {
  if (text.replaceAll(REFERENCE, '').includes('${')) {
    throw new Error(
      '"${" begins the name of an environment variable, as in ${NAME}; "$${" does not',
    );
  }
  return text.replaceAll(REFERENCE, (reference, escaped, name, otherwise) => {
    if (escaped !== '') return reference.slice(1);
    const value = variables[name] ?? otherwise;
    if (value !== undefined) return value;
    const nearest = nearestName(name, Object.keys(variables));
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`;
    throw new Error(`the environment variable ${name} is not set${hint}`);
  });
}
