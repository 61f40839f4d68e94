import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import YAML from 'yaml';
import { ConfigError, FileError } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { generatorState, manualSeed, models } from '../../src/index.ts';
import type { HostTensor } from '../../src/io/host-tensor.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/safetensors.ts';
import { toHost } from '../../src/io/tensors.ts';
import { readTorch } from '../../src/io/torch/read.ts';
import { type ImportRequest, importWeights } from '../../src/train/import.ts';
import { nearestType, zooModel, zooTypes } from '../../src/train/weights/zoo.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';
import { Setting } from './setting.ts';

const TORCH = 'test/fixtures/torch-files';

const zeros = (...shape: number[]): HostTensor => ({
  ...{ dtype: 'float32', shape },
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)),
});

/** The weights of a small model of the zoo, whose keys may have something in front. */
async function lenet(file: string, num_classes = 10, front = ''): Promise<Map<string, HostTensor>> {
  const state = await toHost(models.lenet5({ num_classes }).stateDict());
  const named = new Map([...state].map(([key, value]) => [`${front}${key}`, value]));
  await writeSafetensors(file, named, { origin: 'a test' });
  return state;
}

describe('importWeights', () => {
  it('says what a file holds, which model it is of, and what a config says', async () => {
    const file = join(await temporaryFolder(), 'lenet.safetensors');
    await lenet(file, 7, 'module.');
    manualSeed(3);
    const before = generatorState();
    const report = await importWeights({ file });
    expect(generatorState()).toEqual(before);
    expect(report).toMatchObject({
      ...{ file, kind: 'safetensors', path: [], metadata: { origin: 'a test' } },
      model: { name: 'lenet5', num_classes: 7, asked: false, nearest: false, fits: true },
    });
    expect(report.model).toMatchObject({ taken: 10, keys: 10, stripped: 'module.' });
    expect(report.tensors).toHaveLength(10);
    expect(report.tensors[0]).toEqual({ key: 'module.conv1.bias', dtype: 'float32', shape: [6] });
    expect(YAML.parse(report.model!.yaml!)).toEqual({
      model: { type: 'lenet5', num_classes: 7, weights: file },
    });
    expect(report.model!.yaml).not.toContain('\n');
  });

  it('says where in a checkpoint it found them', async () => {
    const report = await importWeights({ file: join(TORCH, 'checkpoint.pt') });
    expect(report).toMatchObject({ kind: 'torch', path: ['model'], model: undefined });
    expect(report.beside).toEqual(expect.arrayContaining(['epoch', 'optimizer']));
  });

  it('gives the part of a config by which it begins with other classes', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'lenet.safetensors');
    await lenet(file);
    const { model } = await importWeights({ file, num_classes: 3 });
    expect(model).toMatchObject({ name: 'lenet5', num_classes: 3, nearest: false, fits: false });
    expect(model!.refusal).toMatch(/fc3\.weight has shape \(10, 84\), needs \(3, 84\)/);
    expect(YAML.parse(model!.yaml!).model).toEqual({
      ...{ type: 'lenet5', num_classes: 3, weights: { file, exclude: ['fc3.*'] } },
    });
    // The config trains: the same check as before a training.
    const config = join(folder, 'fine.yaml');
    writeFileSync(
      config,
      `
data: { train: { type: FakeData, size: 4, image_size: [1, 32, 32], num_classes: 3 }, batch_size: 2 }
${model!.yaml}
loss: CrossEntropyLoss
optimizer: { type: SGD, lr: 0.1 }
trainer: { epochs: 1 }
`,
    );
    const named = await importWeights({ file, model: loadConfig(config), exclude: ['fc3'] });
    expect(named.model).toMatchObject({ name: config, fits: true, taken: 8, keys: 10 });
    expect(YAML.parse(named.model!.yaml!)).toEqual({ weights: { file, exclude: ['fc3'] } });
    const whole = await importWeights({ file, model: loadConfig(config) });
    expect(whole.model).toMatchObject({ asked: true, fits: false });
  });

  it('names the nearest model where none has these keys, or none at all', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'a.safetensors');
    const state = await lenet(file);
    state.delete('fc3.bias');
    state.set('extra', zeros(2));
    await writeSafetensors(file, state);
    const { model } = await importWeights({ file });
    expect(model).toMatchObject({ name: 'lenet5', nearest: true, fits: false });
    expect(model!.refusal).toMatch(
      /fc3\.bias is missing\n {2}extra is unexpected\n {2}To go on: strict/,
    );
    expect(YAML.parse(model!.yaml!).model.weights).toEqual({ file, strict: false });
    await writeSafetensors(file, new Map([['w', zeros(2)]]));
    expect((await importWeights({ file })).model).toBeUndefined();
    const other = await importWeights({ file, model: 'lenet5' });
    expect(other.model).toMatchObject({ fits: false, taken: 0, yaml: undefined });
    expect(other.model!.refusal).toMatch(
      /has nothing that fits: .* such as conv1\.\w+, .* such as w/,
    );
  });

  it("writes the model's keys, in either format", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'a.safetensors');
    const state = await lenet(file, 10, 'net.module.');
    const out = (name: string, format: 'safetensors' | 'pt' = 'safetensors') =>
      ({ file: join(folder, name), format }) as const;
    const { written } = await importWeights({ file, prefix: 'net.', out: out('b.pt', 'pt') });
    expect(written).toMatchObject({ ...out('b.pt', 'pt'), tensors: 10 });
    expect(await readTorch(join(folder, 'b.pt'))).toEqual(state);
    await importWeights({
      ...{ file, prefix: 'net.', exclude: 'fc3', out: out('c.safetensors') },
    });
    const part = await readSafetensors(join(folder, 'c.safetensors'));
    expect([...part.tensors.keys()].sort()).toEqual(
      [...state.keys()].filter((key) => !key.startsWith('fc3')).sort(),
    );
    expect(part.metadata).toMatchObject({ format: 'pt', origin: 'a test' });
  });

  it('renames where it knows no model', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'a.safetensors');
    await writeSafetensors(
      file,
      new Map([
        ['x.a', zeros(1)],
        ['x.b', zeros(2)],
        ['c', zeros(3)],
      ]),
    );
    const out = { file: join(folder, 'b.safetensors'), format: 'safetensors' } as const;
    const options = { file, out, prefix: 'x.', rename: { a: 'z' }, exclude: 'b' };
    expect((await importWeights(options)).written).toMatchObject({ tensors: 1 });
    expect([...(await readSafetensors(out.file)).tensors.keys()]).toEqual(['z']);
  });

  it('reads the folder of a checkpoint, and an index', async () => {
    const setting = await Setting.make();
    const overrides = ['trainer.ema={decay: 0.9}', 'trainer.epochs=1'];
    await setting.train({ overrides });
    const run = join(setting.out, 'shades', '1');
    const report = await importWeights({
      file: join(run, 'checkpoints', 'last'),
      model: setting.config(overrides),
    });
    expect(report).toMatchObject({ kind: 'checkpoint', path: ['ema.safetensors'] });
    expect(report.model).toMatchObject({ fits: true, taken: 4 });
    const weights = join(setting.folder, 'part.safetensors');
    await writeSafetensors(weights, new Map([['w', zeros(2)]]));
    const index = join(setting.folder, 'model.safetensors.index.json');
    writeFileSync(index, JSON.stringify({ weight_map: { w: 'part.safetensors' } }));
    expect(await importWeights({ file: index })).toMatchObject({ kind: 'index' });
    await expect(importWeights({ file: run })).rejects.toThrow(/its best weights are in .*best$/);
  });

  it.each([
    ['refused-evil.pt', /it asks for posix\.system, which is no part of plain weights/],
    ['refused-evil-legacy.pt', /it asks for posix\.system/],
    ['refused-bomb.pt', /its tensors have 671088640 elements, of 4 bytes in the file/],
    ['refused-script.pt', /is a TorchScript program, which is not run/],
    ['refused-complex.pt', /./],
  ])('refuses %s in one line', async (name, message) => {
    const error = await importWeights({ file: join(TORCH, name) }).catch((e: Error) => e);
    expect(error).toBeInstanceOf(FileError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain('\n');
    expect(existsSync('/tmp/torchts-was-here')).toBe(false);
  });

  it('refuses what is no file of weights, or damaged', async () => {
    const folder = await temporaryFolder();
    const at = (name: string) => join(folder, name);
    writeFileSync(at('text.pt'), 'hello, this is no model');
    writeFileSync(at('empty.bin'), '');
    mkdirSync(at('folder'));
    writeFileSync(at('short.pth'), readFileSync(join(TORCH, 'module.pth')).subarray(0, 900));
    for (const [name, message] of [
      ['gone.pt', /the file of weights .*gone\.pt does not exist/],
      ['folder', /folder is a folder, and no checkpoint/],
      ['text.pt', /text\.pt holds no weights: it is no safetensors, nor a file of torch\.save/],
      ['empty.bin', /empty\.bin holds no weights/],
      ['short.pth', /cannot read .*short\.pth/],
    ] as const) {
      const reading = importWeights({ file: at(name) });
      await expect(reading).rejects.toThrow(message);
      await expect(reading).rejects.toBeInstanceOf(FileError);
    }
  });

  it('refuses options that fit nothing, and writes nothing that does not fit', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'a.safetensors');
    await lenet(file);
    const out = { file: join(folder, 'b.pt'), format: 'pt' } as const;
    const refused = async (
      options: Partial<ImportRequest>,
      type: typeof ConfigError | typeof FileError,
      message: RegExp,
    ) => {
      const importing = importWeights({ file, out, ...options });
      await expect(importing).rejects.toThrow(message);
      await expect(importing).rejects.toBeInstanceOf(type);
      expect(existsSync(out.file)).toBe(false);
    };
    await refused({ model: 'lenet' }, ConfigError, /--model lenet is no .*did you mean "lenet5"\?/);
    await refused({ model: 'xyzzyxyzzy' }, ConfigError, /docs\/models\.md lists them/);
    await refused({ model: 'GPT' }, ConfigError, /GPT has no weights without arguments/);
    await refused(
      { model: 'resnet18' },
      FileError,
      /does not fit the model:[\s\S]*Nothing was written/,
    );
    await refused({ exclude: 'fx' }, ConfigError, /exclude: "fx" matches no key/);
    await refused({ prefix: 'fc', exclude: '*' }, FileError, /has no tensor that is left/);
    const rename = { 'conv1.bias': 'w', 'conv2.bias': 'w' };
    await refused({ rename }, ConfigError, /conv1\.bias and conv2\.bias would both be w/);
    await refused({ out: { ...out, file: file } }, ConfigError, /is there already; --force/);
    const config = (await Setting.make()).config();
    await refused({ model: config, num_classes: 3 }, ConfigError, /the config has its own/);
  });
});

describe('the zoo', () => {
  it('knows every type by its keys, without computing a weight', () => {
    const types = zooTypes();
    expect(types).toEqual(expect.arrayContaining(['resnet18', 'vit_b_16', 'lenet5']));
    expect(types).not.toContain('Linear');
    const before = process.memoryUsage().rss;
    for (const type of ['resnet50', 'vgg11_bn', 'squeezenet1_1', 'vit_h_14', 'inception_v3']) {
      expect(nearestType(zooModel(type, 10).stateDict(), {})?.type).toBe(type);
    }
    // The weights of vit_h_14 alone take 2.5 GB.
    expect(process.memoryUsage().rss - before).toBeLessThan(1e9);
  });
});
