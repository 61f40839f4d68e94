/**
 * Disks that are full and folders that cannot be written. A limit on the size of files (`ulimit
 * -f`) fails writes in the middle, as a full disk does, and needs no rights.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectOf, trainIn } from '../process.ts';
import { bytesOf, recordsOf } from '../setting.ts';

const DATA = 'get(i: number) { return [[i, 1, 2, 3], [i % 3]] as const; }';

/** `sh` counts in blocks of 512 bytes. */
const atMost = (bytes: number) => ({ prefix: `ulimit -f ${bytes / 512}` });

async function expectSameEnd(folder: string, steps: string): Promise<void> {
  const whole = await trainIn(folder, [steps, '--out', 'whole']);
  expect(whole).toMatchObject({ code: 0, err: '' });
  const [a, b] = ['runs', 'whole'].map((out) => join(folder, out, 'net', '1'));
  for (const link of ['last', 'best']) {
    const folders = [a, b].map((run) => join(run!, 'checkpoints', link));
    const [found, expected] = await Promise.all(folders.map(bytesOf));
    expect(found).toEqual(expected);
  }
  expect(await recordsOf(a!)).toEqual(await recordsOf(b!));
}

describe('a full disk', { timeout: 60_000 }, () => {
  it('under a checkpoint keeps the one before, and says which file and why', async () => {
    // Momentum and weights of 16 KiB each.
    const folder = await projectOf(DATA, 800);
    const steps = 'trainer.max_steps=24';
    expect(await trainIn(folder, ['trainer.max_steps=8'])).toMatchObject({ code: 0, err: '' });
    const checkpoints = join(folder, 'runs/net/1/checkpoints');
    const before = await bytesOf(join(checkpoints, 'step-8'));
    const full = await trainIn(folder, [steps, '--resume', 'auto'], atMost(8192));
    expect(full.code).toBe(1);
    expect(full.err).toMatch(
      /^torchts: cannot write \S+\/step-16: EFBIG: file too large, write\n$/,
    );
    expect((await readdir(checkpoints)).sort()).toEqual(['best', 'last', 'step-8']);
    expect(await bytesOf(join(checkpoints, 'last'))).toEqual(before);
    const resumed = await trainIn(folder, [steps, '--resume', 'auto']);
    expect(resumed).toMatchObject({ code: 0, err: '' });
    await expectSameEnd(folder, steps);
  });

  it('under the records leaves half a line, which is taken back', async () => {
    const folder = await projectOf(DATA);
    const steps = 'trainer.max_steps=120';
    const full = await trainIn(folder, [steps], atMost(8192));
    expect(full.code).toBe(1);
    expect(full.err).toMatch(
      /^torchts: cannot write runs\/net\/1\/metrics\.jsonl: EFBIG: file too large, write\n$/,
    );
    const text = await readFile(join(folder, 'runs/net/1/metrics.jsonl'), 'utf8');
    expect(text.endsWith('\n')).toBe(false);
    const resumed = await trainIn(folder, [steps, '--resume', 'auto']);
    expect(resumed).toMatchObject({ code: 0, err: '' });
    await expectSameEnd(folder, steps);
  });

  it('under the config leaves no run that could be taken for one', async () => {
    const folder = await projectOf(DATA);
    const full = await trainIn(folder, [], atMost(512));
    expect(full.code).toBe(1);
    expect(full.err).toMatch(/^torchts: cannot write runs\/net\/1\/\w+\.(yaml|json): EFBIG: .*\n$/);
    const again = await trainIn(folder, ['--resume', 'auto', 'trainer.max_steps=8']);
    expect(again).toMatchObject({ code: 0, err: '' });
  });
});

describe('a place that cannot be written', () => {
  it('is named before anything is trained', async () => {
    const folder = await projectOf(DATA);
    await writeFile(join(folder, 'taken'), '');
    const ended = await trainIn(folder, ['--out', 'taken']);
    expect(ended).toMatchObject({ code: 1, out: '' });
    expect(ended.err).toMatch(
      /^torchts: cannot make a folder for the run in taken\/net: ENOTDIR: .*\n$/,
    );
  });
});
