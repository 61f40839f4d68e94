import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { datasets, type ImageDataset, type TensorDataset } from '../../../src/data/index.ts';
import { readJsonLines, readParquet } from '../../../src/data/table/records.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../fixtures/data/${name}`, import.meta.url));
const expected = JSON.parse(readFileSync(fixture('expected.json'), 'utf8'));
const options = { na_values: [] };

async function lines(text: string): Promise<string> {
  const path = join(await temporaryFolder(), 'rows.jsonl');
  await writeFile(path, text);
  return path;
}

const ROWS = '{"x":1,"kind":"cat","ok":true}\n\n{"kind":"dog","x":2.5}\n{"x":null,"kind":"cat"}\n';

describe('ParquetDataset', () => {
  it.each(['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'])('reads %s as pyarrow', (codec) => {
    const { rows, columns } = readParquet(fixture(`${codec}.parquet`), options);
    expect([...rows]).toEqual([1, 2, 3, 4, 5]);
    for (const [name, values] of Object.entries<(number | string | boolean | null)[]>(
      expected.table,
    )) {
      const column = columns.get(name)!;
      const numbers = values.map((value) => (value === null ? Number.NaN : Number(value)));
      const texts = values.map((value) => value ?? '');
      expect([...column.values], name).toEqual(column.kind === 'text' ? texts : numbers);
    }
    expect(columns.get('kind')!.kind).toBe('text');
  });

  it('takes the options of all tables', async () => {
    const spec = { type: 'ParquetDataset', path: fixture('snappy.parquet'), target: 'count' };
    const { rows, input } = (await datasets
      .build({ ...spec, features: ['x', 'flag'], transforms: ['SimpleImputer'] })
      .load()) as TensorDataset;
    expect(input.shape).toEqual([2]);
    expect(rows.inputs[0]).toBe(1.5);
    expect(() => datasets.build({ ...spec, target: 'cuont' })).toThrow('did you mean "count"?');
    const images = { ...spec, path: fixture('images-0.parquet'), target: 'label' };
    expect(() => datasets.build(images)).toThrow('column "image" is no column of numbers or words');
  });
});

describe('JSONLDataset', () => {
  it('reads objects, keys in any order, and what is missing', async () => {
    const path = await lines(ROWS);
    const { rows, columns } = readJsonLines(path, options);
    expect([...rows]).toEqual([1, 3, 4]);
    expect([...columns.get('x')!.values]).toEqual([1, 2.5, Number.NaN]);
    expect([...columns.get('ok')!.values]).toEqual([1, Number.NaN, Number.NaN]);
    const spec = { type: 'JSONLDataset', path, target: 'kind', exclude: ['ok'] };
    expect(() => datasets.build(spec)).toThrow('column "x" has no value in row 4');
    const built = datasets.build({ ...spec, transforms: ['SimpleImputer'] });
    expect(built.classes).toEqual(['cat', 'dog']);
    const { rows: samples } = (await built.load()) as TensorDataset;
    expect([...samples.inputs]).toEqual([1, 2.5, 1.75]);
  });

  it.each([
    ['no JSON', '{"x":1}\n{"x":', 'rows.jsonl: line 2: '],
    ['no object', '[1]\n', 'line 1 is no object of names and values'],
    ['nothing', '\n', 'has no lines'],
    ['a list in a column', '{"x":[1]}\n', 'column "x" is no column of numbers or words'],
    ['no UTF-8', Buffer.from([0x22, 0xff]), 'is no text in UTF-8'],
  ])('refuses %s', async (_, text, message) => {
    const path = await lines(text as string);
    expect(() => readJsonLines(path, options)).toThrow(message);
  });
});

describe('ParquetImageDataset', () => {
  const build = (spec: object) =>
    datasets.build({
      type: 'ParquetImageDataset',
      transforms: [{ type: 'Resize', size: [4, 5] }, 'ToTensor'],
      ...spec,
    });

  it('reads shards as Hugging Face writes them', async () => {
    const source = build({ path: fixture('images-*.parquet') });
    expect(source.classes).toEqual(['cat', 'dog', 'fish']);
    const { images, labels } = (await source.load()) as ImageDataset;
    expect([...labels]).toEqual(expected.images.labels);
    expect([...images]).toEqual(expected.images.values);
  });

  it('reads plain bytes, and classes by their names', async () => {
    const spec = { path: fixture('binary.parquet'), image: 'png', label: 'name' };
    const source = build({ ...spec, classes: ['cat', 'dog', 'fish'], limit: 4 });
    const { images, labels } = (await source.load()) as ImageDataset;
    expect([...labels]).toEqual(expected.images.labels.slice(0, 4));
    expect([...images]).toEqual(expected.images.values.slice(0, 4 * 60));
    expect(() => build(spec)).toThrow('does not name the classes of "name"; list them in classes');
    await expect(build({ ...spec, classes: ['cat'] }).load()).rejects.toThrow(
      'row 2 has "dog" in column "name", which is none of 1 classes',
    );
  });

  it('refuses what is not there', async () => {
    expect(() => build({ path: fixture('none-*.parquet') })).toThrow('no file fits');
    const path = fixture('images-0.parquet');
    await expect(build({ path, image: 'picture' }).load()).rejects.toThrow('has no column picture');
  });
});
