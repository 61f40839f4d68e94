import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { torchts } from './harness.ts';

let runs: string;

/** A run's folder with what a training of the time would have left. */
async function makeRun(name: string, minute: number, lr: number, accuracy: number | null) {
  const folder = path.join(runs, name);
  const last = path.join(folder, 'checkpoints', 'last');
  await mkdir(last, { recursive: true });
  const write = (file: string, value: unknown) =>
    writeFile(path.join(folder, file), JSON.stringify(value));
  const metrics = { val_accuracy: accuracy ?? 0 };
  const best = accuracy === null ? null : { metric: 'val_accuracy', value: accuracy, step: 5 };
  await writeFile(path.join(folder, 'config.yaml'), `optimizer: { type: SGD, lr: ${lr} }\n`);
  await write('env.json', { threads: 1 });
  await write('checkpoints/last/state.json', { step: 10, best, metrics });
  await write('status.json', {
    state: accuracy === null ? 'failed' : 'finished',
    started: `2026-01-02T03:0${minute}:00.000Z`,
    resumed: null,
    ended: null,
    step: 10,
    total_steps: 1000,
    measured: { val_accuracy: 'max' },
    message: accuracy === null ? 'the loss is NaN\nand more' : null,
  });
  if (accuracy !== null) await write('summary.json', { step: 10, seconds: 75, metrics, ok: true });
}

beforeAll(async () => {
  runs = await mkdtemp(path.join(os.tmpdir(), 'torchts-ls-'));
  await makeRun('mlp/1', 3, 0.1, 0.9);
  await makeRun('mlp/2', 1, 0.2, 0.5);
  await makeRun('cnn/1', 2, 0.3, null);
});

/** The runs' names in the order in which they were printed. */
const order = (out: string) => [...out.matchAll(/^\S*((?:mlp|cnn)\/\d) {2}/gm)].map((m) => m[1]);

describe('torchts ls', () => {
  it('lists runs, the newest one last, and says what went wrong', async () => {
    const { code, out } = await torchts(`ls ${runs}`);
    expect(code).toBe(0);
    expect(order(out)).toEqual(['mlp/2', 'cnn/1', 'mlp/1']);
    expect(out).toMatch(
      /mlp\/1 +finished +10\/1,000 +val_accuracy 90\.0% +2026-01-0\d .* 1 min 15 s/,
    );
    expect(out).toContain('cnn/1: failed: the loss is NaN\n');
  });

  it('sorts and selects', async () => {
    expect(order((await torchts(`ls ${runs} --sort best`)).out)).toEqual([
      'cnn/1',
      'mlp/2',
      'mlp/1',
    ]);
    expect(order((await torchts(`ls ${runs} --sort name --reverse`)).out)).toEqual([
      'mlp/2',
      'mlp/1',
      'cnn/1',
    ]);
    expect(order((await torchts(`ls ${runs} --limit 1`)).out)).toEqual(['mlp/1']);
    expect(order((await torchts(`ls ${runs} --state failed`)).out)).toEqual(['cnn/1']);
    expect(order((await torchts(`ls ${runs} --name mlp/2`)).out)).toEqual(['mlp/2']);
    expect((await torchts(`ls ${runs} --name none`)).out).toBe(`no runs in ${runs}\n`);
  });

  it('prints JSON lines for programs', async () => {
    const { out } = await torchts(`ls ${runs} --json`);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatchObject({
      event: 'run',
      name: 'mlp',
      number: 1,
      state: 'finished',
      best: { metric: 'val_accuracy', value: 0.9, step: 5, mode: 'max' },
    });
  });

  it('refuses what it does not know', async () => {
    expect(await torchts('ls /nowhere')).toMatchObject({ code: 1 });
    const { code, err } = await torchts(`ls ${runs} --state asleep`);
    expect(code).toBe(2);
    expect(err).toContain('running, finished, stopped, failed, killed, damaged, foreign');
  });
});

describe('torchts diff', () => {
  it('shows two runs side by side', async () => {
    const { code, out } = await torchts(`diff ${runs}/mlp/1 ${runs}/mlp`);
    expect(code).toBe(0);
    expect(out).toMatch(/^config +mlp\/1 +mlp\/2$/m);
    expect(out).toMatch(/^optimizer\.lr +0\.1 +0\.2$/m);
    expect(out).toMatch(/^val_accuracy +90\.0% +50\.0%$/m);
    expect(out).toContain('environment: no difference');
    expect(out).not.toContain('optimizer.type');
  });

  it('prints JSON for programs', async () => {
    const { out } = await torchts(`diff ${runs}/mlp/1 ${runs}/cnn --json`);
    expect(JSON.parse(out)).toMatchObject({
      event: 'diff',
      config: [{ key: 'optimizer.lr', a: 0.1, b: 0.3 }],
    });
  });

  it('refuses what is not a run', async () => {
    const { code, err } = await torchts(`diff ${runs}/mlp/1 package.json`);
    expect(code).toBe(2);
    expect(err).toContain('package.json is not the folder of a run');
  });
});
