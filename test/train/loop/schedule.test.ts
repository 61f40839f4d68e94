/** Schedules of the learning rate in a run. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compile, optim, tensor } from '../../../src/index.ts';
import { Setting } from '../setting.ts';

/** The rate of each record, by split. */
async function ratesOf(scheduler: string, ...overrides: string[]) {
  const setting = await Setting.make();
  const { summary } = await setting.train({ overrides: [`scheduler=${scheduler}`, ...overrides] });
  const text = await readFile(join(summary.directory, 'metrics.jsonl'), 'utf8');
  const records = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const of = (split: string) => records.filter((r) => r.split === split).map((r) => r.lr as number);
  return { train: of('train'), val: of('val') };
}

/** What PyTorch's schedule of the same name gives to each of `steps` steps. */
function expected(spec: { type: string } & Record<string, unknown>, steps: number): number[] {
  const sgd = new optim.SGD([tensor([0], { dtype: 'float32' })], { lr: 0.1, momentum: 0.9 });
  const scheduler = optim.buildScheduler(spec, sgd) as optim.lrScheduler.ExponentialLR;
  return Array.from({ length: steps }, () => {
    const [lr] = scheduler.getLastLr();
    scheduler.step();
    return lr!;
  });
}

describe('a scheduler in a config', () => {
  it('moves on after every epoch', async () => {
    const { train, val } = await ratesOf('{ type: ExponentialLR, gamma: 0.5 }');
    expect(train).toEqual([0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025]);
    expect(val).toEqual([0.1, 0.05, 0.025]);
  });

  it('moves on after every step, where that is what it is for or what is asked', async () => {
    const cycle = { type: 'OneCycleLR', max_lr: 0.2, total_steps: 21 };
    const linear = { type: 'LinearLR', total_iters: 21 };
    for (const [spec, asked] of [
      [cycle, {}],
      [linear, { interval: 'step' }],
    ] as const) {
      const rates = expected(spec, 20);
      const { train } = await ratesOf(
        JSON.stringify({ ...spec, ...asked }),
        'trainer.max_steps=20',
      );
      // Records stand behind steps 3, 6, 7 of every epoch of seven, and the last step.
      const steps = [3, 6, 7, 10, 13, 14, 17, 20];
      expect(train).toEqual(steps.map((step) => rates[step - 1]));
    }
  });

  it('follows a metric', async () => {
    // With this threshold nothing is ever an improvement but the first.
    const plateau =
      '{ type: ReduceLROnPlateau, patience: 0, threshold: 1, monitor: val_accuracy, mode: max }';
    expect((await ratesOf(plateau)).val).toEqual([0.1, 0.1, 0.1 * 0.1]);
  });

  it.each([
    [
      '{ type: StepLR, step_size: 2, monitor: val_loss }',
      'only ReduceLROnPlateau looks at a metric',
    ],
    [
      '{ type: ReduceLROnPlateau, monitor: val_los }',
      'there is no metric "val_los"; did you mean "val_loss"?',
    ],
    [
      '{ type: ReduceLROnPlateau, interval: step }',
      'ReduceLROnPlateau needs a metric, which only an epoch has',
    ],
    [
      '{ type: SequentialLR, milestones: [], schedulers: [{ type: LinearLR, interval: step }] }',
      'interval and monitor are of the whole schedule',
    ],
    ['{ type: StepLR }', 'scheduler.step_size: missing'],
    [
      '{ type: OneCycleLR, max_lr: 0.1, total_steps: 20 }',
      'total_steps: the cycle has 20 moves, but the run makes 21, one every step',
    ],
    [
      '{ type: OneCycleLR, max_lr: 0.1, total_steps: 2, interval: epoch }',
      'the cycle has 2 moves, but the run makes 3, one every epoch',
    ],
    [
      '{ type: SequentialLR, milestones: [1, 2], schedulers: [LinearLR] }',
      '1 schedulers need 0 milestones',
    ],
  ])('%s is refused', async (spec, message) => {
    const setting = await Setting.make();
    const run = setting.train({ overrides: [`scheduler=${spec}`] });
    await expect(run).rejects.toThrow(message);
  });

  it('needs data for the metric', async () => {
    const setting = await Setting.make();
    const overrides = ['scheduler={ type: ReduceLROnPlateau, monitor: val_loss }', 'data.val=null'];
    await expect(setting.train({ overrides })).rejects.toThrow(
      'there is no data.val to measure it on',
    );
  });
});

describe('in a compiled step', () => {
  it('a scheduler steps after every call', () => {
    const p = tensor([1], { dtype: 'float64', requires_grad: true });
    const sgd = new optim.SGD([p], { lr: 1 });
    const scheduler = new optim.lrScheduler.ExponentialLR(sgd, { gamma: 0.5 });
    const step = compile(
      () => {
        sgd.zeroGrad();
        p.sum().backward();
        sgd.step();
        scheduler.step();
      },
      { state: [sgd] },
    );
    for (let i = 0; i < 3; i++) step.sync();
    expect(p.item()).toBe(1 - 1 - 0.5 - 0.25);
    expect(scheduler.last_epoch).toBe(3);
    step.dispose();
  });

  it('one that follows a metric says that it cannot', () => {
    const p = tensor([1], { dtype: 'float32', requires_grad: true });
    const plateau = new optim.lrScheduler.ReduceLROnPlateau(new optim.SGD([p], { lr: 1 }));
    const step = compile(() => plateau.step(p.sum()));
    expect(() => step.sync()).toThrow(/ReduceLROnPlateau.*while .* was being traced/s);
  });
});
