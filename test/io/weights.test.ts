import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HostTensor } from '../../src/io/host-tensor.ts';
import { writeSafetensors } from '../../src/io/safetensors.ts';
import { readContents, readWeights } from '../../src/io/weights.ts';

const TORCH = fileURLToPath(new URL('../fixtures/torch-files/', import.meta.url));
const tensor = (...values: number[]): HostTensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'weights-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const KEYS = [
  '0.weight',
  '0.bias',
  '1.weight',
  '1.bias',
  '1.running_mean',
  '1.running_var',
  '1.num_batches_tracked',
];

describe('readWeights', () => {
  it.each(['module.pth', 'module-legacy.pt', 'checkpoint.pt'])(
    'finds the model in %s',
    async (name) => {
      expect([...(await readWeights(join(TORCH, name))).keys()]).toEqual(KEYS);
    },
  );

  it('goes by what a file holds, not by its name', async () => {
    const path = join(folder, 'weights.bin');
    await writeSafetensors(path, new Map([['w', tensor(1, 2)]]));
    expect((await readWeights(path)).get('w')).toEqual(tensor(1, 2));
    copyFileSync(join(TORCH, 'module.pth'), path);
    expect((await readWeights(path)).size).toBe(KEYS.length);
  });

  it('names a file that is missing', async () => {
    await expect(readWeights(join(folder, 'a.pt'))).rejects.toThrow(`cannot read ${folder}/a.pt`);
  });
});

describe('an index of safetensors files', () => {
  const index = (weight_map: unknown) => {
    const path = join(folder, 'model.safetensors.index.json');
    writeFileSync(path, JSON.stringify({ metadata: {}, weight_map }));
    return path;
  };
  beforeEach(async () => {
    await writeSafetensors(join(folder, '1.safetensors'), new Map([['a', tensor(1)]]));
    await writeSafetensors(join(folder, '2.safetensors'), new Map([['b', tensor(2)]]));
  });

  it('is read with its files', async () => {
    const read = await readWeights(index({ a: '1.safetensors', b: '2.safetensors' }));
    expect(read).toEqual(
      new Map([
        ['a', tensor(1)],
        ['b', tensor(2)],
      ]),
    );
  });

  it.each([
    [
      'a path out of its folder',
      { a: '../1.safetensors' },
      '"a" is in "../1.safetensors", which is no safetensors file beside it',
    ],
    ['an absolute path', { a: '/1.safetensors' }, 'which is no safetensors file beside it'],
    ['what is no file name', { a: 3 }, '"a" is in 3'],
    [
      'a tensor that is not there',
      { a: '1.safetensors', c: '2.safetensors' },
      '2.safetensors holds "b", of which',
    ],
    [
      'a file without its tensor',
      { a: '1.safetensors', d: '1.safetensors' },
      '1.safetensors lacks "d"',
    ],
    ['a file that is missing', { a: '3.safetensors' }, 'cannot read'],
    ['no map', undefined, 'has no weight_map'],
  ])('with %s is refused', async (_, weight_map, message) => {
    await expect(readWeights(index(weight_map))).rejects.toThrow(message);
  });

  it('that is no JSON is refused', async () => {
    const path = index({});
    writeFileSync(path, '{');
    await expect(readWeights(path)).rejects.toThrow(`cannot read ${path}: `);
  });
});

describe('readContents', () => {
  it('opens no pipe, which would wait for a writer, and no device', async () => {
    const pipe = join(folder, 'pipe.pt');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, '/dev/zero', folder]) {
      await expect(readContents(path)).rejects.toThrow(`cannot read ${path}: it is no file`);
    }
  });

  it('says what the file is, where the tensors were found, and what it says of itself', async () => {
    const wrapped = await readContents(join(TORCH, 'checkpoint.pt'));
    expect([...wrapped.tensors.keys()]).toEqual(KEYS);
    expect(wrapped).toMatchObject({ kind: 'torch', path: ['model'], metadata: {} });
    expect(wrapped.beside).toContain('epoch');
    const path = join(folder, 'a.safetensors');
    await writeSafetensors(path, new Map([['w', tensor(1)]]), { classes: '["a"]' });
    expect(await readContents(path)).toMatchObject({
      ...{ kind: 'safetensors', path: [], beside: [], metadata: { classes: '["a"]' } },
    });
  });
});
