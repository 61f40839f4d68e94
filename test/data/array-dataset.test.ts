import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { datasets, type ImageDataset, type TensorDataset } from '../../src/data/index.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../fixtures/data/${name}`, import.meta.url));
const expected = JSON.parse(readFileSync(fixture('expected.json'), 'utf8')).images;

const source = (options: object) =>
  datasets.build({
    type: 'ArrayDataset',
    path: fixture('images.npz'),
    input: 'x',
    target: 'y',
    ...options,
  });

describe('ArrayDataset', () => {
  it('takes bytes of height, width and channels as images', async () => {
    const built = source({ classes: ['a', 'b', 'c'] });
    expect(built.input).toEqual({ dtype: 'float32', shape: [3, 4, 5] });
    const { images, labels, classes } = (await built.load()) as ImageDataset;
    expect([...images]).toEqual(expected.values);
    expect([...labels]).toEqual(expected.labels);
    expect(classes).toEqual(['a', 'b', 'c']);
    const first = (await source({ input: 'gray', limit: 2 }).load()) as ImageDataset;
    expect([first.channels, first.length]).toEqual([1, 2]);
    expect([...first.images.subarray(0, 20)]).toEqual(expected.values.slice(0, 20));
    expect(
      source({ transforms: [{ type: 'Resize', size: [2, 2] }, 'ToTensor'] }).input.shape,
    ).toEqual([3, 2, 2]);
  });

  it('takes other numbers as they are', async () => {
    const table = source({ input: 'table' });
    expect(table.input).toEqual({ dtype: 'float32', shape: [2] });
    expect(table.classes).toEqual(['0', '1', '2']);
    const regression = source({ input: 'table', target: 'size' });
    expect([regression.target, regression.classes]).toEqual([{ dtype: 'float32', shape: [1] }, []]);
    const { rows, length } = (await source({
      input: 'table',
      target: 'size',
      limit: 3,
    }).load()) as TensorDataset;
    expect(length).toBe(3);
    expect([...rows.targets]).toEqual([0, 0.5, 1]);
    const tokens = source({ input: 'y' });
    expect(tokens.input).toEqual({ dtype: 'int64', shape: [] });
  });

  it.each([
    [{ input: 'z' }, 'input: '],
    [{ input: 'tabel' }, 'has no array "tabel"; did you mean table?'],
    [{ target: 'table' }, 'target is float64 (6, 2); images need one class each'],
    [{ target: 'size' }, 'target is float64 (6,); images need one class each'],
    [{ classes: ['a'] }, 'target 1 is 1, which is none of 1 classes'],
    [
      { input: 'table', transforms: [{ type: 'Resize', size: 2 }, 'ToTensor'] },
      'transforms are for images of bytes',
    ],
    [{ path: undefined, input: 'no/file.npy' }, 'no/file.npy does not exist'],
  ])('refuses %j', (options, message) => {
    expect(() => source(options)).toThrow(message);
  });
});
