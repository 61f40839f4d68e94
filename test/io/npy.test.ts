import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../src/base/errors.ts';
import { readNpy, readNpz } from '../../src/io/npy.ts';
import { temporaryFolder } from './temporary-folder.ts';

const fixture = (name: string) =>
  fileURLToPath(new URL(`../fixtures/data/${name}`, import.meta.url));
const { arrays } = JSON.parse(readFileSync(fixture('expected.json'), 'utf8'));

function npy(header: string, data: Uint8Array | readonly number[] = []): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
    length,
    Buffer.from(header),
    Buffer.from(data),
  ]);
}

describe('readNpz', () => {
  it.each(['compressed.npz', 'stored.npz'])('reads what NumPy has written into %s', (name) => {
    const found = readNpz(fixture(name));
    expect([...found.keys()].sort()).toEqual(Object.keys(arrays).sort());
    for (const [key, { shape, values }] of Object.entries<{ shape: number[]; values: number[] }>(
      arrays,
    )) {
      const tensor = found.get(key)!();
      expect(tensor.shape).toEqual(shape);
      expect(Array.from(tensor.data, Number), key).toEqual(values);
    }
    expect(found.get('big_f2')!().dtype).toBe('float16');
    expect(found.get('little_u4')!().dtype).toBe('int64');
    expect(found.get('little_b1')!().dtype).toBe('bool');
  });

  it('refuses a bomb: no more is unpacked than is declared', async () => {
    const bytes = await readFile(fixture('compressed.npz'));
    // The first entry's data, exchanged for zeros that unpack to far more.
    const start = 30 + bytes.readUInt16LE(26) + bytes.readUInt16LE(28);
    const packed = bytes.readUInt32LE(18) || 100;
    deflateRawSync(Buffer.alloc(10_000_000)).copy(bytes, start, 0, packed);
    const path = join(await temporaryFolder(), 'bomb.npz');
    await writeFile(path, bytes);
    const read = () => readNpz(path).get('little_b1')!();
    expect(read).toThrow(FileError);
  });
});

describe('readNpy', () => {
  it.each([
    ['objects.npy', 'has elements of |O: pickled objects, which are not read'],
    ['records.npy', 'no plain numbers'],
  ])('refuses %s', (name, message) => {
    expect(() => readNpy(fixture(name))).toThrow(FileError);
    expect(() => readNpy(fixture(name))).toThrow(message);
  });

  it.each([
    ['another format', Buffer.from('PK'), 'is no .npy file'],
    ['a cut header', npy('{}').subarray(0, 9), 'its header is cut off'],
    ['another header', npy('{}'), 'its header is not one of NumPy'],
    [
      'a product that overflows',
      npy(`{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999, 9999999999999), }`),
      'has 0 bytes of data, but',
    ],
    [
      'too many bytes',
      npy(`{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }`, [1, 2, 3]),
      'has 3 bytes of data, but (2,) of 1 bytes each take 2',
    ],
    [
      'a number that int64 cannot hold',
      npy(`{'descr': '<u8', 'fortran_order': False, 'shape': (1,), }`, new Array(8).fill(255)),
      'element 0 is 18446744073709551615, more than int64 holds',
    ],
  ])('refuses %s', async (_, bytes, message) => {
    const path = join(await temporaryFolder(), 'x.npy');
    await writeFile(path, bytes);
    expect(() => readNpy(path)).toThrow(FileError);
    expect(() => readNpy(path)).toThrow(message);
  });
});
