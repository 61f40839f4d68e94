import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import { download, type FetchProgress, partialFolder } from '../../../src/data/fetch/download.ts';
import type { Checksum } from '../../../src/data/known-sets.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';
import { type FileServer, fileServer } from './file-server.ts';

const BYTES = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * i) % 253));

const sumOf = (bytes: Buffer): Checksum => ({
  algorithm: 'sha256',
  digest: createHash('sha256').update(bytes).digest('hex'),
});

let server: FileServer;
let target: string;
beforeEach(async () => {
  server = await fileServer();
  vi.stubEnv('TORCHTS_CACHE', await temporaryFolder());
  target = join(await temporaryFolder(), 'file');
  return () => {
    vi.unstubAllEnvs();
  };
});

const get = (options = {}) =>
  download(`${server.url}file`, target, { sum: sumOf(BYTES), ...options });

/** `toEqual` compares them byte by byte, which takes a second. */
const expectWhole = async () => expect(BYTES.equals(await readFile(target))).toBe(true);

describe('download', () => {
  it('brings a file whole, says how far it is, and leaves nothing else', async () => {
    server.files.set('file', { bytes: BYTES, etag: '"1"' });
    const seen: FetchProgress[] = [];
    await get({ onProgress: (progress: FetchProgress) => seen.push(progress) });
    await expectWhole();
    expect(seen[0]).toMatchObject({ step: `downloading ${server.url}file`, done: 0 });
    const downloads = seen.filter(({ step }) => step.startsWith('downloading'));
    expect(downloads.at(-1)).toMatchObject({ done: BYTES.length, total: BYTES.length });
    expect(await readdir(partialFolder())).toEqual([]);
  });

  it('follows a redirect', async () => {
    server.files.set('file', { redirect: '/elsewhere' });
    server.files.set('elsewhere', { bytes: BYTES });
    await get();
    await expectWhole();
  });

  it('takes up a connection that broke', async () => {
    server.files.set('file', { bytes: BYTES, etag: '"1"', cutAfter: 100_000 });
    await get();
    await expectWhole();
    expect(server.requests).toEqual(['file whole', 'file bytes=100000-']);
  });

  it('goes on in a later attempt after it was stopped', async () => {
    server.files.set('file', { bytes: BYTES, etag: '"1"', stallAfter: 100_000 });
    const abort = new AbortController();
    const onProgress = ({ done }: FetchProgress) => {
      if (done === 100_000) setTimeout(() => abort.abort(new Error('stop')), 50);
    };
    await expect(get({ signal: abort.signal, onProgress })).rejects.toThrow('stop');
    expect((await readdir(partialFolder())).length).toBe(2);
    await get();
    await expectWhole();
    expect(server.requests).toEqual(['file whole', 'file bytes=100000-']);
  });

  it('begins again where the file has changed in between', async () => {
    server.files.set('file', { bytes: Buffer.from('older'), etag: '"0"', cutAfter: 3 });
    const stopped = get({
      onProgress: ({ done }: FetchProgress) => {
        if (done > 0) server.files.set('file', { bytes: BYTES, etag: '"1"' });
      },
    });
    await stopped;
    await expectWhole();
    expect(server.requests).toEqual(['file whole', 'file bytes=3-']);
  });

  it('does not go on with a file whose version nobody knows', async () => {
    server.files.set('file', { bytes: BYTES, cutAfter: 100_000 });
    await get();
    expect(server.requests).toEqual(['file whole', 'file whole']);
    await expectWhole();
  });

  it('gives up on a server that has fallen silent', async () => {
    server.files.set('file', { bytes: BYTES, stallAfter: 0 });
    const failed = get({ patience: 100 });
    await expect(failed).rejects.toThrow(FileError);
    await expect(failed).rejects.toThrow('file: sent nothing for 0.1 s');
  });

  it('refuses another file, and does not keep it', async () => {
    server.files.set('file', { bytes: Buffer.from('x'), etag: '"1"' });
    await expect(get()).rejects.toThrow(/file: has sha256 2d7116.*, expected /);
    expect(await readdir(partialFolder())).toEqual([]);
    await expect(readFile(target)).rejects.toThrow('ENOENT');
  });

  it('refuses a part that was not asked for', async () => {
    server.files.set('file', { bytes: BYTES });
    const network = vi
      .spyOn(globalThis, 'fetch')
      .mockResolvedValue(
        new Response('abc', { status: 206, headers: { 'content-range': 'bytes 7-9/10' } }),
      );
    onTestFinished(() => network.mockRestore());
    await expect(get()).rejects.toThrow('was asked for bytes from 0 on, sent bytes 7-9/10');
  });

  it('says what the server or the network says', async () => {
    await expect(get()).rejects.toThrow('/file: HTTP 404 Not Found');
    const nobody = download('http://127.0.0.1:1/file', target);
    await expect(nobody).rejects.toThrow(FileError);
    await expect(nobody).rejects.toThrow('http://127.0.0.1:1/file: ');
  });
});
