import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/base/errors.ts';
import { storedZip } from '../../src/io/stored-zip.ts';
import { zipEntries } from '../../src/io/zip.ts';
import { unpacked } from './unpacked.ts';

const FILES = Array.from({ length: 7 }, (_, i) => ({
  name: `a/${'ü'.repeat(i)}${i}`,
  data: Buffer.alloc(37 * i, i),
}));

const whole = (options?: Parameters<typeof storedZip>[1]) =>
  Buffer.concat([...storedZip(FILES, options)]);

describe('storedZip', () => {
  it('gives files with their names, contents and checksums', () => {
    const read = [...zipEntries('archive.zip', whole())];
    expect(read.map(([name, data]) => ({ name, data: Buffer.from(data()) }))).toEqual(FILES);
  });

  it.each([1, 4, 64, 4096])('begins contents at multiples of %i bytes', async (alignment) => {
    const files = await unpacked(whole({ alignment }));
    expect(files.map(({ start }) => start % alignment)).toEqual(FILES.map(() => 0));
    expect(files.map(({ name, data }) => ({ name, data }))).toEqual(FILES);
  });

  it.each([
    ['many files', { bytes: 2 ** 32 - 1, files: 7 }],
    ['large files, positions and directory', { bytes: 100, files: 1000 }],
    ['positions alone', { bytes: 300, files: 1000 }],
    ['everything', { bytes: 0, files: 0 }],
  ])('writes ZIP64 where it is needed: %s', async (_, limits) => {
    const bytes = whole({ alignment: 64, limits });
    const files = await unpacked(bytes);
    expect(files.map(({ name, data }) => ({ name, data }))).toEqual(FILES);
    expect(files.map(({ start }) => start % 64)).toEqual(FILES.map(() => 0));
    expect(bytes.equals(whole({ alignment: 64 }))).toBe(false);
  });

  it('asks for one file after the other', () => {
    const asked: number[] = [];
    const made = function* () {
      for (const [i, file] of FILES.entries()) {
        asked.push(i);
        yield file;
      }
    };
    const pieces = storedZip(made());
    pieces.next();
    pieces.next();
    expect(asked).toEqual([0]);
  });

  it('refuses a name that does not fit', () => {
    const file = { name: 'x'.repeat(70_000), data: new Uint8Array() };
    expect(() => [...storedZip([file])]).toThrow(ArgumentError);
  });
});
