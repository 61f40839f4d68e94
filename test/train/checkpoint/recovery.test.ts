/** Going on after damage, after a process was killed at a bad moment, and from older checkpoints. */

import {
  cp,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileError } from '../../../src/base/errors.ts';
import { bytesOf, eventsOf, recordsOf, Setting } from '../setting.ts';

const EVERY_4 = ['trainer.checkpoint_every=4'];

/** A run that was stopped after step 18, with checkpoints of the steps 14, 16 and 18. */
async function stoppedRun() {
  const setting = await Setting.make();
  const overrides = [...EVERY_4, 'trainer.keep=3'];
  const { summary: whole } = await setting.train({ overrides });
  const { summary } = await setting.train({ overrides, stopAt: { split: 'train', batch: 18 } });
  const checkpoints = join(summary.directory, 'checkpoints');
  expect(await stepsOf(checkpoints)).toEqual(['step-14', 'step-16', 'step-18']);
  return { setting, overrides, whole, run: summary.directory, checkpoints };
}

async function stepsOf(checkpoints: string): Promise<string[]> {
  return (await readdir(checkpoints)).filter((name) => name.startsWith('step-')).sort();
}

async function flipByte(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 4;
  await writeFile(path, bytes);
}

async function expectSameEnd(run: string, whole: string): Promise<void> {
  for (const link of ['last', 'best']) {
    const [a, b] = [run, whole].map((folder) => join(folder, 'checkpoints', link));
    expect(await bytesOf(a!)).toEqual(await bytesOf(b!));
  }
  expect(await recordsOf(run)).toEqual(await recordsOf(whole));
}

describe('a damaged checkpoint', () => {
  const damages: [string, string, (checkpoints: string) => Promise<void>][] = [
    ['with a flipped bit', 'state.safetensors', (c) => flipByte(`${c}/step-18/state.safetensors`)],
    ['without its state', 'state.json', (c) => rm(`${c}/step-18/state.json`)],
    [
      'with a file of another step',
      'model.safetensors',
      (c) => cp(`${c}/step-14/model.safetensors`, `${c}/step-18/model.safetensors`),
    ],
    [
      'that is another one renamed',
      'state.json',
      async (c) => {
        await rm(`${c}/step-18`, { recursive: true });
        await cp(`${c}/step-14`, `${c}/step-18`, { recursive: true });
      },
    ],
  ];

  it.each(damages)('%s is passed over, told of, and kept', async (_, file, damage) => {
    const { setting, overrides, whole, run, checkpoints } = await stoppedRun();
    await damage(checkpoints);
    const { summary, events } = await setting.train({ overrides, resume: 'auto' });
    expect(summary.directory).toBe(run);
    const [{ damaged, ...resume }] = eventsOf(events, 'resume') as [
      ReturnType<typeof eventsOf<'resume'>>[0],
    ];
    expect(resume).toMatchObject({ step: 16, checkpoint: join(checkpoints, 'step-16') });
    expect(damaged.map(({ path }) => path)).toEqual([join(checkpoints, 'step-18')]);
    expect(damaged[0]!.reason).toContain(join(checkpoints, 'step-18', file));
    expect((await stat(join(checkpoints, 'step-18.damaged'))).isDirectory()).toBe(true);
    await expectSameEnd(run, whole.directory);
  });

  it('is named where no other is whole', async () => {
    const { setting, overrides, checkpoints } = await stoppedRun();
    for (const step of await stepsOf(checkpoints)) {
      await flipByte(join(checkpoints, step, 'model.safetensors'));
    }
    const going = setting.train({ overrides, resume: 'auto' });
    await expect(going).rejects.toThrow(FileError);
    await expect(going).rejects.toThrow(
      /has no whole checkpoint to go on from: .*step-18\/model.safetensors is damaged.*step-14\//,
    );
    expect(await stepsOf(checkpoints)).toEqual(['step-14', 'step-16', 'step-18']);
  });

  it('that was asked for by its folder is refused, with the nearest whole one', async () => {
    const { setting, overrides, checkpoints } = await stoppedRun();
    const folder = join(checkpoints, 'step-18');
    await flipByte(join(folder, 'state.json'));
    await flipByte(join(checkpoints, 'step-16', 'state.json'));
    await expect(setting.train({ overrides, resume: folder })).rejects.toThrow(
      `${folder}/state.json is damaged: its contents do not have the checksum they were written ` +
        `with; --resume ${checkpoints}/step-14 is whole`,
    );
  });
});

describe('--resume with the folder of a checkpoint', () => {
  it('goes on in its run when it is the newest', async () => {
    const { setting, overrides, whole, run, checkpoints } = await stoppedRun();
    const resume = join(checkpoints, 'last');
    const { summary } = await setting.train({ overrides, resume });
    expect(summary.directory).toBe(run);
    await expectSameEnd(run, whole.directory);
  });

  it('leaves a run alone that has come further: a new one begins with its history', async () => {
    const { setting, overrides, whole, run, checkpoints } = await stoppedRun();
    const before = await bytesOf(join(checkpoints, 'step-18'));
    const resume = join(checkpoints, 'step-16');
    const { summary, events } = await setting.train({ overrides, resume });
    expect(summary.directory).toBe(join(dirname(run), '3'));
    expect(eventsOf(events, 'start')[0]).toMatchObject({ start_step: 16 });
    await expectSameEnd(summary.directory, whole.directory);
    expect(await stepsOf(checkpoints)).toEqual(['step-14', 'step-16', 'step-18']);
    expect(await bytesOf(join(checkpoints, 'step-18'))).toEqual(before);
  });

  it('takes one that was copied out of its run', async () => {
    const { setting, overrides, whole, checkpoints } = await stoppedRun();
    const copy = join(setting.folder, 'step-16');
    await cp(join(checkpoints, 'step-16'), copy, { recursive: true });
    const { summary } = await setting.train({ overrides, resume: copy });
    const last = [summary, whole].map((run) => bytesOf(join(run.directory, 'checkpoints', 'last')));
    const [resumed, expected] = await Promise.all(last);
    expect(resumed!['model.safetensors']).toBe(expected!['model.safetensors']);
  });
});

describe('what a killed process leaves behind', () => {
  it('is cleared away', async () => {
    const { setting, overrides, whole, run, checkpoints } = await stoppedRun();
    const half = join(checkpoints, '.step-20.123-0a1b2c3d.tmp');
    await mkdir(half);
    await writeFile(join(half, 'model.safetensors'), 'half');
    await writeFile(join(run, '.summary.json.123-0a1b2c3d.tmp'), '{');
    await writeFile(join(run, '.lock'), '{"host":');
    await setting.train({ overrides, resume: 'auto' });
    const hidden = [...(await readdir(run)), ...(await readdir(checkpoints))];
    expect(hidden.filter((name) => name.startsWith('.'))).toEqual([]);
    await expectSameEnd(run, whole.directory);
  });

  it.each([
    ['newer', 'step-18'],
    ['only', 'step-14', 'step-16', 'step-18'],
  ])('gets its name back where it was whole: the %s checkpoint', async (_, ...names) => {
    const { setting, overrides, whole, run, checkpoints } = await stoppedRun();
    for (const name of names) {
      await rename(join(checkpoints, name), join(checkpoints, `.${name}.123-0a1b2c3d.tmp`));
    }
    const { summary, events } = await setting.train({ overrides, resume: 'auto' });
    expect(summary.directory).toBe(run);
    expect(eventsOf(events, 'resume')[0]!.step).toBe(18);
    await expectSameEnd(run, whole.directory);
  });
});

describe('a run that another process trains', () => {
  it('is left to it', async () => {
    const { setting, overrides, run } = await stoppedRun();
    const parent = process.ppid;
    const status = await readFile(`/proc/${parent}/stat`, 'utf8').catch(() => undefined);
    const started = status?.slice(status.lastIndexOf(')') + 2).split(' ')[19] ?? null;
    const lock = { host: hostname(), pid: parent, started };
    await writeFile(join(run, '.lock'), JSON.stringify(lock));
    await expect(setting.train({ overrides, resume: 'auto' })).rejects.toThrow(
      `${run} is being trained by process ${parent}`,
    );
    // A process of that number that was started at another time is another one.
    await writeFile(join(run, '.lock'), JSON.stringify({ ...lock, started: '1' }));
    const { summary } = await setting.train({ overrides, resume: 'auto' });
    expect(summary.step).toBe(21);
    expect(await readdir(run)).not.toContain('.lock');
  });
});

describe('a config that has changed', () => {
  it('is told of key by key, and the earlier one stays', async () => {
    const { setting, overrides, run } = await stoppedRun();
    const before = await readFile(join(run, 'config.yaml'), 'utf8');
    const changed = [...overrides, 'optimizer.lr=0.01', 'trainer.epochs=4', 'trainer.log_every=2'];
    const { events, summary } = await setting.train({ overrides: changed, resume: run });
    expect(eventsOf(events, 'resume')[0]!.changes).toEqual([
      { path: ['optimizer', 'lr'], before: 0.1, after: 0.01 },
      { path: ['trainer', 'epochs'], before: 3, after: 4 },
      { path: ['trainer', 'log_every'], before: 3, after: 2 },
    ]);
    expect(summary.step).toBe(28);
    expect(await readFile(join(run, 'config.1.yaml'), 'utf8')).toBe(before);
    const rates = eventsOf(events, 'metrics').map(({ lr }) => lr);
    expect(new Set(rates)).toEqual(new Set([0.01]));
  });

  it('is no change where only how it was written has changed', async () => {
    const { setting, overrides, run } = await stoppedRun();
    const { events } = await setting.train({ overrides: [...overrides, 'seed=3'], resume: run });
    expect(eventsOf(events, 'resume')[0]!.changes).toEqual([]);
    expect(await readdir(run)).not.toContain('config.1.yaml');
    expect(await readlink(join(run, 'checkpoints', 'last'))).toBe('step-21');
    expect(basename(run)).toBe('2');
  });

  const plateau = (more = '') =>
    `scheduler={ type: ReduceLROnPlateau, patience: 0, threshold: 1, factor: 0.5${more} }`;

  it.each([
    // Each epoch halves the rate; the third had begun with 0.025.
    ['nothing', [plateau()], [0.025, 0.0125]],
    ['another rate', [plateau(), 'optimizer.lr=0.04'], [0.01, 0.005]],
    ['another factor', [plateau(', cooldown: 0').replace('0.5', '0.1')], [0.025, 0.0025]],
    ['another schedule', ['scheduler={ type: StepLR, step_size: 1, gamma: 0.1 }'], [0.001, 0.0001]],
  ])('changes the rates of a run in its third epoch: %s', async (_, changed, [third, fourth]) => {
    const setting = await Setting.make();
    const epochs = 'trainer.epochs=4';
    const { summary } = await setting.train({
      overrides: [plateau(), epochs],
      stopAt: { split: 'train', batch: 16 },
    });
    const resumed = await setting.train({
      overrides: [epochs, ...changed],
      resume: summary.directory,
    });
    const records = eventsOf(resumed.events, 'metrics');
    const rateIn = (epoch: number) => records.find((record) => record.epoch === epoch)!.lr;
    expect(rateIn(3)).toBeCloseTo(third!, 10);
    expect(rateIn(4)).toBeCloseTo(fourth!, 10);
  });
});
