// Makes datasets/cifar10-subset from the complete set: the first 100 training images of each class
// in data_batch_1.bin and the first 25 test images of each class, in their official order.
//
//   torchts data fetch cifar10 && node datasets/make-cifar10-subset.mjs

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CIFAR10_LAYOUT, fetchDataset, recordBytes, SUBSET_MANIFEST } from '../dist/internal.js';

const PER_CLASS = { 'data_batch_1.bin': 100, 'test_batch.bin': 25 };

const { set, classes } = CIFAR10_LAYOUT;
const size = recordBytes(CIFAR10_LAYOUT);

const source = await fetchDataset(set);
const target = fileURLToPath(new URL('cifar10-subset/', import.meta.url));
mkdirSync(target, { recursive: true });

const files = {};
for (const [name, perClass] of Object.entries(PER_CLASS)) {
  const kept = firstOfEachClass(readFileSync(join(source, name)), perClass);
  writeFileSync(join(target, name), Buffer.concat(kept));
  files[name] = kept.length;
}
const description = 'Part of CIFAR-10: the first 100 training and 25 test images of each class';
writeFileSync(
  join(target, SUBSET_MANIFEST),
  `${JSON.stringify({ description, files }, undefined, 2)}\n`,
);
writeFileSync(join(target, 'batches.meta.txt'), `${classes.join('\n')}\n`);

function firstOfEachClass(bytes, perClass) {
  const taken = new Array(classes.length).fill(0);
  const kept = [];
  for (let offset = 0; offset < bytes.length; offset += size) {
    const label = bytes[offset];
    if (taken[label]++ < perClass) kept.push(bytes.subarray(offset, offset + size));
  }
  return kept;
}
