/**
 * Prints what reading an image folder takes, each time in a process of its own: without a cache,
 * while one is made, and with it. Of memory, what the process has for itself (`own`) and what it
 * shares of the file (`shared`), once all images went through an epoch.
 *
 * node test/bench/image-cache.mjs [IMAGES=5000] [SIDE=64] [FORMAT=jpeg]
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { data, engine } from '../../dist/index.js';

const [first, ...rest] = process.argv.slice(2);
if (first === '--one') await one(...rest);
else await all(first, ...rest);

async function all(images = '5000', side = '64', format = 'jpeg') {
  const folder = mkdtempSync(join(tmpdir(), 'torchts-cache-'));
  try {
    await makeImages(join(folder, 'photos'), Number(images), Number(side), format);
    console.log(`${images} images of ${side} x ${side}, ${format}`);
    for (const [what, cache] of [
      ['no cache', ''],
      ['makes it', join(folder, 'cache')],
      ['has it', join(folder, 'cache')],
    ]) {
      const args = [process.argv[1], '--one', join(folder, 'photos'), side, cache];
      const took = JSON.parse(
        execFileSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] }),
      );
      const { load, open, own, shared } = took;
      console.log(
        `${what.padEnd(10)} load ${load.toFixed(2)} s, open ${open.toFixed(3)} s, ` +
          `own ${own} MiB, shared ${shared} MiB`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Random blots, which compress about as photographs do. */
async function makeImages(root, images, side, format) {
  let state = 1;
  const random = () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state / 2 ** 31;
  };
  for (let i = 0; i < images; i++) {
    const folder = join(root, String(i % 10));
    mkdirSync(folder, { recursive: true });
    const blots = Buffer.from(Array.from({ length: 8 * 8 * 3 }, () => 256 * random()));
    await sharp(blots, { raw: { width: 8, height: 8, channels: 3 } })
      .resize(side, side)
      .toFormat(format)
      .toFile(join(folder, `${i}.${format === 'jpeg' ? 'jpg' : format}`));
  }
}

async function one(root, side, cache) {
  const start = performance.now();
  const dataset = await data.datasets
    .build({
      type: 'ImageFolder',
      root,
      cache: cache || false,
      transforms: [{ type: 'Resize', size: [Number(side), Number(side)] }, 'ToTensor'],
    })
    .load();
  const loaded = performance.now();
  const loader = new data.DataLoader({ dataset, engine: engine(), batch_size: 128 });
  const opened = performance.now();
  for (const { targets } of loader.epoch(0)) await engine().read(targets);
  globalThis.gc?.();
  const status = readFileSync('/proc/self/status', 'utf8');
  const mebibytes = (key) => Math.round(Number(status.match(`${key}:\\s+(\\d+)`)[1]) / 1024);
  console.log(
    JSON.stringify({
      load: (loaded - start) / 1000,
      open: (opened - loaded) / 1000,
      own: mebibytes('RssAnon'),
      shared: mebibytes('RssFile'),
    }),
  );
}
