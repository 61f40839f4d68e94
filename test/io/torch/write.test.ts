import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DTYPES, type DType, toHostArray } from '../../../src/base/dtype.ts';
import { ArgumentError, FileError } from '../../../src/base/errors.ts';
import { numel } from '../../../src/base/shape.ts';
import type { HostTensor } from '../../../src/io/host-tensor.ts';
import { writeSafetensors } from '../../../src/io/safetensors.ts';
import { readTorch } from '../../../src/io/torch/read.ts';
import { encodeTorch, writeTorch } from '../../../src/io/torch/write.ts';
import { zipEntries } from '../../../src/io/zip.ts';
import { expectRobust } from '../damaged.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { unpacked } from '../unpacked.ts';

/** Where `check_with_torch.py` looks. */
const KEPT = process.env.TORCHTS_TORCH_FILES;

const SHAPES = [[], [3], [1], [0], [0, 4], [2, 3], [2, 1, 3], [2, 3, 1, 2, 2], [300]];

/** Both ends of what a dtype holds, and what lies between. */
const VALUES: Record<DType, readonly number[]> = {
  float32: [0, -1.5, 3.4e38, 1e-45, Infinity, NaN],
  float64: [0, -1.5, 1.7e308, 5e-324, -Infinity, NaN],
  float16: [0, -1.5, 65504, 2 ** -24, Infinity, NaN],
  bfloat16: [0, -1.5, 2 ** 127, 2 ** -133, -Infinity, NaN],
  int64: [0, -1, 2 ** 53, -(2 ** 63)],
  int32: [0, -1, 2 ** 31 - 1, -(2 ** 31)],
  uint8: [0, 1, 255],
  bool: [0, 1, 1],
};

function filled(dtype: DType, shape: readonly number[]): HostTensor {
  const values = VALUES[dtype];
  const numbers = Array.from({ length: numel(shape) }, (_, i) => values[i % values.length]!);
  return { dtype, shape, data: toHostArray(dtype, numbers) };
}

const everyKind = new Map(
  DTYPES.flatMap((dtype) =>
    SHAPES.map((shape): [string, HostTensor] => [
      `${dtype}.${shape.join('x') || 'scalar'}`,
      filled(dtype, shape),
    ]),
  ),
);

const weight: HostTensor = {
  dtype: 'float32',
  shape: [2, 3],
  data: Float32Array.of(1, -2.5, 0.125, 3, 2 ** 20, -0),
};
const small = new Map<string, HostTensor>([
  ['größe.漢字.🙂', filled('int64', [])],
  ['', filled('bool', [3])],
  ['long', filled('uint8', [2, 40_000])],
  ['head.weight', weight],
  ['tied.weight', weight],
  ['tied.turned', { ...weight, shape: [3, 2] }],
  // The same numbers, but other bytes.
  ['narrow.weight', { ...weight, dtype: 'bfloat16' }],
]);

const bytesOf = (...args: Parameters<typeof encodeTorch>) =>
  Buffer.concat([...encodeTorch(...args)]);

describe('writeTorch', () => {
  it.each([
    ['every dtype and shape', everyKind],
    ['shared storages and odd names', small],
    ['nothing', new Map<string, HostTensor>()],
  ])('writes what readTorch gives back: %s', async (_, tensors) => {
    const path = join(await temporaryFolder(), 'weights.pt');
    await writeTorch(path, tensors);
    const read = (await readTorch(path)) as Map<string, HostTensor>;
    expect([...read]).toEqual([...tensors]);
  });

  it('keeps files for PyTorch where it is asked to', async () => {
    const folder = KEPT ?? (await temporaryFolder());
    const all = new Map([...everyKind, ...small]);
    await writeTorch(join(folder, 'weights.pt'), all);
    await writeSafetensors(join(folder, 'expected.safetensors'), all);
    expect(existsSync(join(folder, 'weights.pt'))).toBe(true);
  });

  it('begins every file of the archive at a multiple of 64 bytes', async () => {
    const files = await unpacked(bytesOf(everyKind));
    expect(files).toHaveLength(everyKind.size + 5);
    expect(files.filter(({ start }) => start % 64 !== 0)).toEqual([]);
  });

  it('writes data that several tensors share once for each dtype', () => {
    const names = [...zipEntries('weights.pt', bytesOf(small)).keys()];
    expect(names).toEqual([
      'archive/data.pkl',
      'archive/.format_version',
      'archive/.storage_alignment',
      'archive/byteorder',
      'archive/data/0',
      'archive/data/1',
      'archive/data/2',
      'archive/data/3',
      'archive/data/4',
      'archive/version',
    ]);
  });

  it('writes the same bytes for the same tensors', async () => {
    const folder = await temporaryFolder();
    for (const name of ['a.pt', 'b.bin']) await writeTorch(join(folder, name), small);
    const [first, second] = await Promise.all(
      ['a.pt', 'b.bin'].map((name) => readFile(join(folder, name))),
    );
    expect(first).toEqual(second);
    expect(first).toEqual(bytesOf(small));
  });

  it('refuses a tensor that contradicts itself, before anything is written', async () => {
    const path = join(await temporaryFolder(), 'weights.pt');
    const wrong = new Map([['a', { ...weight, shape: [7] }]]);
    await expect(writeTorch(path, wrong)).rejects.toThrow(
      new ArgumentError('[torch] tensor "a": shape (7,) has 7 elements, but the data has 6'),
    );
    await expect(writeTorch(path, new Map([['\ud800', weight]]))).rejects.toThrow(ArgumentError);
    expect(existsSync(path)).toBe(false);
  });

  it('names a place that cannot be written', async () => {
    const path = join(await temporaryFolder(), 'none', 'weights.pt');
    const error = await writeTorch(path, small).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toContain(`cannot write ${path}`);
  });

  it('gives a file that is read or refused however it is damaged', async () => {
    const path = join(await temporaryFolder(), 'weights.pt');
    await writeTorch(path, small);
    await expectRobust(path, readTorch);
  });

  it('notices every changed bit of a storage', async () => {
    const folder = await temporaryFolder();
    const bytes = bytesOf(small);
    const at = bytes.indexOf(zipEntries('weights.pt', bytes).get('archive/data/3')!());
    for (let bit = 0; bit < 8 * weight.data.byteLength; bit += 5) {
      const path = join(folder, 'weights.pt');
      const spoilt = Buffer.from(bytes);
      spoilt[at + (bit >> 3)]! ^= 1 << (bit & 7);
      await writeFile(path, spoilt);
      await expect(readTorch(path)).rejects.toThrow(/data\/3 is damaged/);
    }
  });
});
