/** Text that nobody would write: it is read, or refused with a ConfigError, and quickly. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/base/errors.ts';
import { philox4x32 } from '../../src/base/philox.ts';
import { loadConfig } from '../../src/config/load.ts';
import { readConfig } from '../../src/config/source.ts';
import { toValue } from '../../src/config/tree.ts';

const CONFIG = 'configs/cifar10-cnn.yaml';
const folder = mkdtempSync(path.join(os.tmpdir(), 'torchts-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** On a busy machine. */
const MOST_MS = 8000;

/** Numbers in [0, limit) that follow from `seed` alone. */
function numbers(seed: number): (limit: number) => number {
  let count = 0;
  return (limit) => philox4x32([count++, 0, seed, 0], [3, 0])[0]! % limit;
}

/** What is wrong with a file of these bytes; empty when nothing is. Fails when it takes long. */
function refusal(bytes: string | Uint8Array): string {
  const file = path.join(folder, 'fuzz.yaml');
  writeFileSync(file, bytes);
  const start = performance.now();
  let message = '';
  try {
    const value = toValue(readConfig(file)) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  } catch (error) {
    expect(error, JSON.stringify(String(bytes).slice(0, 300))).toBeInstanceOf(ConfigError);
    ({ message } = error as Error);
  }
  expect(performance.now() - start).toBeLessThan(MOST_MS);
  return message;
}

/** What YAML gives a meaning to. */
const PIECES = [
  ...[':', ': ', '- ', '[', ']', '{', '}', ',', '#', '&a ', '*a', '!x ', '|', '>', '"', "'", '%'],
  ...['\n', '\t', '  ', '---\n', '...\n', '? ', '<<: *a', '__proto__: 1', '${', '}', '$${', '\0'],
  ...['\ufeff', '\u2028', '\ue001', '1e999', '.nan', '~', '=', '@', '`', '\r'],
];

describe('the reader', () => {
  it('withstands random bytes', () => {
    for (let seed = 0; seed < 300; seed++) {
      const below = numbers(seed);
      const bytes = Uint8Array.from({ length: below(400) }, () => below(256));
      refusal(bytes);
    }
  });

  it('withstands random pieces of YAML', () => {
    for (let seed = 0; seed < 300; seed++) {
      const below = numbers(seed);
      refusal(Array.from({ length: below(60) }, () => PIECES[below(PIECES.length)]).join(''));
    }
  });

  it('withstands configs in which something was cut, doubled or put in', () => {
    const text = readFileSync(CONFIG, 'utf8');
    for (let seed = 0; seed < 300; seed++) {
      const below = numbers(seed);
      const [start, length] = [below(text.length), below(30)];
      const middle = [
        '',
        text.slice(start, start + length).repeat(2),
        PIECES[below(PIECES.length)]! + text.slice(start, start + length),
      ][below(3)]!;
      refusal(text.slice(0, start) + middle + text.slice(start + length));
    }
  });

  it.each([
    ['a million brackets', '['.repeat(1_000_000)],
    ['half a million keys in a line', '? '.repeat(500_000)],
    ['quotes without end', `a: "${'x'.repeat(1_000_000)}`],
    ['a block scalar of a mebibyte', `a: |\n${'  x\n'.repeat(300_000)}`],
    ['a comment of a mebibyte', `a: 1 #${'x'.repeat(1_000_000)}`],
    ['seventy thousand anchors', Array.from({ length: 70_000 }, (_, i) => `- &a${i} 1`).join('\n')],
    ['two hundred thousand documents', '---\n'.repeat(200_000)],
    ['a hundred thousand references', `a: ${'${X:-y}'.repeat(100_000)}`],
    ['more than a mebibyte', 'a: 1\n'.repeat(300_000)],
  ])('is done quickly with %s', (_, text) => {
    refusal(text);
  });

  it('lets no key reach the prototype of objects', () => {
    for (const key of ['__proto__', 'constructor', 'prototype', '"__proto__"', '? __proto__\n']) {
      expect(refusal(`data: { a: 1 }\n${key}: { polluted: true }\n`)).toContain('cannot be a key');
    }
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('overrides', () => {
  const said = (...overrides: string[]) => {
    try {
      loadConfig(CONFIG, { overrides });
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
    return '';
  };

  it.each([
    ['optimizer.lrr=0.1', 'unknown key "lrr"; did you mean "lr"?', 11],
    ['optimzer.lr=0.1', 'unknown key "optimzer"; did you mean "optimizer"?', 1],
    ['data.batchsize=4', 'unknown key "batchsize"; did you mean "batch_size"?', 6],
    ['model.layers.0.kernel=3', 'unknown key "kernel"; did you mean "kernel_size"?', 16],
    ['model.layers[0].out_channels=six', 'expected a positive integer, got "six"', 30],
    ['model.layers.1=Relu', 'unknown module "Relu"; did you mean "ReLU"?', 16],
    ['optimizer.type=Sgd', 'unknown optimizer "Sgd"; did you mean "SGD"?', 16],
    ['optimizer={ type: SGD, lr: fast }', 'expected a number of at least 0', 28],
    ['trainer.epochs=1.5', 'expected a positive integer, got 1.5', 16],
    ['data.shuffle=yes', 'expected true or false, got "yes"', 14],
    ['device=gpu', 'did you mean "cpu"?', 8],
  ])('%s is refused with its place', (override, message, column) => {
    const [head, shown, caret] = said(override).split('\n');
    expect(head).toMatch(/^command line/);
    expect(head).toContain(message);
    expect(shown).toBe(`    ${override}`);
    expect(caret).toBe(`    ${' '.repeat(column - 1)}^`);
  });

  it('withstand random text', () => {
    const pieces = [...PIECES, 'optimizer', '.', 'lr', '0', '=', 'model.layers', '[0]'];
    for (let seed = 0; seed < 200; seed++) {
      const below = numbers(seed);
      said(Array.from({ length: 1 + below(8) }, () => pieces[below(pieces.length)]).join(''));
    }
  });
});
