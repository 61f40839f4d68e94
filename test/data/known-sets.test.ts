import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FileError } from '../../src/base/errors.ts';
import { datasets } from '../../src/data/index.ts';
import { CIFAR10 } from '../../src/data/known-set-table.ts';
import { findSet } from '../../src/data/known-sets.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';

async function emptyCache(): Promise<string> {
  const cache = await temporaryFolder();
  vi.stubEnv('TORCHTS_CACHE', cache);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return cache;
}

async function folderWith(folder: string, name = 'test_batch.bin'): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), '');
  return folder;
}

describe('findSet', () => {
  it('looks in the root, in its cifar-10-batches-bin, then in the cache', async () => {
    const cache = await emptyCache();
    const root = await temporaryFolder();
    const missing = `CIFAR-10 was not found in ${root}, ${root}/cifar-10-batches-bin, ${cache}/cifar-10-batches-bin; fetch it with: torchts data fetch cifar10`;
    expect(() => findSet(CIFAR10, root)).toThrow(new FileError(missing));
    const cached = await folderWith(join(cache, 'cifar-10-batches-bin'));
    expect(findSet(CIFAR10, root)).toBe(cached);
    const inner = await folderWith(join(root, 'cifar-10-batches-bin'));
    expect(findSet(CIFAR10, root)).toBe(inner);
    await folderWith(root);
    expect(findSet(CIFAR10, root)).toBe(root);
  });

  it('does not turn a mistyped root into the cached set', async () => {
    const cache = await emptyCache();
    await folderWith(join(cache, 'cifar-10-batches-bin'));
    expect(() => findSet(CIFAR10, 'datasets/cifar10-subst')).toThrow(
      'data root datasets/cifar10-subst does not exist',
    );
  });

  it('does not turn a root that is a file into the cached set', async () => {
    const cache = await emptyCache();
    await folderWith(join(cache, 'cifar-10-batches-bin'));
    const folder = await folderWith(await temporaryFolder());
    const root = join(folder, 'test_batch.bin');
    const message = `data root ${root} is a file, not a folder`;
    expect(() => findSet(CIFAR10, root)).toThrow(new FileError(message));
    expect(() => datasets.build({ type: 'ImageFolder', root })).toThrow(new FileError(message));
  });

  it('honours XDG_CACHE_HOME', async () => {
    const home = await emptyCache();
    vi.stubEnv('TORCHTS_CACHE', '');
    vi.stubEnv('XDG_CACHE_HOME', home);
    const cached = await folderWith(join(home, 'torchts', 'cifar-10-batches-bin'));
    expect(findSet(CIFAR10, await temporaryFolder())).toBe(cached);
  });
});

describe('a damaged file', () => {
  it.each([
    ['MNIST', 'MNIST/raw', 'train-images-idx3-ubyte', 'mnist'],
    ['KMNIST', 'KMNIST/raw', 'train-images-idx3-ubyte', 'kmnist'],
    ['QMNIST', 'QMNIST/raw', 'qmnist-train-images-idx3-ubyte', 'qmnist'],
    ['CIFAR10', 'cifar-10-batches-bin', 'data_batch_1.bin', 'cifar10'],
    ['CIFAR100', 'cifar-100-python', 'train', 'cifar100'],
    ['STL10', 'stl10_binary', 'train_X.bin', 'stl10'],
    ['SVHN', 'SVHN', 'train_32x32.mat', 'svhn'],
  ])('is told of with the command that fetches %s again', async (type, folder, file, name) => {
    const cache = await emptyCache();
    const root = await temporaryFolder();
    const fault = async () => {
      const loading = datasets.build({ type, root }).load();
      return await loading.then(
        () => 'nothing',
        (error: unknown) => (error instanceof FileError ? error.message : error),
      );
    };
    const place = (base: string) => join(base, folder);
    await folderWith(place(cache), file);
    const command = `fetch it with: torchts data fetch ${name}`;
    expect(await fault()).toMatch(new RegExp(`^${join(place(cache), file)}: .*; ${command}$`));
    await folderWith(place(root), file);
    const note = `${command} (into the cache, which is looked in after ${place(root)})`;
    expect(await fault()).toContain(`${join(place(root), file)}: `);
    expect(await fault()).toContain(note);
  });
});
