import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { DType, HostArray } from '../../src/base/dtype.ts';
import { ArgumentError, FileError } from '../../src/base/errors.ts';
import type { HostTensor } from '../../src/io/host-tensor.ts';
import {
  encodeSafetensors,
  parseSafetensors,
  readSafetensors,
  writeSafetensors,
} from '../../src/io/safetensors.ts';
import { temporaryFolder } from './temporary-folder.ts';

const OFFICIAL = fileURLToPath(
  new URL('../fixtures/safetensors/official.safetensors', import.meta.url),
);

/** What fixtures/safetensors/make.py puts into the file. */
const CONTENTS = new Map<string, HostTensor>([
  tensor('float32', 'float32', [2, 3], [1.5, -0, Infinity, 3.4028235e38, 1e-45, NaN]),
  tensor('float64', 'float64', [2], [0.1, -1e300]),
  tensor('bfloat16', 'bfloat16', [4], [1, -2.5, 3.140625, -Infinity]),
  tensor('float16', 'float16', [5], [1, -65504, 2 ** -24, -0, NaN]),
  [
    'int64',
    { dtype: 'int64', shape: [2, 1], data: new BigInt64Array([-(2n ** 63n), 2n ** 63n - 1n]) },
  ],
  tensor('int32', 'int32', [2], [-(2 ** 31), 2 ** 31 - 1]),
  tensor('uint8', 'uint8', [3], [0, 1, 255]),
  tensor('bool', 'bool', [3], [1, 0, 1]),
  tensor('scalar', 'float32', [], [7]),
  tensor('empty', 'float32', [0, 3], []),
  tensor('quoted "name" é 1', 'float32', [1], [2]),
]);

type NumberDType = Exclude<DType, 'int64'>;

function tensor(name: string, dtype: NumberDType, shape: number[], values: number[]) {
  const arrays = {
    float32: Float32Array,
    float64: Float64Array,
    bfloat16: Float32Array,
    float16: Float32Array,
    int32: Int32Array,
    uint8: Uint8Array,
    bool: Uint8Array,
  };
  const data: HostArray = new arrays[dtype](values);
  return [name, { dtype, shape, data }] as [string, HostTensor];
}

describe('against the official library', () => {
  it('reads its file', async () => {
    const { tensors, metadata } = await readSafetensors(OFFICIAL);
    expect(metadata.format).toBe('pt');
    expect(Object.keys(metadata)).toEqual(['format']);
    expect([...tensors.keys()].sort()).toEqual([...CONTENTS.keys()].sort());
    for (const [name, expected] of CONTENTS) expect(tensors.get(name), name).toEqual(expected);
  });

  it('writes the same bytes, whatever the order of the map', async () => {
    const path = join(await temporaryFolder(), 'model.safetensors');
    const reversed = new Map([...CONTENTS].reverse());
    await writeSafetensors(path, reversed, { format: 'pt' });
    expect((await readFile(path)).equals(await readFile(OFFICIAL))).toBe(true);
  });
});

describe('round trip', () => {
  it.each([
    ['bfloat16', 1 + 2 ** -9],
    ['float16', 1 + 2 ** -12],
  ] as const)('rounds float32 to %s', async (dtype, value) => {
    const bytes = Buffer.concat([
      ...encodeSafetensors(new Map([tensor('x', dtype, [1], [value])])),
    ]);
    const { tensors } = await parseSafetensors('memory', bytes);
    expect([...tensors.get('x')!.data]).toEqual([1]);
  });

  it('keeps names that look like numbers or prototypes', async () => {
    const names = ['__proto__', 'constructor', '10', '2', ''];
    const tensors = new Map(names.map((name) => tensor(name, 'float32', [1], [1])));
    const bytes = Buffer.concat([...encodeSafetensors(tensors, { ['__proto__']: 'kept' })]);
    const read = await parseSafetensors('memory', bytes);
    expect([...read.tensors.keys()]).toEqual([...names].sort());
    expect([...read.tensors.values()].every(({ data }) => data[0] === 1)).toBe(true);
    expect(Object.entries(read.metadata)).toEqual([['__proto__', 'kept']]);
  });

  it('writes an empty map, the header padded to 8 bytes', async () => {
    const bytes = Buffer.concat([...encodeSafetensors(new Map())]);
    expect(bytes.readBigUInt64LE()).toBe(8n);
    expect(bytes.subarray(8).toString()).toBe('{}      ');
    expect((await parseSafetensors('memory', bytes)).tensors.size).toBe(0);
  });

  it('writes views of larger buffers', async () => {
    const data = new Float32Array([0, 1, 2, 3]).subarray(1, 3);
    const map = new Map<string, HostTensor>([['x', { dtype: 'float32', shape: [2], data }]]);
    const { tensors } = await parseSafetensors('m', Buffer.concat([...encodeSafetensors(map)]));
    expect([...tensors.get('x')!.data]).toEqual([1, 2]);
  });
});

describe('writing refuses', () => {
  const cases: [string, Map<string, HostTensor>, string][] = [
    [
      'data that does not fit the shape',
      new Map([tensor('w', 'float32', [2, 2], [1, 2, 3])]),
      '[safetensors] tensor "w": shape (2, 2) has 4 elements, but the data has 3',
    ],
    [
      'an array of another type',
      new Map([['w', { dtype: 'int32', shape: [1], data: new Float32Array(1) }]]),
      '[safetensors] tensor "w": int32 needs a Int32Array, got a Float32Array',
    ],
    [
      'the reserved name',
      new Map([tensor('__metadata__', 'float32', [1], [1])]),
      '[safetensors] tensor "__metadata__": this name is reserved',
    ],
  ];
  it.each(cases)('%s', async (_, tensors, message) => {
    const folder = await temporaryFolder();
    const written = writeSafetensors(join(folder, 'x.safetensors'), tensors);
    await expect(written).rejects.toThrow(new ArgumentError(message));
    expect(await readdir(folder)).toEqual([]);
  });
});

/** A file with this header and so many bytes of data. */
function file(header: string | Uint8Array, dataBytes: number, claimedLength?: bigint): Buffer {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimedLength ?? BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes, 2)]);
}

function entry(dtype: unknown, shape: unknown, offsets: unknown, name = 'w'): string {
  return `"${name}":${JSON.stringify({ dtype, shape, data_offsets: offsets })}`;
}

describe('reading refuses', () => {
  const huge = 2 ** 52;
  const cases: [string, Buffer, string][] = [
    ['an empty file', Buffer.alloc(0), '0 bytes are too few'],
    ['a file without a whole length', Buffer.alloc(7), '7 bytes are too few'],
    ['a header longer than the file', file('{}', 0, 3n), 'the header claims 3 bytes'],
    ['a header of 2^64 - 1 bytes', file('{}', 0, 2n ** 64n - 1n), 'claims 18446744073709551615'],
    ['a header that is not JSON', file('{"w":', 0), 'is not JSON'],
    ['a header that is not UTF-8', file(new Uint8Array([0x22, 0xff, 0x22]), 0), 'is not JSON'],
    ['a byte order mark', file('\ufeff{}', 0), 'is not JSON'],
    ['nothing but brackets', file('['.repeat(200_000), 0), 'is not JSON'],
    ['a header that is a list', file('[]', 0), 'not a JSON object'],
    ['a header that is null', file('null', 0), 'not a JSON object'],
    [
      'a tensor named twice',
      file(`{${entry('U8', [1], [0, 1])},${entry('U8', [1], [1, 2])}}`, 2),
      'names "w" twice',
    ],
    [
      'a tensor named twice in another spelling',
      file(`{${entry('U8', [1], [0, 1])},${entry('U8', [1], [1, 2], '\\u0077')}}`, 2),
      'names "\\u0077" twice',
    ],
    [
      'a field named twice',
      file('{"w":{"dtype":"U8","shape":[1],"shape":[2],"data_offsets":[0,2]}}', 2),
      'names "shape" twice',
    ],
    ['metadata that is not an object', file('{"__metadata__":[]}', 0), 'is not an object'],
    ['metadata that is not text', file('{"__metadata__":{"a":1}}', 0), '"a" is not a string'],
    ['an entry that is a number', file('{"w":1}', 0), 'tensor "w": its entry is not an object'],
    [
      'an entry called __proto__ without fields',
      file('{"__proto__":{}}', 0),
      'tensor "__proto__": dtype undefined is not supported',
    ],
    [
      'fields inherited through __proto__',
      file('{"w":{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}}', 1),
      'unknown field "__proto__"',
    ],
    ['an unknown dtype', file(`{${entry('F8_E4M3', [1], [0, 1])}}`, 1), 'dtype "F8_E4M3"'],
    [
      'a dtype of the prototype',
      file(`{${entry('toString', [1], [0, 1])}}`, 1),
      'dtype "toString"',
    ],
    ['a dtype that is no text', file(`{${entry(['U8'], [1], [0, 1])}}`, 1), 'dtype ["U8"]'],
    ['a negative size', file(`{${entry('U8', [-1], [0, 1])}}`, 1), 'got [-1]'],
    ['a fractional size', file(`{${entry('U8', [0.5], [0, 1])}}`, 1), 'got [0.5]'],
    ['a size beyond 2^53', file(`{${entry('U8', [2 ** 53], [0, 1])}}`, 1), 'non-negative integers'],
    ['a size as text', file(`{${entry('U8', ['1'], [0, 1])}}`, 1), 'got ["1"]'],
    ['a shape that is a number', file(`{${entry('U8', 1, [0, 1])}}`, 1), 'must be a list'],
    [
      'a product that overflows',
      file(`{${entry('U8', [huge, huge], [0, 1])}}`, 1),
      'more bytes than can be counted',
    ],
    [
      'an overflow hidden by a zero',
      file(`{${entry('F32', [huge, huge, 0], [0, 0])}}`, 0),
      'more bytes than can be counted',
    ],
    ['three offsets', file(`{${entry('U8', [1], [0, 1, 2])}}`, 1), 'got [0, 1, 2]'],
    ['offsets in reverse', file(`{${entry('U8', [1], [1, 0])}}`, 1), 'got [1, 0]'],
    ['missing offsets', file('{"w":{"dtype":"U8","shape":[1]}}', 1), 'got undefined'],
    [
      'offsets that do not span the shape',
      file(`{${entry('F32', [2], [0, 4])}}`, 4),
      'tensor "w": F32 [2] takes 8 bytes, but data_offsets span 4',
    ],
    [
      'data beyond the file',
      file(`{${entry('F32', [2], [0, 8])}}`, 4),
      'tensor "w" ends at byte 8 of the data, but the file has only 4',
    ],
    [
      'overlapping tensors',
      file(`{${entry('U8', [4], [0, 4])},${entry('U8', [4], [2, 6], 'v')}}`, 6),
      'tensor "v" overlaps tensor "w": it begins at byte 2 of the data, expected 4',
    ],
    [
      'a gap between tensors',
      file(`{${entry('U8', [1], [0, 1])},${entry('U8', [1], [2, 3], 'v')}}`, 3),
      'tensor "v" leaves a gap after tensor "w"',
    ],
    ['a gap at the start', file(`{${entry('U8', [1], [1, 2])}}`, 2), 'a gap after the header'],
    ['bytes after the last tensor', file(`{${entry('U8', [1], [0, 1])}}`, 3), '2 bytes follow'],
    ['a bool of 2', file(`{${entry('BOOL', [1], [0, 1])}}`, 1), 'element 0 of a BOOL tensor is 2'],
  ];

  it.each(cases)('%s', async (_, bytes, message) => {
    const error = await parseSafetensors('model.safetensors', bytes).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(FileError);
    expect((error as FileError).message).toContain(message);
    expect((error as FileError).message).toMatch(/^model\.safetensors: /);
  });

  it('a file that does not exist, naming it', async () => {
    const path = join(await temporaryFolder(), 'none.safetensors');
    await expect(readSafetensors(path)).rejects.toThrow(`cannot read ${path}: ENOENT`);
  });
});
