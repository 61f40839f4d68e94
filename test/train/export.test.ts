import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as ort from 'onnxruntime-web/wasm';
import { describe, expect, it } from 'vitest';
import { ConfigError, FileError } from '../../src/base/errors.ts';
import { version } from '../../src/base/version.ts';
import { loadConfig } from '../../src/config/load.ts';
import { load, noGrad, tensor } from '../../src/index.ts';
import { readSafetensors } from '../../src/io/safetensors.ts';
import { readTorch } from '../../src/io/torch/read.ts';
import { restoreWeights } from '../../src/train/checkpoint/snapshot.ts';
import { type ExportRequest, exportModel } from '../../src/train/export.ts';
import { buildTask } from '../../src/train/task/task.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';
import { hashed } from '../models/hashed.ts';
import { Setting } from './setting.ts';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

const CONV = [
  'trainer.ema={decay: 0.9}',
  'trainer.epochs=2',
  'model.layers=[{type: Conv2d, name: conv, out_channels: 4, kernel_size: 3}, ' +
    '{type: BatchNorm2d, name: norm}, ReLU, Flatten, {type: Dropout, p: 0.5}, ' +
    '{type: Linear, name: fc, out_features: 3}]',
];

/** A trained run with an average of its weights, and what exports it. */
async function trained() {
  const setting = await Setting.make();
  await setting.train({ overrides: CONV });
  const loaded = setting.config(CONV);
  const checkpoint = join(setting.out, 'shades', '1', 'checkpoints', 'last');
  const file = (name: string) => join(setting.folder, name);
  const exported = (name: string, options: Partial<ExportRequest> = {}) =>
    exportModel({ loaded, checkpoint, file: file(name), format: 'safetensors', ...options });
  return { loaded, checkpoint, file, exported };
}

describe('exportModel', () => {
  it('writes the weights that are measured, for safetensors and for PyTorch', async () => {
    const { checkpoint, file, exported } = await trained();
    const average = await readSafetensors(join(checkpoint, 'ema.safetensors'));
    const result = await exported('a.safetensors');
    const read = await readSafetensors(file('a.safetensors'));
    expect(read.tensors).toEqual(average.tensors);
    expect(read.metadata).toMatchObject({
      ...{ format: 'pt', torchts: version(), name: 'shades' },
      classes: '["dark","mixed","bright"]',
    });
    expect(JSON.parse(read.metadata.model!)).toMatchObject({ type: 'Sequential' });
    expect(result).toEqual({
      ...{ file: file('a.safetensors'), format: 'safetensors' },
      bytes: (await stat(file('a.safetensors'))).size,
      ...{ tensors: 9, parameters: 4 * 9 + 4 + 8 + 4 * 4 * 3 + 3 },
      weights: { checkpoint, step: 14, ema: true },
      input: { dtype: 'float32', shape: [1, 4, 4] },
    });
    await exported('a.pt', { format: 'pt' });
    expect(await readTorch(file('a.pt'))).toEqual(average.tensors);
    const plain = await exported('b.pt', { format: 'pt', trained: true });
    expect(plain.weights).toMatchObject({ ema: false });
    const { tensors } = await readSafetensors(join(checkpoint, 'model.safetensors'));
    expect(await readTorch(file('b.pt'))).toEqual(tensors);
  });

  it('writes ONNX that computes the same for any number of samples', async () => {
    const { loaded, checkpoint, file, exported } = await trained();
    const { bytes } = await exported('a.onnx', { format: 'onnx', opset_version: 20 });
    const contents = await readFile(file('a.onnx'));
    expect(contents.length).toBe(bytes);
    for (const key of ['classes', 'torchts', 'model']) expect(contents.includes(key)).toBe(true);
    const task = buildTask(loaded);
    await restoreWeights(task, checkpoint);
    task.model.eval();
    const session = await ort.InferenceSession.create(contents);
    for (const batch of [1, 5]) {
      const values = Float32Array.from(hashed(batch * 16, batch));
      const shape = [batch, 1, 4, 4];
      const given = noGrad(() => task.model.call(tensor(values, { shape })).dataSync());
      const { output } = await session.run({ input: new ort.Tensor('float32', values, shape) });
      expect(output!.dims).toEqual([batch, 3]);
      const difference = [...given].map((x, i) => Math.abs(Number(x) - Number(output!.data[i])));
      expect(Math.max(...difference)).toBeLessThan(1e-4);
    }
    await session.release();
    await exported('b.onnx', { format: 'onnx', batch: 2 });
    const fixed = await ort.InferenceSession.create(await readFile(file('b.onnx')));
    const odd = new ort.Tensor('float32', new Float32Array(16), [1, 1, 4, 4]);
    await expect(fixed.run({ input: odd })).rejects.toThrow(/invalid dimensions/i);
    await fixed.release();
  });

  it('says how images and rows become inputs, as files that are predicted do', async () => {
    const folder = await temporaryFolder();
    const rest = { loss: 'CrossEntropyLoss', optimizer: { type: 'SGD', lr: 0.1 } };
    const metadataOf = async (name: string, data: object) => {
      const model = {
        type: 'Sequential',
        layers: ['Flatten', { type: 'Linear', out_features: 10 }],
      };
      const config = join(folder, `${name}.yaml`);
      writeFileSync(config, JSON.stringify({ data, model, ...rest, trainer: { epochs: 1 } }));
      const loaded = loadConfig(config);
      const file = join(folder, `${name}.safetensors`);
      const result = await exportModel({
        loaded,
        checkpoint: undefined,
        file,
        format: 'safetensors',
      });
      expect(result.weights).toEqual({ initial: true });
      const {
        torchts,
        name: _,
        format,
        model: spec,
        ...metadata
      } = (await readSafetensors(file)).metadata as Record<string, string>;
      return Object.fromEntries(
        Object.entries(metadata).map(([key, text]) => [key, JSON.parse(text)]),
      );
    };
    const normalize = { type: 'Normalize', mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] };
    const train = { type: 'CIFAR10', root: 'datasets/cifar10-subset' };
    const crop = { type: 'RandomCrop', size: 32, padding: 4 };
    const images = await metadataOf('images', {
      train: { ...train, transforms: [crop, 'ToTensor', normalize] },
      batch_size: 2,
    });
    expect(images).toMatchObject({ mean: [0.5, 0.4, 0.3], std: [0.2, 0.25, 0.3] });
    expect(images.classes).toHaveLength(10);
    expect(images.transforms.map(({ type }: { type: string }) => type)).toEqual([
      ...['Resize', 'ToTensor', 'Normalize'],
    ]);
    const table = join(folder, 'rows.csv');
    writeFileSync(table, 'size,kind,price\n1,a,3\n3,b,4\n');
    const options = { path: table, target: 'price', split: 'all' };
    const rows = await metadataOf('rows', {
      train: {
        ...{ type: 'CSVDataset', ...options, task: 'classification' },
        transforms: ['StandardScaler', 'OneHotEncoder'],
      },
      batch_size: 2,
    });
    expect(rows.columns).toEqual(['size', 'kind']);
    expect(rows.transforms).toMatchObject([
      { type: 'StandardScaler', learned: { size: { mean: 2, scale: 1 } } },
      { type: 'OneHotEncoder', learned: { kind: { categories: ['a', 'b'] } } },
    ]);
  });

  it('gives the weights that training would begin with where there is no run', async () => {
    const { file, loaded, exported } = await trained();
    await exported('a.safetensors');
    const initial = { checkpoint: undefined, format: 'pt' } as const;
    await exported('initial.pt', initial);
    const weights = buildTask(loaded).model.stateDict();
    expect((await load(file('initial.pt'))).get('fc.weight')!.tolist()).toEqual(
      weights.get('fc.weight')!.tolist(),
    );
    const setting = loadConfig(loaded.file, {
      overrides: [...CONV, `model.weights=${file('a.safetensors')}`],
    });
    const result = await exported('started.pt', { ...initial, loaded: setting });
    expect(result.weights).toEqual({ file: file('a.safetensors') });
    const { tensors } = await readSafetensors(file('a.safetensors'));
    expect(await readTorch(file('started.pt'))).toEqual(tensors);
  });

  it('replaces a file only by force, and finds out before it computes anything', async () => {
    const { loaded, checkpoint, file, exported } = await trained();
    mkdirSync(file('folder.pt'));
    writeFileSync(file('a.pt'), 'kept');
    const names = readdirSync(join(file('a.pt'), '..'));
    for (const [name, message] of [
      ['a.pt', 'a.pt is there already; --force replaces it'],
      ['folder.pt', 'folder.pt is a folder; name a file in it'],
      ['nowhere/a.pt', /cannot write .*: there is no folder .*nowhere/],
    ] as const) {
      const request = { loaded, checkpoint: 'no such', file: file(name), format: 'pt' } as const;
      await expect(exportModel(request)).rejects.toThrow(message);
      await expect(exportModel(request)).rejects.toBeInstanceOf(ConfigError);
    }
    await expect(exported('new.pt', { checkpoint: join(checkpoint, '..') })).rejects.toThrow(
      /cannot read .*state\.json: there is no such file/,
    );
    expect(readdirSync(join(file('a.pt'), '..'))).toEqual(names);
    expect(await readFile(file('a.pt'), 'utf8')).toBe('kept');
    await exported('a.pt', { format: 'pt', force: true });
    expect(await readTorch(file('a.pt'))).toBeInstanceOf(Map);
  });

  it('refuses a checkpoint of another model, and a model that ONNX cannot express', async () => {
    const { loaded, file, exported } = await trained();
    const other = loadConfig(loaded.file, { overrides: [] });
    const misfit = exported('a.pt', { loaded: other, format: 'pt' });
    await expect(misfit).rejects.toThrow(/does not fit the model of the config: .*hidden\.weight/);
    await expect(misfit).rejects.toBeInstanceOf(FileError);
    const layers = '{type: FractionalMaxPool2d, name: pool, kernel_size: 2, output_size: 2}';
    const pooled = loadConfig(loaded.file, {
      overrides: [`model.layers=[${layers}, Flatten, {type: Linear, out_features: 3}]`],
    });
    await expect(
      exported('a.onnx', { loaded: pooled, checkpoint: undefined, format: 'onnx' }),
    ).rejects.toThrow(/^\[onnx\] .* \(at pool\)$/);
    expect(existsSync(file('a.onnx'))).toBe(false);
  });
});
