import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { checkModel } from '../../src/config/model-check.ts';
import { torchts } from './harness.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const out = () => join(folder, 'mine.yaml');

/** Writes a config and loads it, model and data included. */
async function init(args: string) {
  const outcome = await torchts(`init ${args} --out ${out()}`);
  expect(outcome.err).toBe('');
  const loaded = loadConfig(out());
  const { outputs, source } = checkModel(loaded);
  return { ...outcome, loaded, output: outputs[0], source, text: readFileSync(out(), 'utf8') };
}

function images(path: string): void {
  mkdirSync(join(folder, path), { recursive: true });
  copyFileSync('test/fixtures/images/colour.png', join(folder, path, '1.png'));
}

function csv(text: string): string {
  const path = join(folder, 'rows.csv');
  writeFileSync(path, text);
  return path;
}

const HOUSES =
  'size,kind,rooms,price\n30,flat,1,90\n80,house,,290\n120,house,4,410\n60,flat,2,180\n50,flat,2,150\n';

describe('torchts init', () => {
  it.each(['images', 'text-classification', 'text', 'table', 'regression'])(
    'writes a config for %s that fits',
    async (kind) => {
      const { text, out: told } = await init(kind);
      expect(text.split('\n').slice(0, 2)).toEqual([
        `# torchts train ${out()}`,
        '# yaml-language-server: $schema=torchts.schema.json',
      ]);
      expect(told).toContain(`torchts train ${out()}`);
      expect(existsSync(join(folder, 'torchts.schema.json'))).toBe(true);
    },
  );

  it('takes a folder of images, and holds a part of each class back', async () => {
    for (const name of ['cat', 'dog', 'owl']) images(`pets/${name}`);
    const { loaded, output } = await init(`images --data ${folder}/pets`);
    expect(output.shape).toEqual([32, 3]);
    expect(loaded.config.data.val).toMatchObject({ root: `${folder}/pets`, split: 'test' });
  });

  it('takes the two parts that a folder has', async () => {
    for (const part of ['train', 'val'])
      for (const name of ['cat', 'dog']) images(`${part}/${name}`);
    const { loaded } = await init(`images --data ${folder}`);
    expect(loaded.config.data.train).toMatchObject({ root: join(folder, 'train'), split: 'all' });
    expect(loaded.config.data.val).toMatchObject({ root: join(folder, 'val'), split: 'all' });
  });

  it('takes a text, and as many classes as it has characters', async () => {
    const path = join(folder, 'a.txt');
    writeFileSync(path, 'abcd'.repeat(400));
    expect((await init(`text --data ${path}`)).output.shape).toEqual([16, 4, 64]);
  });

  it.each([
    ['', 'label', 2],
    ['--target stars', 'stars', 3],
  ])('takes a column of texts, and classes of words or numbers: %s', async (args, target, n) => {
    const rows = [0, 1, 2, 3, 4, 5].map((i) => `${i % 3},it is ${i},${i % 2 ? 'bad' : 'good'}`);
    const path = csv(`stars,review,label\n${rows.join('\n')}\n`);
    const { loaded, output } = await init(`text-classification --data ${path} ${args}`);
    const common = { path, text: 'review', target };
    expect(loaded.config.data.train).toMatchObject({ ...common, split: 'train' });
    expect(loaded.config.data.val).toMatchObject({ ...common, split: 'test' });
    expect(output.shape).toEqual([32, n]);
  });

  it('takes the last column of a table unless another is named', async () => {
    const { loaded, source } = await init(`regression --data ${csv(HOUSES)}`);
    expect(loaded.config.data.train).toMatchObject({
      target: 'price',
      transforms: [
        { type: 'SimpleImputer' },
        { type: 'OneHotEncoder' },
        { type: 'StandardScaler' },
      ],
    });
    expect(source.input.shape).toEqual([4]);
    rmSync(out());
    expect((await init(`table --data ${csv(HOUSES)} --target kind`)).source.classes).toEqual([
      'flat',
      'house',
    ]);
  });

  it('keeps the comments', async () => {
    const { text } = await init(`table --data ${csv(HOUSES)} --target kind`);
    expect(text).toContain('transforms: [SimpleImputer, StandardScaler]');
    expect(text).toContain('test_size: 0.2 # of the rows are held back');
  });

  it.each([
    [
      '',
      'say what the config is for: torchts init KIND, one of images, text-classification, text, table',
    ],
    ['words', "argument 'kind'. Allowed choices are images, text-classification, text"],
    ['images --data nowhere', 'nowhere is no folder; images need one'],
    ['table --data nowhere.csv', 'nowhere.csv does not exist'],
    ['text --target x', '--target names a column of a CSV file: give --data FILE.csv'],
    ['text-classification --data CSV --target knd', 'did you mean "kind"?'],
    ['text-classification --data CSV --target kind', 'needs a column of texts and one of classes'],
    ['table --data CSV --target knd', 'there is no column "knd"; did you mean "kind"?'],
    [
      'regression --data CSV --target kind',
      'is of words, which are classes: use torchts init table',
    ],
  ])('refuses "%s"', async (args, message) => {
    const given = args.replace('CSV', csv(HOUSES));
    const { code, err } = await torchts(`init ${given} --out ${out()}`);
    expect([code, err]).toEqual([expect.any(Number), expect.stringContaining(message)]);
    expect(code).not.toBe(0);
    expect(existsSync(out())).toBe(false);
  });

  it('overwrites nothing', async () => {
    writeFileSync(out(), 'mine');
    const { code, err } = await torchts(`init images --out ${out()}`);
    expect([code, err]).toEqual([2, expect.stringContaining(`${out()} is there already`)]);
    expect(readFileSync(out(), 'utf8')).toBe('mine');
  });
});
