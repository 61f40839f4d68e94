import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PbfReader } from 'pbf';
import { PNG } from 'pngjs';
import { describe, expect, it } from 'vitest';
import { ArgumentError, FileError } from '../../../src/base/errors.ts';
import { SummaryWriter } from '../../../src/io/tensorboard/summary-writer.ts';
import * as nn from '../../../src/nn/index.ts';
import { zeros } from '../../../src/ops/creation.ts';
import { tensor } from '../../../src/ops/host-data.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { crc32c, fields, message, readEvents, readFolder, scalarsOf } from './event-reader.ts';

describe('the reader of these tests', () => {
  it('has the checksum of RFC 3720, appendix B.4', () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  });

  it('finds a flipped bit', async () => {
    const log_dir = await temporaryFolder();
    new SummaryWriter({ log_dir }).addScalar('loss', 1, 1);
    const [name] = await readdir(log_dir);
    const bytes = await readFile(join(log_dir, name!));
    bytes[bytes.length - 6]! ^= 1;
    expect(() => readEvents(bytes)).toThrow('checksum');
  });
});

describe('SummaryWriter', () => {
  it('writes scalars with their steps and times', async () => {
    const log_dir = await temporaryFolder();
    using writer = new SummaryWriter({ log_dir });
    writer.addScalar('loss/train', 0.5, 3, 1234.25);
    writer.addScalar('loss/train', Number.NaN, 2 ** 40);
    const [version, first, second] = await readFolder(log_dir);
    expect(version).toMatchObject({ file_version: 'brain.Event:2', values: [] });
    expect(first).toMatchObject({ wall_time: 1234.25, step: 3 });
    expect(first!.values).toEqual([{ tag: 'loss/train', simple_value: 0.5 }]);
    expect(second!.step).toBe(2 ** 40);
    expect(second!.values[0]!.simple_value).toBeNaN();
    expect(second!.wall_time).toBeCloseTo(Date.now() / 1000, -2);
  });

  it('goes on in a new file that purges what is written anew', async () => {
    const log_dir = await temporaryFolder();
    const before = new SummaryWriter({ log_dir });
    for (const step of [1, 2, 3]) before.addScalar('loss', step, step);
    before.close();
    using after = new SummaryWriter({ log_dir, purge_step: 3 });
    after.addScalar('loss', 30, 3);
    expect(await readdir(log_dir)).toHaveLength(2);
    expect(scalarsOf(await readFolder(log_dir)).loss).toEqual([
      [1, 1],
      [2, 2],
      [3, 30],
    ]);
  });

  it('is read up to a last record that was cut off', async () => {
    const log_dir = await temporaryFolder();
    using writer = new SummaryWriter({ log_dir });
    writer.addScalar('loss', 1, 1);
    const [name] = await readdir(log_dir);
    const whole = await readFile(join(log_dir, name!));
    await appendFile(join(log_dir, name!), whole.subarray(0, 20));
    expect(scalarsOf(await readFolder(log_dir))).toEqual({ loss: [[1, 1]] });
  });

  it('counts the elements of a tensor in buckets', async () => {
    const log_dir = await temporaryFolder();
    using writer = new SummaryWriter({ log_dir });
    const values = [-1, 0, 0.5, 0.5, 2, Number.NaN, Number.POSITIVE_INFINITY];
    await writer.addHistogram('weight', tensor(values), 7);
    const { histo } = (await readFolder(log_dir))[1]!.values[0]!;
    expect(histo).toMatchObject({ min: -1, max: 2, num: 5, sum: 2, sum_squares: 5.5 });
    const { bucket, bucket_limit } = histo!;
    const countBelow = (limit: number) =>
      bucket.reduce((sum, n, i) => sum + (bucket_limit[i]! <= limit ? n : 0), 0);
    expect([countBelow(-1.1), countBelow(-0.9), countBelow(0.49), countBelow(0.6)]).toEqual([
      0, 1, 2, 4,
    ]);
    expect(bucket[0]).toBe(0);
    expect(bucket.at(-1)).toBe(1);
    expect([...bucket_limit].sort((a, b) => a - b)).toEqual(bucket_limit);
    await expect(writer.addHistogram('none', tensor([Number.NaN]))).rejects.toThrow(ArgumentError);
  });

  it('writes images as PNG, in grids of eight a row', async () => {
    const log_dir = await temporaryFolder();
    using writer = new SummaryWriter({ log_dir });
    const image = tensor([0, 51, 102, 255], { dtype: 'uint8', shape: [2, 2] });
    await writer.addImage('grey', image, 1, { dataformats: 'HW' });
    const red = tensor([1, 0, 0.5], { shape: [3, 1, 1] });
    await writer.addImage('red', red, 1);
    await writer.addImages('grid', zeros([9, 3, 2, 4]), 1);
    const [grey, colour, grid] = (await readFolder(log_dir)).slice(1).map((e) => e.values[0]!);
    expect(grey!.image).toMatchObject({ height: 2, width: 2, colorspace: 3 });
    const pixels = PNG.sync.read(grey!.image!.png).data;
    expect([0, 4, 8, 12].map((at) => [...pixels.subarray(at, at + 4)])).toEqual([
      [0, 0, 0, 255],
      [51, 51, 51, 255],
      [102, 102, 102, 255],
      [255, 255, 255, 255],
    ]);
    expect([...PNG.sync.read(colour!.image!.png).data]).toEqual([255, 0, 127, 255]);
    expect(grid!.image).toMatchObject({ height: 4, width: 32 });
    await expect(writer.addImage('wrong', image)).rejects.toThrow('(2, 2) is not an image of CHW');
  });

  it('writes text, a session of hyperparameters and charts of several lines', async () => {
    const log_dir = await temporaryFolder();
    using writer = new SummaryWriter({ log_dir });
    writer.addText('config', 'lr: **0.1**');
    writer.addHparams({ lr: 0.1, model: 'mlp', bias: true }, { accuracy: 0.9 }, { run_name: 'a' });
    writer.addScalars('loss', { train: 1, val: 2 }, 5);
    expect((await readFolder(log_dir))[1]!.values).toEqual([
      { tag: 'config/text_summary', plugin: 'text', text: ['lr: **0.1**'] },
    ]);
    const session = await readFolder(join(log_dir, 'a'));
    expect(session.flatMap(({ values }) => values.map(({ tag }) => tag))).toEqual([
      '_hparams_/experiment',
      '_hparams_/session_start_info',
      '_hparams_/session_end_info',
      'accuracy',
    ]);
    expect(hparamsIn(session[2]!.values[0]!.content!)).toEqual({
      lr: 0.1,
      model: 'mlp',
      bias: true,
    });
    expect(scalarsOf(await readFolder(join(log_dir, 'loss_val')))).toEqual({ loss: [[5, 2]] });
    expect(() => writer.addHparams({ lr: null as never }, {})).toThrow(ArgumentError);
  });

  it('draws a model as boxes by module, whose edges lead to nodes', async () => {
    const log_dir = await temporaryFolder();
    using writer = new SummaryWriter({ log_dir });
    const model = new nn.Sequential([
      new nn.Linear({ in_features: 4, out_features: 8 }),
      new nn.ReLU(),
      new nn.Linear({ in_features: 8, out_features: 2 }),
    ]);
    writer.addGraph(model, zeros([1, 4]));
    const nodes = graphIn((await readFolder(log_dir))[1]!.graph_def!);
    const names = nodes.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['input/0', '0/weight', '2/bias', 'output/0']));
    expect(new Set(names).size).toBe(names.length);
    for (const { inputs } of nodes) {
      for (const input of inputs) expect(names).toContain(input.split(':')[0]);
    }
    expect(nodes.some(({ name }) => name.startsWith('1/'))).toBe(true);
    expect(model.training).toBe(true);
  });

  it('says which folder cannot be written', async () => {
    const log_dir = join('/dev/null', 'runs');
    expect(() => new SummaryWriter({ log_dir })).toThrow(FileError);
    const closed = new SummaryWriter({ log_dir: await temporaryFolder() });
    closed.close();
    expect(() => closed.addScalar('loss', 1)).toThrow('closed');
  });
});

/** The values of HParamsPluginData.session_start_info. */
function hparamsIn(content: Uint8Array): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  fields(new PbfReader(content), (field, data) => {
    if (field !== 3) return;
    message(data, (at, start) => {
      if (at !== 1) return;
      let key = '';
      message(start, (part, entry) => {
        if (part === 1) key = entry.readString();
        if (part !== 2) return;
        message(entry, (kind, value) => {
          if (kind === 2) found[key] = value.readDouble();
          if (kind === 3) found[key] = value.readString();
          if (kind === 4) found[key] = value.readBoolean();
        });
      });
    });
  });
  return found;
}

function graphIn(content: Uint8Array): { name: string; inputs: string[] }[] {
  const nodes: { name: string; inputs: string[] }[] = [];
  fields(new PbfReader(content), (field, graph) => {
    if (field !== 1) return;
    const node = { name: '', inputs: [] as string[] };
    message(graph, (at, data) => {
      if (at === 1) node.name = data.readString();
      if (at === 3) node.inputs.push(data.readString());
    });
    nodes.push(node);
  });
  return nodes;
}
