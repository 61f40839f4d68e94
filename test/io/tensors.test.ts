import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errors, load, nn, save, tensor } from '../../src/index.ts';
import { zipEntries } from '../../src/io/zip.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'torchts-tensors-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('save and load', () => {
  it('gives back a model state under its own keys', async () => {
    const path = join(folder, 'model.safetensors');
    const model = new nn.Linear({ in_features: 3, out_features: 2 });
    await save(model.stateDict(), path);

    const other = new nn.Linear({ in_features: 3, out_features: 2 });
    other.loadStateDict(await load(path));

    expect(other.weight.tolist()).toEqual(model.weight.tolist());
    expect(other.bias!.tolist()).toEqual(model.bias!.tolist());
  });

  it('keeps dtypes and shapes, and computes lazy tensors first', async () => {
    const path = join(folder, 'mixed.safetensors');
    const half = tensor([[1.5], [-2]], { dtype: 'bfloat16' });
    await save(
      new Map([
        ['half', half.mul(2)],
        ['flag', tensor([true, false])],
        ['count', tensor([7n])],
      ]),
      path,
    );
    const read = await load(path);
    const summary = [...read].map(([name, t]) => [name, [t.dtype, t.shape, t.tolist()]]);
    expect(Object.fromEntries(summary)).toEqual({
      half: ['bfloat16', [2, 1], [[3], [-4]]],
      flag: ['bool', [2], [true, false]],
      count: ['int64', [1], [7]],
    });
  });

  it.each(['pt', 'pth', 'bin'])('writes .%s as torch.save does', async (ending) => {
    const path = join(folder, `model.${ending}`);
    const weight = tensor([[1, 2.5]]).mul(2);
    await save(
      new Map([
        ['a.weight', weight],
        ['b.weight', weight],
      ]),
      path,
    );
    const files = zipEntries(path, await readFile(path));
    expect([...files.keys()].filter((name) => name.includes('/data/'))).toEqual(['archive/data/0']);
    const read = await load(path);
    expect([...read].map(([name, t]) => [name, t.tolist()])).toEqual([
      ['a.weight', [[2, 5]]],
      ['b.weight', [[2, 5]]],
    ]);
  });

  it('names a file that is not there', async () => {
    await expect(load(join(folder, 'none.safetensors'))).rejects.toThrow(errors.FileError);
  });
});
