import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rebuildReport } from '../../../src/train/watching/run-report.ts';
import { bytesOf, Setting } from '../setting.ts';

const pageOf = (run: string) => readFile(join(run, 'report.html'), 'utf8');

describe('the report of a run', () => {
  it('is there at its end, with what the best model says of the validation data', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train();
    const page = await pageOf(summary.directory);
    const right = (summary.metrics.val_accuracy! * 100).toFixed(1);
    const best = JSON.parse(
      await readFile(join(summary.directory, 'checkpoints/best/state.json'), 'utf8'),
    ).best.value;
    expect(page).toContain(`${(best * 100).toFixed(1)}% of 20 samples`);
    expect(page).toContain(`val_accuracy</th><td>${right}%`);
    expect(page).toContain('Mistakes it was surest of');
    expect(page).toContain('data:image/png;base64,');
    expect(page).toContain('<th scope="row">hidden</th><td class="text">Linear</td>');
  });

  it('is there when it was stopped or failed, and changes nothing of training', async () => {
    const setting = await Setting.make();
    const whole = await setting.train();
    const { summary } = await setting.train({ stopAt: { split: 'train', batch: 9 } });
    expect(await pageOf(summary.directory)).toContain('<b>stopped</b>: by SIGINT');
    await setting.train({ resume: summary.directory });
    const last = (run: string) => bytesOf(join(run, 'checkpoints/last'));
    expect(await last(summary.directory)).toEqual(await last(whole.summary.directory));

    await setting.train({ overrides: ['optimizer.lr=1e30'] }).catch(() => undefined);
    expect(await pageOf(join(setting.out, 'shades/3'))).toContain('<b>failed</b>: ');
  });

  it('can be made again, also without classes or validation data', async () => {
    const setting = await Setting.make();
    const overrides = ['report=false', 'data.val=null', 'trainer.epochs=1'];
    const { summary } = await setting.train({ overrides });
    const run = summary.directory;
    expect(existsSync(join(run, 'report.html'))).toBe(false);
    const path = await rebuildReport({ run, loaded: setting.config(overrides), threads: 1 });
    expect(path).toBe(join(run, 'report.html'));
    expect(await pageOf(run)).not.toContain('Mistakes');
    await rm(path);
    await rebuildReport({ run, loaded: setting.config(), threads: 1 });
    expect(await pageOf(run)).toContain('Mistakes');
  });
});
