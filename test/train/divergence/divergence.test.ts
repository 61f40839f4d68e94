/** Runs that stop being finite, and what is said of it. */

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TorchtsError } from '../../../src/base/errors.ts';
import { noGrad } from '../../../src/core/grad-mode.ts';
import type { Tensor } from '../../../src/core/tensor.ts';
import { datasets } from '../../../src/data/index.ts';
import { TensorDataset } from '../../../src/data/tensor-dataset.ts';
import { Buffer, Module } from '../../../src/nn/module.ts';
import { modules } from '../../../src/nn/registry.ts';
import { zeros } from '../../../src/ops/creation.ts';
import { eventsOf, Setting } from '../setting.ts';

/** Fine for some training steps; then the logarithm is of a negative number. */
class Fuse extends Module {
  readonly burnt = new Buffer(zeros([]));

  constructor(readonly steps: number) {
    super();
  }

  override forward(x: Tensor): Tensor {
    if (this.training) noGrad(() => this.burnt.copy_(this.burnt.add(1)));
    return x.add(
      this.burnt
        .mul(-1)
        .add(this.steps + 0.5)
        .log()
        .mul(0),
    );
  }
}

/** Zero, with an infinite slope. */
class RootOfZero extends Module {
  override forward(x: Tensor): Tensor {
    return x.add(x.sub(x).sqrt());
  }
}

/** Finite in training only. */
class Examination extends Module {
  override forward(x: Tensor): Tensor {
    return this.training ? x : x.div(zeros([]));
  }
}

beforeAll(() => {
  modules.register('Fuse', {
    schema: z.strictObject({ steps: z.int() }),
    create: ({ steps }: { steps: number }) => new Fuse(steps),
  });
  modules.register('RootOfZero', { schema: z.strictObject({}), create: () => new RootOfZero() });
  modules.register('Examination', { schema: z.strictObject({}), create: () => new Examination() });
  datasets.register('Rows', {
    schema: z.strictObject({ bad: z.int(), field: z.enum(['inputs', 'targets']) }),
    create: ({ bad, field }: { bad: number; field: 'inputs' | 'targets' }) => {
      const description = {
        input: { dtype: 'float32', shape: [2] },
        target: { dtype: 'float32', shape: [1] },
        classes: [],
      } as const;
      const rows = { inputs: new Float32Array(80), targets: new Float32Array(40) };
      rows.inputs.forEach((_, i) => {
        rows.inputs[i] = Math.sin(i);
      });
      if (bad >= 0) rows[field][bad * (field === 'inputs' ? 2 : 1)] = Number.NaN;
      return { ...description, load: async () => new TensorDataset(40, description, rows) };
    },
  });
});

const layers = (...more: string[]) =>
  `model.layers=[Flatten, { type: Linear, name: hidden, out_features: 12 }, ${more.join(', ')}, ` +
  '{ type: Linear, name: out, out_features: 3 }]';

const rows = (bad: number, field = 'inputs') => [
  `data={ train: { type: Rows, bad: ${bad}, field: ${field} }, batch_size: 4 }`,
  'model={ type: Sequential, layers: [{ type: Linear, out_features: 1 }] }',
  'loss=MSELoss',
];

async function failure(setting: Setting, overrides: string[], resume?: string) {
  const events: Parameters<typeof eventsOf>[0] = [];
  const error = await setting
    .train({ overrides, ...(resume && { resume }), onEvent: (event) => events.push(event) })
    .catch((thrown) => thrown);
  expect(error).toBeInstanceOf(TorchtsError);
  return { message: error.message as string, events };
}

describe('a loss that is no longer finite', () => {
  it('is traced to the step and the layer', async () => {
    const setting = await Setting.make();
    const overrides = [layers('{ type: Fuse, name: fuse, steps: 5 }'), 'trainer.log_every=50'];
    const { message, events } = await failure(setting, overrides);
    expect(message).toMatch(
      /^training stopped: the mean training loss of steps 1 to 7 is NaN; it began in step 6: layer fuse \(Fuse\) gave NaN in forward, from finite inputs; the losses of steps 2 to 5 were [\d., ]+; no checkpoint was written yet; trainer\.detect_anomaly=true names the op$/,
    );
    expect(eventsOf(events, 'trace')).toEqual([
      {
        event: 'trace',
        what: 'the mean training loss of steps 1 to 7 is NaN',
        from_step: 0,
        to_step: 7,
        seconds: 300,
      },
    ]);
  });

  it('is traced from the last checkpoint, also of a resumed run', async () => {
    const setting = await Setting.make();
    const overrides = [layers('{ type: Fuse, steps: 16 }'), 'trainer.checkpoint_every=5'];
    const { summary } = await setting.train({ overrides, stopAt: { split: 'train', batch: 12 } });
    const { message, events } = await failure(setting, overrides, summary.directory);
    expect(message).toContain('it began in step 17: layer 2 (Fuse) gave NaN in forward');
    const path = join(summary.directory, 'checkpoints', 'step-15');
    expect(message).toContain(`the last checkpoint is ${path};`);
    expect(eventsOf(events, 'trace')[0]!.from_step).toBe(15);
  });

  it('of a learning rate that is too large says so', async () => {
    const setting = await Setting.make();
    const { message } = await failure(setting, ['optimizer.lr=1e30']);
    expect(message).toMatch(/it began in step \d+: (layer|the model|the loss|the update)/);
    expect(message).toMatch(/try a smaller optimizer\.lr, or trainer\.clip_grad_norm$/);
  });

  it.each([
    ['inputs', 'the input of sample 17 of data.train holds NaN'],
    ['targets', 'the target of sample 17 of data.train holds NaN'],
  ])('of bad %s names the sample', async (field, expected) => {
    const setting = await Setting.make();
    const { message } = await failure(setting, rows(17, field));
    expect(message).toContain(expected);
    expect(message).not.toContain('optimizer.lr');
  });

  it.each([
    ['', []],
    [' with gradients of several batches', ['trainer.accumulate_grad_batches=2']],
    [' in bfloat16', ['precision=bfloat16']],
    [' with clipping', ['trainer.clip_grad_norm=1']],
  ])('may come from backward alone%s', async (_, more) => {
    const setting = await Setting.make();
    const { message } = await failure(setting, [layers('RootOfZero'), ...more]);
    expect(message).toContain(
      'it began in step 1: layer 2 (RootOfZero) gave, in backward, the gradient of ' +
        'hidden.bias, which is NaN',
    );
  });

  it('may come from the update', async () => {
    const setting = await Setting.make();
    const overrides = ['optimizer.lr=1e39', 'trainer.max_steps=1', 'data.val=null'];
    const { message } = await failure(setting, overrides);
    expect(message).toMatch(
      /it began in step 1: the update of \w+\.\w+ by SGD gave (NaN|an infinity), from a finite/,
    );
  });

  it('may show in validation only', async () => {
    const setting = await Setting.make();
    const { message } = await failure(setting, [layers('Examination')]);
    expect(message).toMatch(
      /^training stopped: the loss on data\.val is NaN after step 7; in the first bad batch of data\.val: layer 2 \(Examination\) gave (NaN|an infinity) in forward, from finite inputs; /,
    );
  });
});

describe('trainer.detect_anomaly', () => {
  const ON = 'trainer.detect_anomaly=true';

  it('names the op, its module and its sizes', async () => {
    const setting = await Setting.make();
    const { message } = await failure(setting, [layers('{ type: Fuse, steps: 5 }'), ON]);
    expect(message).toMatch(
      /^training stopped: in step 6, \[log\] made a NaN of finite inputs \(\); called at .*divergence\.test\.ts.* \(at 2\); no checkpoint was written yet$/,
    );
  });

  it('names the op whose gradient overflows', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ stopAt: { split: 'train', batch: 9 } });
    const { message } = await failure(setting, [layers('RootOfZero'), ON]);
    expect(message).toMatch(/in step 1, .* in the gradient of sqrt; called at .* \(at 2\);/);
    expect(summary.step).toBe(9);
  });

  it('trains as without it where there is nothing to find', async () => {
    const setting = await Setting.make();
    const { summary: plain } = await setting.train();
    const { summary: stopped } = await setting.train({
      overrides: [ON],
      stopAt: { split: 'train', batch: 9 },
    });
    const { summary } = await setting.train({ overrides: [ON], resume: stopped.directory });
    expect(summary.step).toBe(21);
    expect(summary.metrics).toEqual(plain.metrics);
  });

  it('cannot be profiled', async () => {
    const setting = await Setting.make();
    const profiled = setting.train({ overrides: [ON], profile: true });
    await expect(profiled).rejects.toThrow(/trainer\.detect_anomaly: .*profile/);
  });
});
