import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { datasets, TensorDataset } from '../../../src/data/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'table-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const PETS = `age,kind,weight,name
2,cat,4.5,"Mia, the cat"
,dog,20,Rex
4,cat,NA,Tom
6,dog,30,Bo
`;

function write(text: string, name = 'pets.csv'): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const source = (options: object, text = PETS) =>
  datasets.build({ type: 'CSVDataset', path: write(text), ...options });

async function load(options: object, text?: string) {
  const dataset = (await source(options, text).load()) as TensorDataset;
  expect(dataset).toBeInstanceOf(TensorDataset);
  const { inputs, targets } = dataset.rows;
  return { inputs: Array.from(inputs, Number), targets: [...targets].map(Number), dataset };
}

const IMPUTED = { exclude: ['name'], transforms: ['SimpleImputer'] };

describe('CSVDataset', () => {
  it('takes words as classes, in their order, and fills gaps with the mean', async () => {
    const { inputs, targets, dataset } = await load({ target: 'kind', ...IMPUTED });
    expect(dataset.classes).toEqual(['cat', 'dog']);
    expect(targets).toEqual([0, 1, 0, 1]);
    expect(dataset.input).toEqual({ dtype: 'float32', shape: [2] });
    expect(inputs.map((value) => Math.round(value * 100))).toEqual(
      [2, 4.5, 4, 20, 4, 54.5 / 3, 6, 30].map((value) => Math.round(value * 100)),
    );
  });

  it('takes numbers as numbers, or as classes where the task says so', async () => {
    const text = 'x,y\n1,10\n2,9\n3,10\n';
    const regression = await load({ target: 'y' }, text);
    expect(regression.dataset.target).toEqual({ dtype: 'float32', shape: [1] });
    expect(regression.targets).toEqual([10, 9, 10]);
    const classes = await load({ target: 'y', task: 'classification' }, text);
    expect(classes.dataset.classes).toEqual(['9', '10']);
    expect(classes.targets).toEqual([1, 0, 1]);
    const both = 'x,y,z\n1,10,0\n2,9,0\n3,10,0\n';
    expect((await load({ target: ['y', 'x'] }, both)).targets).toEqual([10, 1, 9, 2, 10, 3]);
  });

  it('encodes words as a feature for each', async () => {
    const { inputs } = await load(
      {
        target: 'weight',
        features: ['kind'],
        na_values: [],
        transforms: ['OneHotEncoder'],
      },
      PETS.replace('NA', '5'),
    );
    expect(inputs).toEqual([1, 0, 0, 1, 1, 0, 0, 1]);
  });

  it('learns from the training rows alone', async () => {
    const rows = Array.from({ length: 20 }, (_, i) => `${i},${i % 2 ? 'odd' : 'even'}`);
    const text = `x,parity\n${rows.join('\n')}\n`;
    const options = { target: 'parity', stratify: true, transforms: ['StandardScaler'] };
    const train = await load({ ...options, split: 'train' }, text);
    const test = await load({ ...options, split: 'test' }, text);
    expect([train.dataset.length, test.dataset.length]).toEqual([16, 4]);
    expect(test.targets.toSorted()).toEqual([0, 0, 1, 1]);
    const mean = train.inputs.reduce((a, b) => a + b, 0) / 16;
    const variance = train.inputs.reduce((a, b) => a + b * b, 0) / 16;
    expect(mean).toBeCloseTo(0, 6);
    expect(variance).toBeCloseTo(1, 6);
    // Undone with one scale, the rows of both parts are those of the file.
    const step = Math.min(
      ...train.inputs.toSorted((a, b) => a - b).map((v, i, all) => (i ? v - all[i - 1]! : 1)),
    );
    const all = [...train.inputs, ...test.inputs].sort((a, b) => a - b);
    expect(all.map((value) => Math.round((value - all[0]!) / step))).toEqual(rows.map((_, i) => i));
  });

  it('learns from another file where one is named', async () => {
    const fit = write('x,y\n0,0\n10,1\n', 'train.csv');
    const options = { target: 'y', fit, transforms: ['MinMaxScaler'] };
    expect((await load(options, 'x,y\n5,3\n20,4\n')).inputs).toEqual([0.5, 2]);
  });

  it.each([
    ['median', [1, 2, 4, 100, 3]],
    ['most_frequent', [1, 2, 4, 100, 1]],
    ['constant', [1, 2, 4, 100, 0]],
  ])('imputes by %s', async (strategy, expected) => {
    const text = `x,y\n1,0\n2,0\n4,0\n100,0\n,0\n`;
    const { inputs } = await load(
      { target: 'y', transforms: [{ type: 'SimpleImputer', strategy }] },
      text,
    );
    expect(inputs).toEqual(expected);
  });

  it('reads tabs in .tsv files, a byte order mark and quoted line breaks', async () => {
    const path = write('\ufeffa\tb\n1\t"x\ny"\n2\tz\n', 'rows.tsv');
    const dataset = await datasets.build({ type: 'CSVDataset', path, target: 'b' }).load();
    expect(dataset.classes).toEqual(['x\ny', 'z']);
  });

  it.each([
    [
      'an unknown target',
      { target: 'kinf' },
      PETS,
      'target: there is no column "kinf"; did you mean "kind"?',
    ],
    [
      'an unknown feature',
      { target: 'kind', features: ['size'] },
      PETS,
      'features: there is no column "size"; known: age,',
    ],
    [
      'words as a feature',
      { target: 'kind', features: ['name'] },
      PETS,
      'column "name" has "Mia, the cat" in row 2: add OneHotEncoder',
    ],
    [
      'a gap',
      { target: 'kind', features: ['age'] },
      PETS,
      'column "age" has no value in row 3: add SimpleImputer',
    ],
    [
      'a class that is missing',
      { target: 'k' },
      'x,k\n1,a\n2,\n',
      'row 3 has no value in column "k", which is no class; the classes are a',
    ],
    [
      'words to regress',
      { target: 'kind', task: 'regression', ...IMPUTED },
      PETS,
      'column "kind" has "cat" in row 2: task: regression needs numbers',
    ],
    [
      'two columns of classes',
      { target: ['kind', 'age'], task: 'classification' },
      PETS,
      'a class is in one column, but target names 2',
    ],
    ['nothing to predict from', { target: 'x' }, 'x\n1\n', 'no column is left to predict from'],
    ['strata of numbers', { target: 'age', stratify: true }, PETS, 'stratify: true needs classes'],
    [
      'an empty part',
      { target: 'y', split: 'test', test_size: 0.1 },
      'x,y\n1,2\n',
      'test_size leaves none of 1 samples for split: test',
    ],
    ['a column twice', { target: 'x' }, 'x,x\n1,2\n', 'has two columns named "x"'],
    ['no rows', { target: 'x' }, 'x,y\n', 'has no rows below its header'],
    ['an empty file', { target: 'x' }, '', 'is empty; its first row names the columns'],
    ['rows of other lengths', { target: 'x' }, 'x,y\n1,2\n1,2,3\n', 'line 3: expect 2, got 3'],
    ['an open quote', { target: 'x' }, 'x,y\n1,"2\n', 'pets.csv: '],
    [
      'a transform of the other kind',
      { target: 'kind', transforms: [{ type: 'StandardScaler', columns: ['name'] }] },
      PETS,
      '[StandardScaler] column "name" is of text; it takes numbers',
    ],
  ])('refuses %s', (_, options, text, message) => {
    expect(() => source(options, text)).toThrow(message);
  });

  it('refuses a word that no training row has, unless it is told to ignore it', async () => {
    const fit = write('x,y\na,0\nb,1\n', 'train.csv');
    const options = (handle_unknown: string) => ({
      target: 'y',
      fit,
      transforms: [{ type: 'OneHotEncoder', handle_unknown }],
    });
    const text = 'x,y\nb,0\nc,1\n';
    expect(() => source(options('error'), text)).toThrow(
      '"c" in column "x", row 3, is in no training row',
    );
    expect((await load(options('ignore'), text)).inputs).toEqual([0, 1, 0, 0]);
  });

  it('names a file that is missing', () => {
    const spec = { type: 'CSVDataset', path: join(folder, 'none.csv'), target: 'x' };
    expect(() => datasets.build(spec)).toThrow('none.csv does not exist');
  });
});
