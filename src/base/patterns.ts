/** Names that are chosen by patterns, such as the parameters `fc.*`. */

import { nearestName } from './errors.ts';

/** One pattern, or several of which a later one outdoes those before it. */
export type Patterns = string | readonly string[];

/**
 * Does `pattern` choose `name`? `*` stands for any text, dots included, and `?` for one character.
 * What names a module chooses all that is in it: `layer1` is as good as `layer1.*`.
 */
export function matches(pattern: string, name: string): boolean {
  return expressionOf(pattern).test(name);
}

function expressionOf(pattern: string): RegExp {
  const text = pattern
    .replaceAll(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${text}(\\..*)?$`, 's');
}

/** The names that `patterns` choose; `!` in front of one takes back what it matches. */
export function chosen(patterns: Patterns, names: Iterable<string>): Set<string> {
  const rules = [patterns].flat().map((pattern) => {
    const takes = !pattern.startsWith('!');
    return { takes, expression: expressionOf(takes ? pattern : pattern.slice(1)) };
  });
  return new Set(
    [...names].filter((name) => rules.findLast(({ expression }) => expression.test(name))?.takes),
  );
}

/** A pattern that matches none of the names: its place in the list, and what is wrong with it. */
export interface IdlePattern {
  readonly index: number;
  readonly message: string;
}

/** @param what the names are of, such as `parameter`. */
export function idlePatterns(
  patterns: Patterns,
  names: readonly string[],
  what: string,
): IdlePattern[] {
  return [patterns].flat().flatMap((given, index) => {
    const pattern = given.replace(/^!/, '');
    const expression = expressionOf(pattern);
    if (names.some((name) => expression.test(name))) return [];
    const nearest = nearestName(pattern.replace(/\.?\*+$/, ''), withParents(names));
    const [first] = names;
    const like = first === undefined ? 'there is none' : `the first is ${first}`;
    const hint = nearest === undefined ? like : `did you mean "${nearest}"?`;
    return [{ index, message: `"${pattern}" matches no ${what}; ${hint}` }];
  });
}

/** The names and those of all modules that they are in. */
function withParents(names: readonly string[]): Set<string> {
  return new Set(
    names.flatMap((name) => {
      const parts = name.split('.');
      return parts.map((_, i) => parts.slice(0, i + 1).join('.'));
    }),
  );
}
