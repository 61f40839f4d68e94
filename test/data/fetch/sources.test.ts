import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create } from 'tar';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ZipFile } from 'yazl';
import { fetchDataset } from '../../../src/data/fetch/fetch.ts';
import type { Checksum, KnownSet } from '../../../src/data/known-sets.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';
import { type FileServer, fileServer } from './file-server.ts';

const sum = (bytes: Buffer): Checksum => ({
  algorithm: 'md5',
  digest: createHash('md5').update(bytes).digest('hex'),
});

const IMAGES = Buffer.from('images');
const LABELS = gzipSync('labels');

let server: FileServer;
let cache: string;
beforeEach(async () => {
  server = await fileServer();
  cache = await temporaryFolder();
  vi.stubEnv('TORCHTS_CACHE', cache);
  return () => {
    vi.unstubAllEnvs();
  };
});

function knownSet(sources: KnownSet['sources']): KnownSet {
  return {
    name: 'small',
    type: 'MNIST',
    title: 'Small',
    folder: 'Small/raw',
    files: [
      { name: 'images', bytes: IMAGES.length, sum: sum(IMAGES) },
      { name: 'labels', packed: { sum: sum(LABELS) } },
    ],
    samples: { train: 1, test: 1 },
    sources,
  };
}

const contents = async () => ({
  images: await readFile(join(cache, 'Small/raw/images')),
  labels: await readFile(join(cache, 'Small/raw/labels.gz')),
});

async function tarball(
  files: Record<string, Buffer>,
  { folder = 'small', preservePaths = false } = {},
): Promise<Buffer> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, folder));
  for (const [name, bytes] of Object.entries(files))
    await writeFile(join(cwd, folder, name), bytes);
  const file = join(cwd, 'all.tar.gz');
  const names = Object.keys(files).map((name) => `${folder}/${name}`);
  await create({ gzip: true, cwd, file, preservePaths }, names);
  return readFile(file);
}

async function zip(files: Record<string, Buffer>): Promise<Buffer> {
  const archive = new ZipFile();
  for (const [name, bytes] of Object.entries(files)) archive.addBuffer(bytes, name);
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('fetchDataset', () => {
  it('asks the mirrors in turn, and once it is there nobody', async () => {
    server.files.set('b/images', { bytes: Buffer.from('others') });
    server.files.set('c/images', { bytes: IMAGES });
    server.files.set('c/labels.gz', { bytes: LABELS });
    const files = (path: string) => ({ kind: 'files', url: `${server.url}${path}/` }) as const;
    const set = knownSet({ a: files('a'), b: files('b'), c: files('c') });
    expect(await fetchDataset(set)).toBe(join(cache, 'Small/raw'));
    expect(await contents()).toEqual({ images: IMAGES, labels: LABELS });
    expect(server.requests.map((request) => request.split(' ')[0])).toEqual([
      'a/images',
      'b/images',
      'c/images',
      'c/labels.gz',
    ]);
    expect(await readdir(cache)).toEqual(['Small']);
    await fetchDataset(set);
    expect(server.requests).toHaveLength(4);
  });

  it('says why each mirror failed, and leaves nothing behind', async () => {
    server.files.set('b/images', { bytes: Buffer.from('others') });
    const files = (path: string) => ({ kind: 'files', url: `${server.url}${path}/` }) as const;
    const set = knownSet({ a: files('a'), b: files('b') });
    await expect(fetchDataset(set)).rejects.toThrow(
      /^Small could not be fetched:\n {2}a: .*a\/images: HTTP 404 Not Found\n {2}b: .* has md5 /,
    );
    expect(await readdir(cache)).toEqual([]);
    await expect(fetchDataset(set, { source: 'b' })).rejects.toThrow(/fetched:\n {2}b: .* md5 /);
    await expect(fetchDataset(set, { source: 'z' })).rejects.toThrow(
      'small cannot be had from a source "z"; its sources: a, b',
    );
  });

  it('mends a folder that is damaged, and keeps one that cannot be mended', async () => {
    await mkdir(join(cache, 'Small/raw'), { recursive: true });
    await writeFile(join(cache, 'Small/raw/images'), 'imagez');
    await writeFile(join(cache, 'Small/raw/labels.gz'), LABELS);
    const set = knownSet({ a: { kind: 'files', url: server.url } });
    await expect(fetchDataset(set)).rejects.toThrow('HTTP 404');
    expect((await contents()).images.toString()).toBe('imagez');
    server.files.set('images', { bytes: IMAGES });
    server.files.set('labels.gz', { bytes: LABELS });
    await fetchDataset(set);
    expect(await contents()).toEqual({ images: IMAGES, labels: LABELS });
  });

  it.each(['tar.gz', 'zip'] as const)('takes only its own files out of a %s', async (format) => {
    const bytes =
      format === 'zip'
        ? await zip({ 'deep/images': IMAGES, 'deep/labels.gz': LABELS, other: IMAGES })
        : await tarball({ images: IMAGES, 'labels.gz': LABELS, other: IMAGES });
    server.files.set('archive', { bytes });
    const source = {
      kind: 'archive',
      url: `${server.url}archive`,
      format,
      sum: sum(bytes),
    } as const;
    await fetchDataset(knownSet({ a: source }));
    expect(await contents()).toEqual({ images: IMAGES, labels: LABELS });
    expect((await readdir(join(cache, 'Small/raw'))).sort()).toEqual(['images', 'labels.gz']);
  });

  it('refuses an archive that lacks a file, or is none', async () => {
    for (const [bytes, message] of [
      [await tarball({ images: IMAGES }), 'labels is missing'],
      [Buffer.from('<html>'), 'a: '],
    ] as const) {
      server.files.set('archive', { bytes });
      const url = `${server.url}archive`;
      const source = { kind: 'archive', url, format: 'tar.gz', sum: sum(bytes) } as const;
      await expect(fetchDataset(knownSet({ a: source }))).rejects.toThrow(message);
      expect(await readdir(cache)).toEqual([]);
    }
  });

  it.each(['tar.gz', 'zip'] as const)(
    'unpacks nothing of a %s whose files are larger than they can be',
    async (format) => {
      const large = Buffer.alloc(1_000_000);
      const archive = format === 'zip' ? zip : tarball;
      for (const [content, message] of [
        [{ images: large }, 'archive: images has 1000000 bytes, at most 6 are expected'],
        [{ 'images.gz': large }, 'archive: images.gz has 1000000 bytes, at most 1030 are expected'],
      ] as const) {
        const bytes = await archive({ 'labels.gz': LABELS, ...content });
        server.files.set('archive', { bytes });
        const url = `${server.url}archive`;
        const source = { kind: 'archive', url, format, sum: sum(bytes) } as const;
        const set = knownSet({ a: source });
        const files = [{ ...set.files[0]!, packed: {} }, ...set.files.slice(1)];
        await expect(fetchDataset({ ...set, files: files })).rejects.toThrow(message);
        expect(await readdir(cache)).toEqual([]);
      }
    },
  );

  it('leaves no folder of its own behind, but those of others', async () => {
    vi.stubEnv('TORCHTS_CACHE', join(cache, 'deep', 'er'));
    const set = knownSet({ a: { kind: 'files', url: server.url } });
    await expect(fetchDataset(set)).rejects.toThrow('HTTP 404');
    expect(await readdir(cache)).toEqual([]);
    await mkdir(join(cache, 'deep/er/Small'), { recursive: true });
    await expect(fetchDataset(set)).rejects.toThrow('HTTP 404');
    expect(await readdir(join(cache, 'deep/er'))).toEqual(['Small']);
  });

  it('is refused while another process fetches the set', async () => {
    const lock = { host: (await import('node:os')).hostname(), pid: process.ppid, started: null };
    await writeFile(join(cache, '.fetch-small.lock'), JSON.stringify(lock));
    const set = knownSet({ a: { kind: 'files', url: server.url } });
    await expect(fetchDataset(set)).rejects.toThrow(
      `Small is being fetched by process ${process.ppid}; wait for its end`,
    );
    expect(server.requests).toEqual([]);
  });
});
