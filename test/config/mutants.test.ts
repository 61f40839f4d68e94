/**
 * One thing wrong, anywhere in a config: the loader says what and where, and the JSON Schema for
 * editors is of the same opinion.
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, describe, expect, it } from 'vitest';
import YAML from 'yaml';
import { ConfigError } from '../../src/base/errors.ts';
import { configJsonSchema, describeConfig } from '../../src/config/json-schema.ts';
import type { Json } from '../../src/config/json-schema-form.ts';
import { loadConfig } from '../../src/config/load.ts';
import { formatPath } from '../../src/config/place.ts';
import { registries } from '../../src/config/registries.ts';
import { type Mutant, mutantsOf } from './mutants.ts';

const RICH = 'test/config/rich.yaml';
const FILES = [RICH, 'configs/iris.yaml'];

const folder = mkdtempSync(path.join(os.tmpdir(), 'torchts-mutants-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = path.join(folder, 'mutant.yaml');

const accepts = new Ajv({ strict: false }).compile(configJsonSchema(registries));

const complaints = new Map<string, string>();

/** What the loader says of a text; empty when it takes it. */
function complaint(text: string): string {
  const said = complaints.get(text) ?? load(text);
  complaints.set(text, said);
  return said;
}

function load(text: string): string {
  writeFileSync(file, text);
  try {
    loadConfig(file);
    return '';
  } catch (error) {
    // Anything else would be printed with its stack.
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(file, 'mutant.yaml');
  }
}

interface Said {
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly message: string;
}

/** The faults of a complaint, each followed by its line of the text and a caret under the place. */
function faultsOf(said: string, text: string): Said[] {
  const lines = said.split('\n');
  const source = text.split('\n');
  const faults: Said[] = [];
  while (lines.length > 0) {
    const head = lines.shift()!;
    const match = /^mutant\.yaml:(\d+):(\d+) (?:([\w$.[\]]+): )?(\S.*)$/.exec(head);
    expect(match, head).not.toBeNull();
    const [, line, column, where = '', message] = match!;
    faults.push({ line: Number(line), column: Number(column), path: where, message: message! });
    const [shown, caret] = [lines.shift()!, lines.shift()!];
    const rest = source[Number(line) - 1]!.slice(Number(column) - 1);
    expect(caret, head).toMatch(/^ +\^$/);
    const under = shown.slice(caret.indexOf('^'));
    expect(rest.startsWith(under), `${head}\n${shown}\n${caret}`).toBe(true);
  }
  return faults;
}

const label = ({ kind, path, text, line }: Mutant) =>
  `${kind} at ${formatPath(path)}: ${text.split('\n')[line - 1]!.trim()}`;

describe.each(FILES)('%s', { timeout: 120_000 }, (original) => {
  const mutants = mutantsOf(readFileSync(original, 'utf8'));
  const ofKind = (kind: Mutant['kind']) => mutants.filter((mutant) => mutant.kind === kind);

  it('is refused with a typo in a key, which is pointed at with the right name', () => {
    for (const mutant of ofKind('typo')) {
      const faults = faultsOf(complaint(mutant.text), mutant.text);
      const here = faults.filter(
        ({ line, column }) => line === mutant.line && column === mutant.column,
      );
      const said = here.map(({ message }) => message).join('\n');
      expect(said, label(mutant)).toContain(`did you mean "${mutant.key}"?`);
    }
  });

  it('is refused with a key that stands twice', () => {
    for (const mutant of ofKind('duplicate')) {
      const [fault] = faultsOf(complaint(mutant.text), mutant.text);
      const { line, column } = mutant;
      expect(fault, label(mutant)).toMatchObject({ line, column });
      expect(fault!.message).toBe(
        `duplicate key "${mutant.path.at(-1)}"; it stands already in line ${firstLine(mutant)}`,
      );
    }
  });

  it('is refused with a value of a wrong type or out of range, with its path and place', () => {
    for (const mutant of ofKind('value')) {
      const said = complaint(mutant.text);
      if (said === '') continue; // A legal value; the schema agrees, below.
      const where = formatPath(mutant.path);
      const faults = faultsOf(said, mutant.text);
      const near = faults.filter(({ path }) => path.startsWith(where) || where.startsWith(path));
      expect(near.length, `${label(mutant)}\n${said}`).toBeGreaterThan(0);
    }
  });

  it('is refused without a key that must be there, which is named', () => {
    for (const mutant of ofKind('removed')) {
      const said = complaint(mutant.text);
      if (said === '') continue;
      const key = String(mutant.path.at(-1));
      expect(faultsOf(said, mutant.text).length).toBeGreaterThan(0);
      expect(said, label(mutant)).toMatch(
        new RegExp(`${key}|needs (epochs|min)|expected an object`),
      );
    }
  });

  it('is taken by the loader only where the JSON Schema takes it, and the other way round', () => {
    for (const mutant of mutants) {
      if (mutant.kind === 'duplicate') continue;
      const said = complaint(mutant.text);
      const value = YAML.parse(mutant.text);
      if (said === '') expect(accepts(value), label(mutant)).toBe(true);
      else if (accepts(value)) expect(said, label(mutant)).toMatch(BEYOND_THE_SCHEMA);
    }
  });
});

/** What depends on several keys, and numbers that JSON does not have. */
const BEYOND_THE_SCHEMA =
  /there is no (metric|data\.val)|got (Infinity|NaN)|min is greater than max|best is chosen among/;

/** The line of the first of two keys: the one that the mutant added. */
function firstLine({ text, line, column, path }: Mutant): number {
  const before = text.split('\n').slice(0, line).join('\n').slice(0, -1);
  const here = text.split('\n')[line - 1]!.slice(0, column - 1);
  return here.includes(`${path.at(-1)}: 1, `) ? line : before.split('\n').length - 1;
}

it(`${RICH} uses every key of every section`, () => {
  const config = YAML.parse(readFileSync(RICH, 'utf8'));
  // A sampler stands in place of shuffle, which other configs have.
  const left = ['data.shuffle', 'extends'];
  expect(unused(describeConfig(registries).config, config, '').sort()).toEqual(left);
});

/** The keys that a schema has and a value does not. */
function unused(schema: Json, value: Json | undefined, where: string): string[] {
  const branches = [schema, ...((schema.anyOf ?? []) as Json[])];
  const properties = branches.flatMap((branch) =>
    Object.entries((branch.properties ?? {}) as Json),
  );
  return properties.flatMap(([key, inner]) => {
    const at = where === '' ? key : `${where}.${key}`;
    if (value === undefined || !(key in value)) return [at];
    return unused(inner as Json, value[key] as Json, at);
  });
}
