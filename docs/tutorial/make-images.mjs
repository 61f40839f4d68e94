/**
 * Writes photographs as PNG files, a folder for each class, for those who have none at hand: those of
 * the CIFAR-10 subset that comes with torchts. Cats, dogs, ships and trucks, unless classes are named.
 *
 *     node docs/tutorial/make-images.mjs FOLDER [CLASS...]
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PNG } from 'pngjs';

const SUBSET = fileURLToPath(new URL('../../datasets/cifar10-subset/', import.meta.url));
const CLASSES = readFileSync(join(SUBSET, 'batches.meta.txt'), 'utf8').trim().split('\n');
const SIDE = 32;
const AREA = SIDE * SIDE;
/** A class, then the planes of red, green and blue. */
const RECORD = 1 + 3 * AREA;

const [folder, ...named] = process.argv.slice(2);
const wanted = new Set(named.length > 0 ? named : ['cat', 'dog', 'ship', 'truck']);
const unknown = [...wanted].filter((name) => !CLASSES.includes(name));
if (folder === undefined || unknown.length > 0) {
  if (unknown.length > 0) process.stderr.write(`no class ${unknown}; known: ${CLASSES}\n`);
  process.stderr.write('usage: node docs/tutorial/make-images.mjs FOLDER [CLASS...]\n');
  process.exit(2);
}

const counts = new Map();
for (const file of ['data_batch_1.bin', 'test_batch.bin']) {
  const bytes = readFileSync(join(SUBSET, file));
  for (let at = 0; at < bytes.length; at += RECORD) {
    const name = CLASSES[bytes[at]];
    if (wanted.has(name)) write(name, bytes.subarray(at + 1, at + RECORD));
  }
}
for (const [name, count] of counts) {
  process.stdout.write(`${join(folder, name)}: ${count} images\n`);
}

/**
 * @param {string} name
 * @param {Uint8Array} planes
 */
function write(name, planes) {
  const count = (counts.get(name) ?? 0) + 1;
  counts.set(name, count);
  const png = new PNG({ width: SIDE, height: SIDE, colorType: 2 });
  for (let i = 0; i < AREA; i++) {
    for (let channel = 0; channel < 3; channel++)
      png.data[4 * i + channel] = planes[channel * AREA + i];
    png.data[4 * i + 3] = 255;
  }
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(
    join(folder, name, `${String(count).padStart(3, '0')}.png`),
    PNG.sync.write(png, { colorType: 2 }),
  );
}
