/** MNIST and the data sets that follow it: gray images of 28x28 in idx files. */

import { z } from 'zod';
import { datasets } from '../dataset.ts';
import { EMNIST, EMNIST_SPLITS, FASHION_MNIST, KMNIST, MNIST } from '../known-set-table.ts';
import { findSet, type KnownSet } from '../known-sets.ts';
import { DIGITS, fetchable, readPair, SIDE } from './idx-files.ts';
import { imageArguments, pixelSource, rootArgument, splitArgument } from './image-set.ts';

const CLASSES = {
  MNIST: DIGITS,
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
      const read = async () => readSet(set, root, PREFIX[split], classes);
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
    const read = async () => readSet(EMNIST, root, prefix, classes);
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

function readSet(set: KnownSet, root: string, prefix: string, { length }: readonly string[]) {
  const images = fetchable(set, `${prefix}-images-idx3-ubyte`);
  const labels = fetchable(set, `${prefix}-labels-idx1-ubyte`);
  return readPair(findSet(set, root), { images, labels, classes: length });
}
