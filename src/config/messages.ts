/** What zod found wrong, in plain words: `expected a positive integer, got "ten"`. */

import { z } from 'zod';
import { nearestName } from '../base/errors.ts';
import { INTERPRETED } from '../base/registry.ts';

type RawIssue = z.core.$ZodRawIssue;

/**
 * Parses with our wording wherever a schema brings none of its own. Registries parse nested specs
 * by themselves, so the wording cannot be handed down as an argument of one parse; and zod words
 * an issue when `error` is first read, so that happens here too.
 */
export function parseInWords<T>(
  schema: z.ZodType<T>,
  value: unknown,
): { data: T; issues?: undefined } | { issues: readonly z.core.$ZodIssue[] } {
  const before = z.config().localeError;
  z.config({ localeError: (issue) => describe(issue) });
  try {
    const result = schema.safeParse(value, INTERPRETED);
    return result.success ? { data: result.data } : { issues: result.error.issues };
  } finally {
    z.config({ localeError: before });
  }
}

/** A value as a message shows it; long ones are cut. */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value);
  }
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== 'object') return String(value);
  const keys = Object.keys(value);
  const some = keys.length > 4 ? [...keys.slice(0, 4), '...'] : keys;
  return keys.length === 0 ? 'an empty object' : `an object with ${some.join(', ')}`;
}

function describe(issue: RawIssue): string | undefined {
  const expected = expectation(issue);
  return expected === undefined ? undefined : expectedGot(expected, issue.input);
}

/** `expected A, got B`, or `missing; expected A`. */
export function expectedGot(expected: string, value: unknown): string {
  if (value === undefined) return `missing; expected ${expected}`;
  return `expected ${expected}, got ${shown(value)}`;
}

/** The words after `expected`, or `undefined` for issues that word themselves. */
function expectation(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return typeOf(issue);
    case 'too_small':
      return limit(issue, issue.minimum as number, issue.inclusive ? 'at least' : 'more than');
    case 'too_big':
      return limit(issue, issue.maximum as number, issue.inclusive ? 'at most' : 'less than');
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_value':
      return choice(issue.values as unknown[], issue.input);
    case 'invalid_format':
      return `text that matches ${issue.pattern ?? issue.format}`;
    case 'invalid_union':
      return union(issue);
    default:
      return undefined;
  }
}

const TYPES: Record<string, string> = {
  int: 'an integer',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'nothing',
};

function typeOf(issue: RawIssue): string {
  const definition = issue.inst?._zod.def as z.core.$ZodTypeDef | undefined;
  if (definition?.type === 'tuple') return tuple((definition as z.core.$ZodTupleDef).items);
  if (definition?.type === 'array') return list(definition as z.core.$ZodArrayDef);
  if (issue.expected === 'number' || issue.expected === 'int') {
    if (typeof issue.input === 'number' && !Number.isFinite(issue.input)) return 'a finite number';
    return numberType(definition);
  }
  return TYPES[String(issue.expected)] ?? String(issue.expected);
}

/** `a positive integer`, `a number of at least 0`: from the checks of a number's schema. */
function numberType(schema: z.core.$ZodTypeDef | undefined): string {
  const checks = [
    schema,
    ...(schema?.checks ?? []).map((check) => check._zod.def),
  ] as NumberCheck[];
  const kind = checks.some((check) => /int/.test(check?.format ?? '')) ? 'integer' : 'number';
  const positiveForms = kind === 'integer' ? ['more than 0', 'at least 1'] : ['more than 0'];
  const comparisons = checks.map(comparison).filter((text) => text !== '');
  const limits = comparisons.filter((text) => !positiveForms.includes(text));
  const positive = limits.length < comparisons.length;
  const article = kind === 'integer' && !positive ? 'an' : 'a';
  const of = limits.length === 0 ? '' : ` of ${limits.join(' and ')}`;
  return `${article} ${positive ? 'positive ' : ''}${kind}${of}`;
}

interface NumberCheck {
  readonly check?: string;
  readonly format?: string;
  readonly value?: number;
  readonly inclusive?: boolean;
}

function comparison(check: NumberCheck | undefined): string {
  const { value, inclusive } = check ?? {};
  if (check?.check === 'greater_than') return `${inclusive ? 'at least' : 'more than'} ${value}`;
  if (check?.check === 'less_than') return `${inclusive ? 'at most' : 'less than'} ${value}`;
  return '';
}

/** `a list of numbers`, `a list of 2 positive integers`, `a list`. */
function list({ element, checks = [] }: z.core.$ZodArrayDef): string {
  const lengths = checks.map((check) => (check._zod.def as { length?: number }).length);
  const length = lengths.find((value) => value !== undefined);
  if (length !== undefined) return tuple(Array.from({ length }, () => element));
  const { def } = element._zod;
  if (def.type !== 'number') return 'a list';
  return `a list of ${numberType(def)
    .replace(/^an? /, '')
    .replace(/integer|number/, '$&s')}`;
}

/** `a list of 2 positive integers`. */
function tuple(items: readonly z.core.$ZodType[]): string {
  const numbers = items.every((item) => item._zod.def.type === 'number');
  const kinds = new Set(numbers ? items.map((item) => numberType(item._zod.def)) : []);
  const only = kinds.size === 1 ? [...kinds][0]!.replace(/^an? /, '') : 'item';
  return `a list of ${items.length} ${only.replace(/integer|number|item/, '$&s')}`;
}

const UNITS: Record<string, string> = { string: 'character', array: 'item', object: 'key' };

function limit(issue: RawIssue, bound: number, least: string): string {
  const definition = issue.inst?._zod.def as z.core.$ZodTypeDef | undefined;
  if (definition?.type === 'tuple') return tuple((definition as z.core.$ZodTupleDef).items);
  const unit = UNITS[String(issue.origin)];
  if (unit === undefined) {
    // An integer beyond 2^53 fails a limit that its schema did not write.
    if (Math.abs(bound) === Number.MAX_SAFE_INTEGER) return 'an integer below 2^53';
    // The schema of the number says more than the one check that failed.
    const owner = issue.schema as z.core.$ZodType | undefined;
    return owner === undefined ? `${least} ${bound}` : numberType(owner._zod.def);
  }
  return `${issue.exact ? 'exactly' : least} ${bound} ${unit}${bound === 1 ? '' : 's'}`;
}

/** `one of auto, cpu (did you mean "cpu"?)`. */
function choice(values: readonly unknown[], input: unknown): string {
  const names = values.map(String);
  const nearest = typeof input === 'string' ? nearestName(input, names) : undefined;
  const hint = nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
  return `${names.length === 1 ? '' : 'one of '}${names.join(', ')}${hint}`;
}

/** What any of the branches would take. */
function union(issue: RawIssue): string {
  const branches = (issue.errors ?? []) as z.core.$ZodIssue[][];
  const words = branches.flatMap((issues) => {
    const message = issues[0]?.message ?? '';
    return /^(?:missing; )?expected (.*?)(?:, got .*)?$/s.exec(message)?.[1] ?? [];
  });
  return [...new Set(words)].join(' or ') || 'another value';
}
