/**
 * Images a second of CPU time through each transform, on one thread, beside torchvision's v2 on
 * uint8 tensors, where PYTHON (python3 unless given) has it: from the bytes of an image to the floats
 * that a model gets, `ToTensor` or `ToDtype` included, one image after the other as a data set is
 * asked for them. Both sides take turns; numbers are medians of the rounds.
 *
 *     npm run build && node test/bench/transforms.mjs [--rows a,b] [--sizes 32,224] [--rounds N]
 */

import { parseArgs } from 'node:util';
import { data } from '../../dist/index.js';
import { cpuEngine } from '../../dist/internal.js';
import { median } from './measure.mjs';
import { Peer, torchVersion } from './peer.mjs';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string' },
    sizes: { type: 'string', default: '32,224' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});

/** Milliseconds of a round on each side. */
const ROUND = 100;
/** Bytes of the images that take turns: the second-level cache holds them. */
const IMAGE_BYTES = 600_000;

/** The arguments of each row's transform, for images of `size` x `size`; both sides get these. */
const ROWS = {
  'ToTensor alone': () => undefined,
  RandomHorizontalFlip: () => ({ type: 'RandomHorizontalFlip' }),
  RandomVerticalFlip: () => ({ type: 'RandomVerticalFlip' }),
  'RandomCrop with padding': (size) => ({ type: 'RandomCrop', size, padding: size / 8 }),
  CenterCrop: (size) => ({ type: 'CenterCrop', size: (size * 7) / 8 }),
  'Resize to 1/2': (size) => ({ type: 'Resize', size: [size / 2, size / 2] }),
  'Resize to 3/2': (size) => ({ type: 'Resize', size: [size * 1.5, size * 1.5] }),
  RandomResizedCrop: (size) => ({ type: 'RandomResizedCrop', size }),
  'ColorJitter without hue': () => ({
    type: 'ColorJitter',
    ...{ brightness: 0.4, contrast: 0.4, saturation: 0.4 },
  }),
  ColorJitter: () => ({
    type: 'ColorJitter',
    ...{ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 },
  }),
  Grayscale: () => ({ type: 'Grayscale', num_output_channels: 3 }),
  RandomRotation: () => ({ type: 'RandomRotation', degrees: 15 }),
  'RandomRotation bilinear': () => ({
    type: 'RandomRotation',
    ...{ degrees: 15, interpolation: 'bilinear' },
  }),
  RandomAffine: () => ({
    type: 'RandomAffine',
    ...{ degrees: 15, translate: [0.1, 0.1], scale: [0.9, 1.1], shear: 5 },
  }),
  RandomPerspective: () => ({ type: 'RandomPerspective', p: 1 }),
  'GaussianBlur 5': () => ({ type: 'GaussianBlur', kernel_size: 5 }),
  'GaussianBlur 23': () => ({ type: 'GaussianBlur', kernel_size: 23 }),
  RandomAdjustSharpness: () => ({
    type: 'RandomAdjustSharpness',
    ...{ sharpness_factor: 2, p: 1 },
  }),
  RandomAutocontrast: () => ({ type: 'RandomAutocontrast', p: 1 }),
  RandomEqualize: () => ({ type: 'RandomEqualize', p: 1 }),
  RandomPosterize: () => ({ type: 'RandomPosterize', bits: 4, p: 1 }),
  RandomErasing: () => ({ type: 'RandomErasing', p: 1 }),
  TrivialAugmentWide: () => ({ type: 'TrivialAugmentWide' }),
  RandAugment: () => ({ type: 'RandAugment' }),
  AutoAugment: () => ({ type: 'AutoAugment' }),
  AugMix: () => ({ type: 'AugMix' }),
};

/** Waves and noise, in colours. */
function pictures(count, size) {
  const bytes = new Uint8Array(count * 3 * size * size);
  for (let i = 0; i < bytes.length; i++) {
    const [x, y] = [i % size, Math.floor(i / size) % size];
    const wave = Math.sin((7 * x) / size + i / (size * size)) + Math.cos((9 * y) / size);
    bytes[i] = 128 + 50 * wave + ((Math.imul(i, 2654435761) >>> 27) - 16);
  }
  return bytes;
}

/** Milliseconds that this process has computed: other work on the machine counts for little. */
function cpuTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Reads batches of `count` images; gives the images a second of one round. */
function openOurs(engine, spec, count, size) {
  const specs =
    spec?.type === 'RandomErasing' ? ['ToTensor', spec] : [...(spec ? [spec] : []), 'ToTensor'];
  const transforms = specs.map((each) => data.transforms.build(each));
  // What draws nothing and comes first would be done once and for all.
  if (!transforms[0].random && transforms[0].takes === 'image') {
    transforms.unshift(data.transforms.build({ type: 'RandomVerticalFlip', p: 0 }));
  }
  const set = new data.ImageDataset(
    {
      classes: ['a'],
      ...{ channels: 3, height: size, width: size },
      images: pictures(count, size),
      labels: new Int32Array(count),
    },
    transforms,
  );
  const reader = set.open(engine, { num_workers: 0 });
  const elements = set.input.shape.reduce((a, b) => a * b);
  const inputs = engine.allocate('float32', count * elements);
  const targets = engine.allocate('int64', count);
  const indices = Int32Array.from({ length: count }, (_, i) => i);
  let epoch = 0;
  const batch = () => reader.read({ indices, epoch: epoch++, inputs, targets });
  return () => {
    batch();
    let batches = 0;
    const start = cpuTime();
    while (cpuTime() - start < ROUND) {
      batch();
      batches++;
    }
    return (1000 * batches * count) / (cpuTime() - start);
  };
}

async function measure(name, size, engine, peer) {
  const spec = ROWS[name](size);
  const count = Math.ceil(IMAGE_BYTES / (3 * size * size));
  const ours = openOurs(engine, spec, count, size);
  const rates = { ours: [], theirs: [] };
  for (let round = 0; round < Number(options.rounds); round++) {
    rates.ours.push(ours());
    if (peer === undefined) continue;
    const request = { spec: spec ?? null, size, count, seconds: ROUND / 1000 };
    rates.theirs.push((await peer.ask(JSON.stringify(request))).rate);
  }
  const theirs = peer && median(rates.theirs);
  return { name, size, torchts: median(rates.ours), torchvision: theirs };
}

const WIDTHS = [26, 6, 10, 13, 7];
const line = (cells) =>
  cells
    .map((cell, i) => cell.padEnd(WIDTHS[i]))
    .join('  ')
    .trimEnd();
const whole = (rate) => Math.round(rate).toLocaleString('en-US');

const names = options.rows?.split(',').map((name) => name.trim()) ?? Object.keys(ROWS);
const unknown = names.filter((name) => ROWS[name] === undefined);
if (unknown.length > 0) throw new Error(`there is no row ${unknown.join(', ')}`);
const peer = torchVersion() === undefined ? undefined : new Peer('torchvision', 'transforms.py');
const versions = await peer?.ready();
const engine = cpuEngine();
const results = [];
if (!options.json) {
  console.log(
    `images a second of CPU time, one thread; ${versions?.versions ?? 'no torchvision found'}\n`,
  );
  console.log(line(['transform', 'size', 'torchts', 'torchvision', 'ratio']));
}
for (const size of options.sizes.split(',').map(Number)) {
  for (const name of names) {
    const result = await measure(name, size, engine, peer);
    results.push(result);
    const { torchts, torchvision } = result;
    const theirs =
      torchvision === undefined ? [] : [whole(torchvision), (torchts / torchvision).toFixed(2)];
    if (!options.json) console.log(line([name, String(size), whole(torchts), ...theirs]));
  }
}
if (options.json) console.log(JSON.stringify(results));
peer?.close();
