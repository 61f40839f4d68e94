import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/base/errors.ts';
import { openSections, writeSections } from '../../src/io/sections.ts';
import { expectRobust } from './damaged.ts';
import { temporaryFolder } from './temporary-folder.ts';

const LONG = Uint8Array.from({ length: 5000 }, (_, i) => i % 256);

/** A file of two sections. */
async function written(): Promise<string> {
  const path = join(await temporaryFolder(), 'file');
  const sections = function* () {
    yield { name: 'long', chunks: [LONG.subarray(0, 10), LONG.subarray(10)] };
    yield { name: 'short', chunks: [Uint8Array.of(1, 2, 3)] };
  };
  await writeSections(path, { kind: 'test', sections: sections(), meta: () => ({ a: [1, 'b'] }) });
  return path;
}

/** The file with another header, whose checksum is right. */
function withHeader(path: string, change: (header: { sections: object[] }) => void): void {
  const bytes = readFileSync(path);
  const length = bytes.readUInt32LE(12);
  const header = JSON.parse(bytes.subarray(64, 64 + length).toString());
  change(header);
  const json = Buffer.from(JSON.stringify(header));
  bytes.writeUInt32LE(json.length, 12);
  createHash('sha256').update(json).digest().copy(bytes, 16);
  json.copy(bytes, 64);
  writeFileSync(path, bytes);
}

const open = (path: string) => openSections(path, 'test');

describe('a file of sections', () => {
  it('gives what was written, each from a page on', async () => {
    const path = await written();
    const file = open(path);
    expect(file.meta).toEqual({ a: [1, 'b'] });
    expect([file.has('short'), file.has('other')]).toEqual([true, false]);
    expect(file.read('long')).toEqual(LONG);
    expect(file.read('short')).toEqual(Uint8Array.of(1, 2, 3));
    const { offset, length } = file.bytes('short');
    expect([offset, length]).toEqual([12_288, 3]);
    expect(file.bytes('long').subarray(4990, 5000)).toEqual(LONG.subarray(4990));
    expect(() => file.bytes('other')).toThrow(new FileError(`${path}: has no other`));
  });

  it('keeps its bytes when another file takes its name', async () => {
    const path = await written();
    const bytes = open(path).bytes('short');
    writeFileSync(`${path}2`, 'other');
    renameSync(`${path}2`, path);
    expect(bytes.subarray(0, 3)).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('says so when it is shortened while it is open', async () => {
    const path = await written();
    const bytes = open(path).bytes('short');
    truncateSync(path, 12_289);
    expect(() => bytes.subarray(0, 3)).toThrow(
      new FileError(`cannot read ${path}: ended at byte 12289 while being read`),
    );
  });

  it('tells a section that was changed', async () => {
    const path = await written();
    const bytes = readFileSync(path);
    bytes[4096 + 7]! ^= 1;
    writeFileSync(path, bytes);
    const file = open(path);
    expect([file.isWhole('long'), file.isWhole('short')]).toEqual([false, true]);
    expect(() => file.read('long')).toThrow(new FileError(`${path}: its long are damaged`));
  });

  it('is refused wherever it ends, and never breaks a reader', async () => {
    await expectRobust(await written(), (path) => open(path).read('short'));
  });

  it.each([
    ['a length that is none', { length: -1 }, 'its header is malformed'],
    ['a length past the file', { length: 2 ** 50 }, 'its short end at byte'],
    ['a length that overflows', { length: 2 ** 53 }, 'its header is malformed'],
    ['an offset of its own', { offset: 4096 }, 'its short begin at byte 4096'],
    ['bytes after it', { length: 2 }, 'has 12291 bytes, but should end at byte 12290'],
  ])('is refused with %s', async (_, change, message) => {
    const path = await written();
    withHeader(path, ({ sections }) => Object.assign(sections[1]!, change));
    expect(() => open(path)).toThrow(FileError);
    expect(() => open(path)).toThrow(message);
  });

  it.each([
    ['another kind', (path: string) => openSections(path, 'images'), 'holds test, not images'],
    ['a missing file', (path: string) => open(`${path}x`), 'ENOENT'],
    ['a folder', (path: string) => open(join(path, '..')), 'is no file'],
  ])('is refused where it is %s', async (_, read, message) => {
    const path = await written();
    expect(() => read(path)).toThrow(FileError);
    expect(() => read(path)).toThrow(message);
  });

  it('leaves nothing behind when it cannot be written', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'file');
    const write = (meta: unknown, chunks: Iterable<Uint8Array>) =>
      writeSections(path, { kind: 'test', sections: [{ name: 'a', chunks }], meta: () => meta });
    const full = function* () {
      yield LONG;
      throw new Error('ENOSPC: no space left on device, write');
    };
    await expect(write({}, full())).rejects.toThrow(
      new FileError(`cannot write ${path}: ENOSPC: no space left on device, write`),
    );
    await expect(write('x'.repeat(5000), [LONG])).rejects.toThrow('is longer than 4032');
    expect(readdirSync(folder)).toEqual([]);
  });
});
