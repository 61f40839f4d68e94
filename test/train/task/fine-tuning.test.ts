/** Weights to begin with, frozen parameters, and groups with rates of their own. */

import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/base/errors.ts';
import { nn } from '../../../src/index.ts';
import { load, save } from '../../../src/io/tensors.ts';
import { bench } from '../../../src/train/bench.ts';
import { readCheckpoint } from '../../../src/train/checkpoint/checkpoint.ts';
import { checkpointDifference } from '../../../src/train/checkpoint/checkpoint-difference.ts';
import { Replay } from '../../../src/train/divergence/replay.ts';
import { openLoader } from '../../../src/train/loop/batches.ts';
import { readInitialWeights } from '../../../src/train/task/initial-weights.ts';
import { buildTask } from '../../../src/train/task/task.ts';
import { bytesOf, eventsOf, recordsOf, Setting } from '../setting.ts';

const GROUPS = 'optimizer.param_groups=[{ params: "out.*", lr: 0.2, weight_decay: 0.1 }]';

/** A setting with `weights.safetensors`, of a model of its kind. */
async function pretrained(): Promise<{ setting: Setting; file: string }> {
  const setting = await Setting.make();
  const { summary } = await setting.train({ overrides: ['trainer.epochs=1', 'seed=7'] });
  const file = join(setting.folder, 'weights.safetensors');
  await copyFile(join(summary.directory, 'checkpoints/last/model.safetensors'), file);
  return { setting, file };
}

const oldKey = (key: string) => key.replace('hidden.', 'hidden.linear.');

/** A Sequential whose keys were others once. */
const sequential = nn.modules.get('Sequential')!;
nn.modules.register('Renamed', {
  schema: sequential.schema,
  create: (options, context) => {
    const model = sequential.create(options, context);
    model.registerLoadStateDictPreHook((_, state, prefix) => {
      for (const [key, value] of [...state].filter(([key]) => key.startsWith(prefix))) {
        state.delete(key);
        state.set(key.replace('hidden.linear.', 'hidden.'), value);
      }
    });
    return model;
  },
});

const lastOf = (run: string) => join(run, 'checkpoints', 'last');

describe('model.weights', () => {
  it('are what a run begins with; it tells what it took', async () => {
    const { setting, file } = await pretrained();
    const overrides = ['trainer.epochs=1', 'optimizer.lr=0', `model.weights=${file}`];
    const { summary, events } = await setting.train({ overrides });
    const stored = await load(file);
    const after = await load(join(lastOf(summary.directory), 'model.safetensors'));
    for (const [key, value] of stored) expect(after.get(key)!.tolist()).toEqual(value.tolist());
    const [told] = eventsOf(events, 'weights');
    expect(told).toMatchObject({ file, taken: 4, keys: 4, kept_keys: [], stripped: '' });
    const { event: _, ...kept } = told!;
    expect(JSON.parse(await readFile(join(summary.directory, 'weights.json'), 'utf8'))).toEqual(
      kept,
    );
  });

  it('may be a checkpoint, its average where there is one, and what is averaged from', async () => {
    const setting = await Setting.make();
    const ema = ['trainer.ema.decay=0.5', 'trainer.epochs=1'];
    const { summary } = await setting.train({ overrides: ema });
    const checkpoint = lastOf(summary.directory);
    const [average, trained] = await Promise.all(
      ['ema', 'model'].map((name) => load(join(checkpoint, `${name}.safetensors`))),
    );
    const begun = async (...more: string[]) => {
      const overrides = [...ema, 'optimizer.lr=0', `model.weights.file=${checkpoint}`, ...more];
      const run = await setting.train({ overrides });
      const { model, average } = await readCheckpoint(lastOf(run.summary.directory));
      return [model, average!].map((tensors) => [...tensors.get('out.bias')!.data]);
    };
    const expected = average!.get('out.bias')!.tolist();
    expect(await begun()).toEqual([expected, expected]);
    expect((await begun('model.weights.ema=false'))[0]).toEqual(trained!.get('out.bias')!.tolist());
    expect(expected).not.toEqual(trained!.get('out.bias')!.tolist());
  });

  it('may have the older keys that the model knows', async () => {
    const { setting, file } = await pretrained();
    const old = join(setting.folder, 'old.pt');
    const state = await load(file);
    await save(new Map([...state].map(([key, value]) => [oldKey(key), value])), old);
    const kind = ['model.type=Renamed', `model.weights.file=${old}`, 'optimizer.lr=0'];
    const { summary, events } = await setting.train({ overrides: [...kind, 'trainer.epochs=1'] });
    expect(eventsOf(events, 'weights')[0]).toMatchObject({ taken: 4, keys: 4, kept_keys: [] });
    const after = await load(join(lastOf(summary.directory), 'model.safetensors'));
    for (const [key, value] of state) expect(after.get(key)!.tolist()).toEqual(value.tolist());
    state.set('more', state.get('out.bias')!);
    await save(new Map([...state].map(([key, value]) => [`net.${oldKey(key)}`, value])), old);
    const loaded = setting.config([...kind, 'model.weights.prefix=net.']);
    await expect(readInitialWeights(loaded, buildTask(loaded).model)).rejects.toThrow(
      /old.pt does not fit the model:\n {2}net.more is unexpected\n {2}To go on: strict: false/,
    );
  });

  it('are taken in part where that is asked for', async () => {
    const { setting, file } = await pretrained();
    const other = join(setting.folder, 'other.safetensors');
    const state = await load(file);
    state.set('out.weight', state.get('out.weight')!.narrow(0, 0, 2));
    state.delete('hidden.bias');
    await save(new Map([...state].map(([key, value]) => [`module.${key}`, value])), other);
    const read = async (...more: string[]) => {
      const loaded = setting.config([`model.weights.file=${other}`, ...more]);
      return (await readInitialWeights(loaded, buildTask(loaded).model))!.report;
    };
    await expect(read()).rejects.toThrow(ConfigError);
    await expect(read()).rejects.toThrow(
      /model\.weights: .*other.safetensors does not fit the model:\n {2}out.weight has shape \(2, 12\), needs \(3, 12\)\n {2}hidden.bias is missing\n {2}To go on: exclude: \['out\.\*', 'hidden\.\*'\] keeps a new head, or strict: false/,
    );
    expect(await read('model.weights.strict=false')).toMatchObject({
      taken: 2,
      kept_keys: ['hidden.bias', 'out.weight'],
      stripped: 'module.',
    });
    const exclude = 'model.weights.exclude=[out.weight, hidden.bias]';
    expect(await read(exclude)).toMatchObject({ taken: 2, excluded_keys: ['module.out.weight'] });
    await expect(read('model.weights.prefix=nothing.')).rejects.toThrow('nothing that fits');
    await expect(read('model.weights.exclude=oot')).rejects.toThrow('did you mean "out"?');
  });

  it.each([
    ['none.pt', 'none.pt does not exist'],
    ['runs/shades/1', 'its best weights are in'],
  ])('that cannot be had (%s) are pointed at', async (name, message) => {
    const { setting } = await pretrained();
    const overrides = [`model.weights=${join(setting.folder, name)}`];
    const failure = setting.train({ overrides });
    await expect(failure).rejects.toThrow(ConfigError);
    await expect(failure).rejects.toThrow(message);
  });

  it('are those that steps are taken again from', async () => {
    const { setting, file } = await pretrained();
    const loaded = setting.config([`model.weights=${file}`]);
    const loader = openLoader(loaded, await buildTask(loaded).train.load(), 'training');
    const replay = await Replay.open({ loaded, loader, checkpoint: undefined });
    const own = replay.task.model.stateDict().get('hidden.weight')!.tolist();
    expect(own).toEqual((await load(file)).get('hidden.weight')!.tolist());
    replay.dispose();
    loader.dispose();
  });

  it('are not asked for by a run that goes on, which says when they have changed', async () => {
    const { setting, file } = await pretrained();
    const overrides = [`model.weights=${file}`];
    const stopped = { overrides, stopAt: { split: 'train', batch: 9 } as const };
    const { summary } = await setting.train(stopped);
    const state = await load(file);
    state.set('out.bias', state.get('out.bias')!.add(1));
    await save(state, file);
    const run = summary.directory;
    const { events } = await setting.train({ ...stopped, resume: run });
    expect(eventsOf(events, 'resume')[0]!.weights_changed).toBe(file);
    await writeFile(file, 'damaged');
    const rest = await setting.train({ overrides, resume: run });
    expect(eventsOf(rest.events, 'resume')[0]!.weights_changed).toBeNull();
    expect(eventsOf(rest.events, 'weights')).toEqual([]);
  });
});

describe('model.freeze', () => {
  const FREEZE = 'model.freeze=["*", "!out.*"]';

  it('keeps the bytes of what is frozen, and trains the rest', async () => {
    const { setting, file } = await pretrained();
    const overrides = [`model.weights=${file}`, FREEZE, 'optimizer.weight_decay=0.1'];
    const { summary, events } = await setting.train({ overrides });
    expect(eventsOf(events, 'start')[0]).toMatchObject({
      parameters: 16 * 12 + 12 + 12 * 3 + 3,
      trained_parameters: 12 * 3 + 3,
    });
    const before = await load(file);
    const after = await load(join(lastOf(summary.directory), 'model.safetensors'));
    for (const key of ['hidden.weight', 'hidden.bias']) {
      expect(after.get(key)!.tolist()).toEqual(before.get(key)!.tolist());
    }
    expect(after.get('out.weight')!.tolist()).not.toEqual(before.get('out.weight')!.tolist());
    const { tensors } = await readCheckpoint(lastOf(summary.directory));
    expect([...tensors.keys()].filter((key) => key.startsWith('optimizer.'))).toEqual([
      'optimizer.out.bias.momentum_buffer',
      'optimizer.out.weight.momentum_buffer',
    ]);
  });

  it('computes no gradient of it', async () => {
    const setting = await Setting.make();
    const flops = async (...overrides: string[]) => {
      const report = await bench({ loaded: setting.config(overrides), steps: 1, warmup: 1 });
      return report.flops_per_step;
    };
    const [all, head] = [await flops(), await flops(FREEZE)];
    // The gradient of `hidden.weight` is a product as large as the one it came from.
    expect(all - head).toBeGreaterThan(2 * 8 * 16 * 12);
  });

  it.each([
    ['["*"]', 'model.freeze', 'nothing is left to train'],
    ['["*", "!oot.*"]', 'model.freeze[1]', '"oot.*" matches no parameter; did you mean "out"?'],
    ['hiden', 'model.freeze', 'did you mean "hidden"?'],
  ])('%s is pointed at', async (freeze, path, message) => {
    const setting = await Setting.make();
    const build = () => buildTask(setting.config([`model.freeze=${freeze}`]));
    expect(build).toThrow(`${path}: ${message}`.slice(0, path.length + 2));
    expect(build).toThrow(message);
  });

  it('stands for the whole model only', async () => {
    const setting = await Setting.make();
    const build = () => buildTask(setting.config(['model.layers.1.freeze=weight']));
    expect(build).toThrow('model.layers[1].freeze: only the model of a config, as a whole');
  });

  const NORMED =
    'model.layers=[Flatten, { type: Linear, name: hidden, out_features: 6 }, ' +
    '{ type: BatchNorm1d, name: norm }, { type: Linear, name: out, out_features: 3 }]';

  it.each([
    [true, 'keep'],
    [false, 'go on with'],
  ])('with freeze_batch_norm: %s batch norms %s their statistics', async (isFrozen) => {
    const setting = await Setting.make();
    const overrides = [NORMED, FREEZE, `model.freeze_batch_norm=${isFrozen}`, 'trainer.epochs=1'];
    const { summary } = await setting.train({ overrides });
    const after = await load(join(lastOf(summary.directory), 'model.safetensors'));
    expect(after.get('norm.num_batches_tracked')!.item()).toBe(isFrozen ? 0 : 7);
    const task = buildTask(setting.config(overrides));
    task.model.eval();
    task.model.train();
    expect(task.model.getSubmodule('norm').training).toBe(!isFrozen);
    expect(task.model.getSubmodule('out').training).toBe(true);
  });

  it('leaves batch norms alone of which something is trained', async () => {
    const setting = await Setting.make();
    const { model } = buildTask(setting.config([NORMED, 'model.freeze=[hidden, norm.weight]']));
    expect(model.getSubmodule('norm').training).toBe(true);
    expect(model.getSubmodule('norm')).toBeInstanceOf(nn.BatchNorm1d);
  });
});

describe('optimizer.param_groups', () => {
  it('have their own options; each parameter is in one group', async () => {
    const setting = await Setting.make();
    const { optimizer, model } = buildTask(setting.config([GROUPS]));
    const [rest, head] = optimizer.param_groups as Record<string, unknown>[];
    expect(rest).toMatchObject({ lr: 0.1, weight_decay: 0, momentum: 0.9 });
    expect(head).toMatchObject({ lr: 0.2, weight_decay: 0.1, momentum: 0.9 });
    const parameters = optimizer.param_groups.flatMap(({ params }) => params);
    expect(new Set(parameters)).toEqual(new Set(model.parameters()));
    expect(head!.param_names).toEqual(['out.weight', 'out.bias']);
  });

  it('are followed by a schedule, each from its own rate, and recorded', async () => {
    const setting = await Setting.make();
    const named = GROUPS.replace('{ params', '{ name: head, params');
    const scheduler = 'scheduler={ type: StepLR, step_size: 1, gamma: 0.5 }';
    const { summary } = await setting.train({ overrides: [named, scheduler, 'trainer.epochs=2'] });
    const records = (await recordsOf(summary.directory)) as Record<string, number>[];
    expect(records.map(({ epoch, lr, lr_head }) => [epoch, lr, lr_head])).toEqual([
      ...Array.from({ length: 4 }, () => [1, 0.1, 0.2]),
      ...Array.from({ length: 4 }, () => [2, 0.05, 0.1]),
    ]);
  });

  it.each([
    ['{ params: "outt.*" }', 'optimizer.param_groups[0].params', 'did you mean "out"?'],
    ['{ params: out }, { params: "*.bias" }', 'param_groups[1].params', 'out.bias is in group 0'],
    ['{ params: ["*", "!*"] }', 'param_groups[0].params', 'leave no parameter'],
    ['{ params: out, momentun: 1 }', 'param_groups[0]: unknown', 'did you mean "momentum"?'],
    ['{ params: out, lr: fast }', 'param_groups[0].lr', 'expected a number'],
    ['{ lr: 1 }', 'param_groups[0]', 'params'],
  ])('%s is pointed at', async (groups, path, message) => {
    const setting = await Setting.make();
    const build = () => buildTask(setting.config([`optimizer.param_groups=[${groups}]`]));
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(path);
    expect(build).toThrow(message);
  });

  it.each([
    ['{ type: LBFGS, param_groups: [{ params: out }] }', 'there can be only one parameter group'],
    ['{ type: LBFGS, param_groups: [{ params: "*" }] }', 'LBFGS asks for the loss several times'],
    ['LBFGS', 'LBFGS asks for the loss several times a step, which a run does not'],
  ])('of %s are refused, as it is', async (optimizer, message) => {
    const setting = await Setting.make();
    const build = () => buildTask(setting.config([`optimizer=${optimizer}`]));
    expect(build).toThrow(ConfigError);
    expect(build).toThrow(`optimizer: `);
    expect(build).toThrow(message);
  });

  it('know no frozen parameter', async () => {
    const setting = await Setting.make();
    const build = () => buildTask(setting.config(['model.freeze=out', GROUPS]));
    expect(build).toThrow('"out.*" matches no parameter that is trained');
  });
});

describe('a run with all of it', () => {
  it.each(['SGD', 'AdamW'])('goes on exactly (%s)', async (type) => {
    const { setting, file } = await pretrained();
    const groups =
      '[{ params: "out.weight", lr: 0.02 }, { params: "out.bias", weight_decay: 0.1 }]';
    const overrides = [
      `model.weights={ file: ${file}, exclude: out.bias }`,
      'model.freeze=hidden.weight',
      `optimizer={ type: ${type}, lr: 0.01, param_groups: ${groups} }`,
      'scheduler={ type: ExponentialLR, gamma: 0.9 }',
      'trainer.ema.decay=0.9',
    ];
    const straight = await setting.train({ overrides });
    const stopped = await setting.train({ overrides, stopAt: { split: 'train', batch: 10 } });
    expect(stopped.summary.step).toBeGreaterThan(7);
    expect(stopped.summary.step).toBeLessThan(21);
    const run = stopped.summary.directory;
    const rest = await setting.train({ overrides, resume: run });
    expect(rest.summary.step).toBe(21);
    const [a, b] = await Promise.all(
      [straight.summary.directory, run].map((path) => readCheckpoint(lastOf(path))),
    );
    expect(checkpointDifference(a!, b!)).toBeUndefined();
    expect(await bytesOf(lastOf(run))).toEqual(await bytesOf(lastOf(straight.summary.directory)));
    expect(await recordsOf(run)).toEqual(await recordsOf(straight.summary.directory));
  });
});
