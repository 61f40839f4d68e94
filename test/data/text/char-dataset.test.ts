import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { datasets, type TensorDataset } from '../../../src/data/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'text-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function source(text: string | Uint8Array, options: object) {
  const path = join(folder, 'a.txt');
  writeFileSync(path, text);
  return datasets.build({ type: 'CharDataset', path, ...options });
}

async function load(text: string, options: object) {
  const dataset = (await source(text, options).load()) as TensorDataset;
  const spell = (tokens: Iterable<number | bigint>) =>
    Array.from(tokens, (token) => dataset.classes[Number(token)]).join('');
  return { dataset, inputs: spell(dataset.rows.inputs), targets: spell(dataset.rows.targets) };
}

describe('CharDataset', () => {
  it('cuts a text into windows, each character with the one that follows', async () => {
    const { dataset, inputs, targets } = await load('hello world!', { block_size: 4 });
    expect(dataset.classes).toEqual([...' !dehlorw']);
    expect(dataset.length).toBe(2);
    expect(dataset.input).toEqual({ dtype: 'int64', shape: [4] });
    expect([inputs, targets]).toEqual(['hello wo', 'ello wor']);
  });

  it('lets windows overlap', async () => {
    const { inputs } = await load('abcdef', { block_size: 3, stride: 1 });
    expect(inputs).toBe('abcbcdcde');
  });

  it('holds the end back, with the characters of the whole', async () => {
    const options = { block_size: 2, test_size: 0.5 };
    const test = await load('ababcdcd', { ...options, split: 'test' });
    expect([test.inputs, test.dataset.classes]).toEqual(['cd', ['a', 'b', 'c', 'd']]);
    expect((await load('ababcdcd', { ...options, split: 'train' })).inputs).toBe('ab');
  });

  it('reads the rows of a column, one below the other', async () => {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return { type: 'CharDataset', path: join(folder, name), block_size: 3 };
    };
    const poem = { ...write('poem.csv', 'n,line\n1,"ab,"\n2,cd\n3,ef\n'), column: 'line' };
    const { rows, classes } = (await datasets.build(poem).load()) as TensorDataset;
    const spelled = Array.from(rows.inputs, Number)
      .map((token) => classes[token])
      .join('');
    expect(spelled).toBe('ab,\ncd');
    expect(() => datasets.build({ ...poem, column: 'lines' })).toThrow('did you mean "line"?');
    const plain = { ...write('poem.txt', 'abc'), column: 'line' };
    expect(() => datasets.build(plain)).toThrow('is no table: its name ends in none of .csv');
  });

  it('takes a character of two words as one', async () => {
    expect((await load('a🙂b🙂', { block_size: 3 })).inputs).toBe('a🙂b');
  });

  it.each([
    [
      'too short',
      'abc',
      { block_size: 3 },
      'has 3 characters (split: all), too few for a block_size of 3',
    ],
    ['empty', '', { block_size: 1 }, 'has 0 characters'],
    ['no UTF-8', Uint8Array.of(0xff, 0xfe, 0xff), { block_size: 1 }, 'cannot read'],
  ])('refuses a text that is %s', (_, text, options, message) => {
    expect(() => source(text, options)).toThrow(message);
  });
});
