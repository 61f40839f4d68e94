/** MNIST and the data sets that follow it: gray images of 28x28 in idx files. */

import { z } from 'zod';
import { FileError } from '../../base/errors.ts';
import { formatShape } from '../../base/shape.ts';
import type { HostTensor } from '../../io/host-tensor.ts';
import { readIdx } from '../../io/idx.ts';
import { datasets } from '../dataset.ts';
import {
  EMNIST,
  EMNIST_SPLITS,
  FASHION_MNIST,
  fetchCommand,
  findSet,
  KMNIST,
  type KnownSet,
  MNIST,
  placeOf,
} from '../known-sets.ts';
import { imageArguments, pixelSource, rootArgument, splitArgument } from './image-set.ts';

const SIDE = 28;

const DIGITS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];

const CLASSES = {
  MNIST: DIGITS.map((word, digit) => `${digit} - ${word}`),
  FashionMNIST: [
    'T-shirt/top',
    'Trouser',
    'Pullover',
    'Dress',
    'Coat',
    'Sandal',
    'Shirt',
    'Sneaker',
    'Bag',
    'Ankle boot',
  ],
  KMNIST: ['o', 'ki', 'su', 'tsu', 'na', 'ha', 'ma', 'ya', 're', 'wo'],
};

/** The two parts of MNIST and of those with the same files. */
const PREFIX = { train: 'train', test: 't10k' } as const;

for (const [type, set] of Object.entries({ MNIST, FashionMNIST: FASHION_MNIST, KMNIST })) {
  const schema = z.strictObject({ root: rootArgument, split: splitArgument, ...imageArguments });
  datasets.register(type, {
    schema,
    create: ({ root, split, ...options }: z.output<typeof schema>) => {
      const classes = CLASSES[type as keyof typeof CLASSES];
      const read = async () => readPair(set, root, PREFIX[split], classes.length);
      return pixelSource({ classes, channels: 1, height: SIDE, width: SIDE, read }, options);
    },
  });
}

const emnist = z.strictObject({
  root: rootArgument,
  split: z
    .enum(Object.keys(EMNIST_SPLITS) as (keyof typeof EMNIST_SPLITS)[])
    .describe('Which classes; as in torchvision, this is not the part for training or testing.'),
  train: z.boolean().default(true).describe('The samples for training, or those for testing.'),
  ...imageArguments,
});

/** Its images lie on their sides, rows as columns, and stay so, as torchvision leaves them. */
datasets.register('EMNIST', {
  schema: emnist,
  create: ({ root, split, train, ...options }: z.output<typeof emnist>) => {
    const classes = emnistClasses(split);
    const prefix = `emnist-${split}-${train ? 'train' : 'test'}`;
    const read = async () => readPair(EMNIST, root, prefix, classes.length);
    return pixelSource({ classes, channels: 1, height: SIDE, width: SIDE, read }, options);
  },
});

/** Letters whose capitals look alike; only these are classes where the two are merged. */
const MERGED = 'cijklmopsuvwxyz';

function emnistClasses(split: keyof typeof EMNIST_SPLITS): string[] {
  const digits = [...'0123456789'];
  const lower = [...'abcdefghijklmnopqrstuvwxyz'];
  if (split === 'digits' || split === 'mnist') return digits;
  // The first letter is class 1.
  if (split === 'letters') return ['N/A', ...lower];
  const all = [...digits, ...lower.map((letter) => letter.toUpperCase()), ...lower];
  return split === 'byclass' ? all : all.filter((name) => !MERGED.includes(name));
}

/** The images and labels of one part. Throws a `FileError` where they are missing or do not fit. */
function readPair(set: KnownSet, root: string, prefix: string, classes: number) {
  const folder = findSet(set, root);
  const images = readFile(set, folder, `${prefix}-images-idx3-ubyte`);
  const labels = readFile(set, folder, `${prefix}-labels-idx1-ubyte`);
  const count = labels.shape[0]!;
  needShape(images, [count, SIDE, SIDE]);
  needShape(labels, [count]);
  const wrong = labels.data.findIndex((label) => label >= classes);
  if (wrong >= 0) {
    throw new FileError(
      `${labels.path}: label ${labels.data[wrong]} of sample ${wrong} is none of ${classes} classes`,
    );
  }
  return { images: images.data, labels: Int32Array.from(labels.data) };
}

interface ByteTensor extends HostTensor {
  readonly path: string;
  readonly data: Uint8Array;
}

function readFile(set: KnownSet, folder: string, name: string): ByteTensor {
  const path = placeOf(folder, set.files.find((file) => file.name === name)!);
  if (path === undefined) {
    throw new FileError(`${folder} lacks ${name}; fetch it with: ${fetchCommand(set)}`);
  }
  const tensor = readIdx(path);
  const { data } = tensor;
  if (data instanceof Uint8Array) return { ...tensor, path, data };
  throw new FileError(`${path}: has elements of ${tensor.dtype}, expected bytes`);
}

function needShape({ path, shape }: ByteTensor, expected: readonly number[]): void {
  if (shape.join() === expected.join()) return;
  throw new FileError(`${path}: holds ${formatShape(shape)}, expected ${formatShape(expected)}`);
}
