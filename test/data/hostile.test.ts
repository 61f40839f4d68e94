/** Every reader of files, with files that are cut off, changed, and lie about their sizes. */

import { mkdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, it } from 'vitest';
import { CIFAR10_LAYOUT } from '../../src/data/images/cifar-format.ts';
import { readPickledRecords } from '../../src/data/images/cifar-python.ts';
import { readImage } from '../../src/data/images/image-files.ts';
import { readSvhn } from '../../src/data/images/svhn.ts';
import { datasets } from '../../src/data/index.ts';
import { readCsv } from '../../src/data/table/csv.ts';
import { readJsonLines, readParquet } from '../../src/data/table/records.ts';
import { readIdx } from '../../src/io/idx.ts';
import { readMat } from '../../src/io/mat.ts';
import { readNpy, readNpz } from '../../src/io/npy.ts';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { readTorch } from '../../src/io/torch/read.ts';
import { type Damage, expectRobust } from '../io/damaged.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));

const table = { na_values: [] };
const readAll = (path: string) => {
  for (const read of readNpz(path).values()) read();
};

/** Of formats whose headers are many and far apart. */
const MORE: Damage = { changes: 150, cuts: 50 };

/** Readers of one file, by the fixtures that they read. */
const FIXED: [
  reader: string,
  files: string[],
  read: (path: string) => unknown,
  options?: Damage,
][] = [
  ['readNpz', ['data/compressed.npz', 'data/stored.npz'], readAll, MORE],
  ['readMat', ['data/compressed.mat', 'data/stored.mat'], (path) => readMat(path, ['X', 'y'])],
  ['readSvhn', ['data/compressed.mat', 'data/stored.mat'], readSvhn, MORE],
  [
    'readParquet',
    ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'].map((codec) => `data/${codec}.parquet`),
    (path) => readParquet(path, table),
    MORE,
  ],
  [
    'ParquetImageDataset',
    ['data/images-0.parquet', 'data/binary.parquet'],
    (path) => {
      const columns = path.includes('binary') ? { image: 'png', label: 'name' } : {};
      const classes = ['cat', 'dog', 'fish'];
      const transforms = [{ type: 'Resize', size: [4, 5] }, 'ToTensor'];
      const spec = { type: 'ParquetImageDataset', path, classes, transforms, ...columns };
      return datasets.build(spec).load();
    },
  ],
  [
    'readPickledRecords',
    ['cifar/cifar10', 'cifar/newer'],
    (path) => {
      const target = {
        images: new Uint8Array(6144),
        labels: new Int32Array(2),
        start: 0,
        count: 2,
      };
      const file = { name: basename(path), split: 'train', records: 2 } as const;
      readPickledRecords(dirname(path), file, CIFAR10_LAYOUT, target);
    },
    MORE,
  ],
  ['readSafetensors', ['safetensors/official.safetensors'], readSafetensors],
  [
    'readTorch',
    [
      'checkpoint.pt',
      'module.pth',
      'module-legacy.pt',
      'views.pt',
      'views-legacy.pt',
      'protocol4.bin',
    ].map((name) => `torch-files/${name}`),
    readTorch,
  ],
  [
    'readImage',
    [
      ...['colour.jpg', 'gray.jpg', 'progressive.jpg', 'colour.png', 'alpha.png', 'palette.png'],
      ...['palette.gif', 'lossless.webp'],
    ].map((name) => `images/${name}`),
    readImage,
    // What is missing of the last rows is seen only by some decoders.
    { cutsAreRefused: false },
  ],
];

/** An idx file of bytes (8) or 32-bit integers (12). */
function idx(type: number, shape: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, type, shape.length]);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([header, data]);
}

function npy(): Buffer {
  const text = "{'descr': '<i2', 'fortran_order': False, 'shape': (3, 4), }";
  const header = `${text.padEnd(117)}\n`;
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'),
    Buffer.from(header),
    Buffer.alloc(24, 3),
  ]);
}

const ROWS = Array.from({ length: 20 }, (_, i) => ({
  x: i / 7,
  word: `w "${i}"`,
  ok: i % 2 === 0,
}));

/** Readers of one file that is made up here. */
const MADE: [
  reader: string,
  name: string,
  bytes: Uint8Array | string,
  read: (path: string) => unknown,
  options?: Damage,
][] = [
  ['readIdx', 'bytes-idx3', idx(8, [2, 3, 4], new Uint8Array(24)), readIdx],
  ['readIdx', 'packed-idx2.gz', gzipSync(idx(12, [2, 8], new Uint8Array(64))), readIdx],
  ['readNpy', 'array.npy', npy(), readNpy],
  [
    'readCsv',
    'rows.csv',
    `x,word,ok\n${ROWS.map(({ x, word, ok }) => `${x},"${word.replaceAll('"', '""')}",${ok}`).join('\n')}\n`,
    (path) => readCsv(path, table),
    { cutsAreRefused: false },
  ],
  [
    'readJsonLines',
    'rows.jsonl',
    ROWS.map((row) => JSON.stringify(row)).join('\n'),
    (path) => readJsonLines(path, table),
    { cutsAreRefused: false },
  ],
];

/** Data sets of several files in a folder, each of which is damaged in its turn. */
const SETS: [
  spec: object,
  folder: string,
  files: Record<string, Uint8Array | string>,
  options?: Damage,
][] = [
  [
    { type: 'CIFAR10', limit: 2 },
    'cifar-10-batches-bin',
    {
      'subset.json': JSON.stringify(
        { description: 'two', files: { 'data_batch_1.bin': 2 } },
        null,
        2,
      ),
      'data_batch_1.bin': new Uint8Array(2 * 3073),
    },
  ],
  [
    { type: 'MNIST' },
    'MNIST/raw',
    {
      'train-images-idx3-ubyte.gz': gzipSync(idx(8, [2, 28, 28], new Uint8Array(2 * 784))),
      'train-labels-idx1-ubyte': idx(8, [2], Uint8Array.of(3, 9)),
    },
  ],
  [
    { type: 'QMNIST' },
    'QMNIST/raw',
    {
      'qmnist-train-images-idx3-ubyte': idx(8, [2, 28, 28], new Uint8Array(2 * 784)),
      'qmnist-train-labels-idx2-int': idx(12, [2, 8], new Uint8Array(64)),
    },
  ],
  [
    { type: 'STL10', folds: 1 },
    'stl10_binary',
    {
      'train_y.bin': Uint8Array.of(1, 10),
      'train_X.bin': new Uint8Array(2 * 27_648),
      'fold_indices.txt': '0\n1 0\n',
    },
  ],
];

const damage: Damage = { changes: 45, cuts: 12 };

describe('a damaged file is read or refused by', () => {
  for (const [reader, files, read, options] of FIXED) {
    it.each(files)(`${reader}: %s`, async (file) => {
      await expectRobust(join(FIXTURES, file), read, { ...damage, ...options });
    });
  }

  it.each(MADE)('%s: %s', async (_, name, bytes, read, options) => {
    const file = join(await temporaryFolder(), name);
    await writeFile(file, bytes);
    await expectRobust(file, read, { ...damage, ...options });
  });

  for (const [spec, folder, files] of SETS) {
    const { type } = spec as { type: string };
    it.each(Object.keys(files))(`${type}: %s`, async (name) => {
      const root = await temporaryFolder();
      await mkdir(join(root, folder), { recursive: true });
      for (const [other, bytes] of Object.entries(files)) {
        await writeFile(join(root, folder, other), bytes);
      }
      const target = join(root, folder, name);
      // Text may end anywhere.
      const cutsAreRefused = !name.endsWith('.txt');
      const load = () => datasets.build({ ...spec, root }).load();
      await expectRobust(target, load, { ...damage, target, cutsAreRefused });
    });
  }
});
