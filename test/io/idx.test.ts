import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/base/errors.ts';
import { readIdx } from '../../src/io/idx.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** An idx file: its type, its dimensions, and the bytes after them. */
function idx(code: number, shape: readonly number[], data: Uint8Array | readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, code, shape.length]);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, Buffer.from(data)]);
}

async function read(bytes: Uint8Array) {
  const path = join(await temporaryFolder(), 'x-idx');
  await writeFile(path, bytes);
  return readIdx(path);
}

describe('readIdx', () => {
  it.each([
    [0x08, 'uint8', [1, 255], [1, 255]],
    [0x09, 'int32', [1, 255], [1, -1]],
    [0x0b, 'int32', [0, 5, 0xff, 0xfe], [5, -2]],
    [0x0c, 'int32', [0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff], [65536, -1]],
    [0x0d, 'float32', [0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0], [1, -2.5]],
    [0x0e, 'float64', [0x3f, 0xf0, 0, 0, 0, 0, 0, 0, 0xc0, 0x04, 0, 0, 0, 0, 0, 0], [1, -2.5]],
  ])('reads type %i as %s, packed or not', async (code, dtype, data, values) => {
    const bytes = idx(code, [2, 1], data);
    for (const file of [bytes, gzipSync(bytes)]) {
      const tensor = await read(file);
      expect(tensor).toMatchObject({ dtype, shape: [2, 1] });
      expect([...tensor.data]).toEqual(values);
    }
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'is no idx file: it begins with nothing'],
    ['another format', Buffer.from('<html>'), 'is no idx file: it begins with 3c 68 74 6d'],
    ['an unknown type', idx(0x0a, [1], [1]), 'it begins with 00 00 0a 01'],
    ['no dimensions', idx(0x08, [], [1]), 'the header of 0 dimensions is cut off'],
    ['a cut header', idx(0x08, [1, 2], []).subarray(0, 9), 'the header of 2 dimensions is cut off'],
    ['too few elements', idx(0x08, [2, 3], [1, 2]), 'has 14 bytes, but (2, 3) of 1 bytes each'],
    ['too many', idx(0x08, [1], [1, 2]), 'has 10 bytes, but (1,) of 1 bytes each take 9'],
    ['a product that overflows', idx(0x08, new Array(255).fill(2 ** 32 - 1), []), 'more than'],
    ['a size no memory holds', idx(0x0e, [65536, 65536], []), 'declares (65536, 65536), more'],
    ['a bomb', gzipSync(idx(0x08, [10], new Uint8Array(10_000_000))), 'unpacks to more than'],
    ['a packed lie', gzipSync(idx(0x08, [2 ** 30], [1])), 'packed bytes cannot hold 1073741832'],
    [
      'a packed file cut off',
      gzipSync(idx(0x08, [3], [1, 2, 3])).subarray(0, 25),
      'cannot be unpacked: ',
    ],
    ['a packed file too short', gzipSync(idx(0x08, [3], [1])), 'unpacks to 9 bytes, expected 11'],
  ])('refuses %s', async (_, bytes, message) => {
    const error = await read(bytes).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toContain('x-idx: ');
    expect((error as Error).message).toContain(message);
  });

  it('names a file that is missing', () => {
    expect(() => readIdx('no/such-file')).toThrow('cannot read no/such-file');
  });
});
