import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FileError } from '../../src/base/errors.ts';
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

  it('honours XDG_CACHE_HOME', async () => {
    const home = await emptyCache();
    vi.stubEnv('TORCHTS_CACHE', '');
    vi.stubEnv('XDG_CACHE_HOME', home);
    const cached = await folderWith(join(home, 'torchts', 'cifar-10-batches-bin'));
    expect(findSet(CIFAR10, await temporaryFolder())).toBe(cached);
  });
});
