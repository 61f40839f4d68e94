/**
 * Every mutant of a config's text: one thing changed in one place, everything else as it was, so
 * that lines and columns mean what they meant.
 */

import YAML from 'yaml';
import type { ConfigPath } from '../../src/config/place.ts';

export interface Mutant {
  readonly kind: 'typo' | 'value' | 'removed' | 'duplicate';
  /** What was changed. */
  readonly path: ConfigPath;
  readonly text: string;
  /** Where the change stands in `text`; 1-based. */
  readonly line: number;
  readonly column: number;
  /** Of a typo: the key as it was. */
  readonly key?: string;
}

/** Values, one of each kind of YAML: for every key most of them are of a wrong type. */
const VALUES = ['wrong', '"wrong"', '-7.5', '1e400', '.nan', 'true', '[wrong]', '{ wrong: 1 }', ''];

interface Part {
  readonly path: ConfigPath;
  readonly key: string | undefined;
  /** Offsets of the key, where there is one, and of the value. */
  readonly keyRange: readonly [start: number, end: number] | undefined;
  readonly valueRange: readonly [start: number, end: number];
  /** Names beside the key. */
  readonly siblings: readonly string[];
  readonly isFlow: boolean;
  readonly isScalar: boolean;
}

export function mutantsOf(text: string): Mutant[] {
  const parts = partsOf(YAML.parseDocument(text).contents!, []);
  return parts.flatMap((part) => [
    ...typos(text, part),
    ...values(text, part),
    ...removals(text, part),
    ...duplicates(text, part),
  ]);
}

function partsOf(node: YAML.Node | null, path: ConfigPath): Part[] {
  if (YAML.isSeq<YAML.Node>(node)) {
    return node.items.flatMap((item, i) => partOf(item, [...path, i], { isFlow: !!node.flow }));
  }
  if (!YAML.isMap<YAML.Scalar<string>, YAML.Node>(node)) return [];
  const siblings = node.items.map(({ key }) => key.value);
  return node.items.flatMap(({ key, value }) =>
    partOf(value!, [...path, key.value], { key, siblings, isFlow: !!node.flow }),
  );
}

function partOf(
  value: YAML.Node,
  path: ConfigPath,
  {
    key,
    siblings = [],
    isFlow,
  }: { key?: YAML.Scalar<string>; siblings?: string[]; isFlow: boolean },
): Part[] {
  const [start, end] = value.range!;
  const part = {
    path,
    key: key?.value,
    keyRange: key && ([key.range![0], key.range![1]] as const),
    valueRange: [start, end] as const,
    siblings,
    isFlow,
    isScalar: YAML.isScalar(value),
  };
  return [part, ...partsOf(value, path)];
}

/** The key with two letters exchanged, one left out, and one doubled. */
function typos(text: string, { key, keyRange, path, siblings }: Part): Mutant[] {
  if (key === undefined || keyRange === undefined || key.length < 3) return [];
  const wrong = [
    key[0]! + key[2]! + key[1]! + key.slice(3),
    key.slice(0, -1),
    key.slice(0, 2) + key.slice(1),
  ];
  return [...new Set(wrong)]
    .filter((name) => name !== key && !siblings.includes(name))
    .map((name) => mutant('typo', text, path, keyRange, name, { key }));
}

function values(text: string, { path, valueRange, isFlow, isScalar }: Part): Mutant[] {
  // What is written over several lines needs a line of its own.
  const [start, end] = valueRange;
  const isBlock = !isScalar && text.slice(start, end).includes('\n');
  return VALUES.filter((value) => !(isFlow && value === '')).map((value) =>
    mutant('value', text, path, valueRange, isBlock ? `${value}\n` : value),
  );
}

function removals(text: string, { path, key, keyRange, valueRange, isFlow }: Part): Mutant[] {
  if (key === undefined || keyRange === undefined) return [];
  const [start] = keyRange;
  let [, end] = valueRange;
  if (isFlow) {
    const comma = /^\s*,\s*/.exec(text.slice(end));
    const before = /,\s*$/.exec(text.slice(0, start));
    if (comma !== null) end += comma[0].length;
    else if (before !== null)
      return [mutant('removed', text, path, [start - before[0].length, end], '')];
    return [mutant('removed', text, path, [start, end], '')];
  }
  // The rest of the line, comment and break, and the indentation of what follows.
  const rest = /^[^\n]*\n?/.exec(text.slice(end))!;
  if (!text.slice(start, end).endsWith('\n')) end += rest[0].length;
  const column = start - (text.lastIndexOf('\n', start - 1) + 1);
  const isFirst = !/^\s*$/.test(text.slice(start - column, start));
  if (isFirst) return [];
  return [mutant('removed', text, path, [start - column, end], '')];
}

function duplicates(text: string, { path, key, keyRange, isFlow }: Part): Mutant[] {
  if (key === undefined || keyRange === undefined) return [];
  const [start] = keyRange;
  const column = start - (text.lastIndexOf('\n', start - 1) + 1);
  const first = `${key}: 1`;
  const between = isFlow ? ', ' : `\n${' '.repeat(column)}`;
  const whole = text.slice(0, start) + first + between + text.slice(start);
  return [
    {
      kind: 'duplicate',
      path,
      text: whole,
      ...placeOf(whole, start + first.length + between.length),
    },
  ];
}

function mutant(
  kind: Mutant['kind'],
  text: string,
  path: ConfigPath,
  [start, end]: readonly [number, number],
  replacement: string,
  extra: { key?: string } = {},
): Mutant {
  const whole = text.slice(0, start) + replacement + text.slice(end);
  return { kind, path, text: whole, ...placeOf(whole, start), ...extra };
}

function placeOf(text: string, offset: number) {
  const lines = text.slice(0, offset).split('\n');
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}
