import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { registries } from './registries.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'torchts-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const GOOD = `\
data:
  train: { type: CIFAR10, root: datasets, split: train, transforms: [ToTensor] }
  batch_size: 4
model:
  type: Sequential
  layers:
    - { type: Conv2d, out_channels: 6, kernel_size: 5 }
    - ReLU
    - { type: Linear, out_features: 10 }
loss: CrossEntropyLoss
optimizer: { type: SGD, lr: 0.001 }
trainer: { epochs: 2 }
`;

function write(name: string, text: string | Uint8Array): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

const load = (file: string, overrides: string[] = []) =>
  loadConfig(file, { overrides, registries });

function loadText(text: string | Uint8Array, overrides: string[] = []) {
  return load(write('config.yaml', text), overrides);
}

/** The message of the ConfigError, with the test's own folder cut off. */
function faults(body: () => unknown): string {
  try {
    body();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(`${folder}/`, '');
  }
  throw new Error('expected a ConfigError');
}

/** The lines that say what is wrong, without the source lines and carets. */
function heads(body: () => unknown): string[] {
  return faults(body)
    .split('\n')
    .filter((line) => !line.startsWith('    '));
}

describe('loadConfig', () => {
  it('fills in defaults and names the run after the file', () => {
    const { config } = load(write('small-net.yaml', GOOD));
    expect(config).toMatchObject({
      name: 'small-net',
      seed: 0,
      device: 'auto',
      precision: 'float32',
      data: { batch_size: 4, shuffle: true, drop_last: false },
      loss: { type: 'CrossEntropyLoss', label_smoothing: 0 },
      trainer: { epochs: 2, log_every: 50, eval_every: 1, keep: 2 },
    });
    expect(config.model).toMatchObject({ layers: [{ kernel_size: 5, bias: true }, {}, {}] });
  });

  it('gives a resolved text that loads to the same config', () => {
    const first = load(write('first.yaml', GOOD), ['seed=7']);
    const second = loadText(first.text);
    expect(second.config).toEqual(first.config);
    expect(second.text).toBe(first.text);
  });

  it('writes repeated values out in the resolved text', () => {
    const text = `${GOOD}  \n`.replace(
      'transforms: [ToTensor] }',
      'transforms: [ToTensor] }\n  val: *t',
    );
    const { text: resolved } = loadText(text.replace('train: {', 'train: &t {'));
    expect(resolved).not.toContain('*');
    expect(loadText(resolved).config.data.val).toEqual(loadText(resolved).config.data.train);
  });

  it('tells where a value stands', () => {
    const loaded = loadText(GOOD, ['optimizer.lr=0.5']);
    expect(loaded.locate(['model', 'layers', 2, 'out_features'])).toEqual({
      file: path.join(folder, 'config.yaml'),
      line: 9,
      column: 37,
    });
    expect(loaded.locate(['optimizer', 'lr'])).toEqual({ file: undefined, line: 1, column: 14 });
    expect(
      faults(() => {
        throw loaded.error(['model', 'layers', 1], 'does not fit');
      }),
    ).toBe('config.yaml:8:7 model.layers[1]: does not fit\n        - ReLU\n          ^');
  });

  it('reads numbers as YAML 1.2 does', () => {
    const lr = (text: string) => loadText(GOOD.replace('0.001', text)).config.optimizer.lr;
    expect(lr('1e-3')).toBe(0.001);
    expect(lr('1E-3')).toBe(0.001);
    expect(lr('.5')).toBe(0.5);
    expect(lr('0x10')).toBe(16);
    expect(lr('010')).toBe(10);
  });
});

/** [what to change in GOOD, what it becomes, the faults]. */
const WRONG: [from: string, to: string, faults: string[]][] = [
  [
    'out_channels: 6',
    'out_channels: ten',
    ['config.yaml:7:37 model.layers[0].out_channels: expected a positive integer, got "ten"'],
  ],
  [
    'out_channels: 6',
    'out_channels: 0',
    ['config.yaml:7:37 model.layers[0].out_channels: expected a positive integer, got 0'],
  ],
  [
    'out_channels: 6',
    'out_channels: 1e300',
    ['config.yaml:7:37 model.layers[0].out_channels: expected an integer below 2^53, got 1e+300'],
  ],
  [
    'out_channels: 6',
    'out_chanels: 6',
    [
      'config.yaml:7:7 model.layers[0].out_channels: missing; expected a positive integer',
      'config.yaml:7:23 model.layers[0]: unknown key "out_chanels"; did you mean "out_channels"?',
    ],
  ],
  [
    'out_channels: 6',
    'out_channels: 6, bias: yes',
    ['config.yaml:7:46 model.layers[0].bias: expected true or false, got "yes"'],
  ],
  [
    'out_channels: 6',
    'out_channels: 6, padding_mode: zero',
    [
      'config.yaml:7:54 model.layers[0].padding_mode: expected one of zeros, reflect (did you mean "zeros"?), got "zero"',
    ],
  ],
  [
    'kernel_size: 5',
    'kernel_size: five',
    [
      'config.yaml:7:53 model.layers[0].kernel_size: expected a positive integer or a list of 2 positive integers, got "five"',
    ],
  ],
  [
    'kernel_size: 5',
    'kernel_size: [5, 5, 5]',
    [
      'config.yaml:7:53 model.layers[0].kernel_size: expected a positive integer or a list of 2 positive integers, got a list of 3',
    ],
  ],
  [
    'kernel_size: 5',
    'kernel_size: [5, x]',
    ['config.yaml:7:57 model.layers[0].kernel_size[1]: expected a positive integer, got "x"'],
  ],
  [
    'ReLU',
    'Relu',
    ['config.yaml:8:7 model.layers[1]: unknown module "Relu"; did you mean "ReLU"?'],
  ],
  [
    'ReLU',
    '[ReLU]',
    [
      'config.yaml:8:7 model.layers[1]: expected a module: a name, or an object with "type", got a list of 1',
    ],
  ],
  [
    'ReLU',
    '{ type: 3 }',
    ['config.yaml:8:15 model.layers[1].type: expected the name of a module, got 3'],
  ],
  [
    'ReLU',
    '{ tpye: Dropout }',
    ['config.yaml:8:9 model.layers[1]: unknown key "tpye"; did you mean "type"?'],
  ],
  [
    'ReLU',
    'Nothing',
    [
      'config.yaml:8:7 model.layers[1]: unknown module "Nothing"; known: Conv2d, Dropout, Flatten, Linear, MaxPool2d, ReLU, Sequential',
    ],
  ],
  [
    'ReLU',
    '{ type: Dropout, p: 1.5 }',
    ['config.yaml:8:27 model.layers[1].p: expected a number of at least 0 and at most 1, got 1.5'],
  ],
  [
    'ReLU',
    '{ type: Dropout, p: .nan }',
    ['config.yaml:8:27 model.layers[1].p: expected a finite number, got NaN'],
  ],
  [
    'CrossEntropyLoss',
    'CrossEntropy',
    ['config.yaml:10:7 loss: unknown loss "CrossEntropy"; did you mean "CrossEntropyLoss"?'],
  ],
  [
    'loss: CrossEntropyLoss\n',
    '',
    ['config.yaml:1:1 loss: missing; expected a loss: a name, or an object with "type"'],
  ],
  ['lr: 0.001', 'lr: -1', ['config.yaml:11:29 optimizer.lr: expected a positive number, got -1']],
  ['lr: 0.001', 'lr:', ['config.yaml:11:25 optimizer.lr: expected a positive number, got nothing']],
  [
    'lr: 0.001',
    'learning_rate: 0.1',
    [
      'config.yaml:11:1 optimizer.lr: missing; expected a positive number',
      'config.yaml:11:25 optimizer: unknown key "learning_rate"; known keys: lr, momentum',
    ],
  ],
  [
    'batch_size: 4',
    'batch_size: 4.5',
    ['config.yaml:3:15 data.batch_size: expected a positive integer, got 4.5'],
  ],
  [
    'batch_size: 4',
    'batch_sizes: 4\n  shufle: true',
    [
      'config.yaml:1:1 data.batch_size: missing; expected a positive integer',
      'config.yaml:3:3 data: unknown key "batch_sizes"; did you mean "batch_size"?',
      'config.yaml:4:3 data: unknown key "shufle"; did you mean "shuffle"?',
    ],
  ],
  [
    'split: train',
    'split: training',
    ['config.yaml:2:50 data.train.split: expected one of train, test, got "training"'],
  ],
  [
    '[ToTensor]',
    '[ToTensor, { type: Normalize, mean: [0.5], std: [0] }]',
    ['config.yaml:2:118 data.train.transforms[1].std[0]: expected a positive number, got 0'],
  ],
  [
    '[ToTensor]',
    'ToTensor',
    ['config.yaml:2:69 data.train.transforms: expected a list, got "ToTensor"'],
  ],
  [
    'root: datasets',
    'root: ""',
    ['config.yaml:2:33 data.train.root: expected at least 1 character, got ""'],
  ],
  [
    '{ epochs: 2 }',
    '{}',
    ['config.yaml:12:10 trainer: needs epochs, max_steps or both: nothing says when training ends'],
  ],
  ['{ epochs: 2 }', 'two', ['config.yaml:12:10 trainer: expected an object, got "two"']],
  [
    'loss:',
    'seed: -1\nloss:',
    ['config.yaml:10:7 seed: expected an integer of at least 0, got -1'],
  ],
  [
    'loss:',
    'device: cuda\nloss:',
    ['config.yaml:10:9 device: cuda is not part of this version; use auto or cpu'],
  ],
  [
    'loss:',
    'device: gpu\nloss:',
    ['config.yaml:10:9 device: expected one of auto, cpu (did you mean "cpu"?), got "gpu"'],
  ],
  [
    'loss:',
    'precision: float16\nloss:',
    [
      'config.yaml:10:12 precision: expected one of float32, bfloat16 (did you mean "bfloat16"?), got "float16"',
    ],
  ],
  [
    'loss:',
    'name: ../up\nloss:',
    [
      'config.yaml:10:7 name: expected a file name of letters, digits, ".", "_" and "-" (at most 100), got "../up"',
    ],
  ],
  [
    'loss:',
    'expect: { val_loss: { max: 2 } }\nloss:',
    ['config.yaml:10:11 expect.val_loss: there is no data.val to measure it on'],
  ],
  [
    'loss:',
    'expect: { train_loss: {}, seconds: { min: 2, max: 1 } }\nloss:',
    [
      'config.yaml:10:23 expect.train_loss: needs min, max or both',
      'config.yaml:10:36 expect.seconds: min is greater than max: no value fits',
    ],
  ],
  [
    'loss:',
    'expect: { accuracy: { min: 2 } }\nloss:',
    [
      'config.yaml:10:11 expect.accuracy: there is no metric "accuracy"; did you mean "train_accuracy"?',
    ],
  ],
  [
    'trainer: {',
    'trainer: { monitor: train_loss, early_stopping: { monitor: train_los },',
    [
      'config.yaml:12:21 trainer.monitor: best is chosen among evaluations, not by train_loss',
      'config.yaml:12:60 trainer.early_stopping.monitor: there is no metric "train_los"; did you mean "train_loss"?',
    ],
  ],
  [
    'loss:',
    'metrics: [Accuracy, { type: Accuracy, name: acc }, Accuracy, { type: Accuracy, name: lr }]\nloss:',
    [
      'config.yaml:10:52 metrics[2]: there is another metric "accuracy" already; give one of them a name',
      'config.yaml:10:62 metrics[3]: a record has another "lr" already; give it another name',
    ],
  ],
  [
    'loss:',
    'metrics: [Acuracy]\nexpect: { train_accuracy: { min: 1 } }\nloss:',
    ['config.yaml:10:11 metrics[0]: unknown metric "Acuracy"; did you mean "Accuracy"?'],
  ],
  [
    'loss:',
    'metrics: [ConfusionMatrix]\nexpect: { train_accuracy: { min: 1 } }\nloss:',
    [
      'config.yaml:11:11 expect.train_accuracy: there is no metric "train_accuracy"; known: train_loss, seconds',
    ],
  ],
];

describe('faults', () => {
  it.each(WRONG)('%s -> %s', (from, to, expected) => {
    expect(GOOD).toContain(from);
    expect(heads(() => loadText(GOOD.replace(from, to)))).toEqual(expected);
  });

  it('are shown with their line and a caret', () => {
    expect(faults(() => loadText(GOOD.replace('0.001', 'fast')))).toBe(
      [
        'config.yaml:11:29 optimizer.lr: expected a positive number, got "fast"',
        '    optimizer: { type: SGD, lr: fast }',
        '                                ^',
      ].join('\n'),
    );
  });

  it('are all reported at once, in the order of the text', () => {
    const text = GOOD.replace('ReLU', 'Relu').replace('batch_size: 4', 'batch_size: no');
    expect(heads(() => loadText(text.replace('0.001', 'x'), ['trainer.epochs=many']))).toEqual([
      'config.yaml:3:15 data.batch_size: expected a positive integer, got "no"',
      'config.yaml:8:7 model.layers[1]: unknown module "Relu"; did you mean "ReLU"?',
      'config.yaml:11:29 optimizer.lr: expected a positive number, got "x"',
      'command line trainer.epochs: expected a positive integer, got "many"',
    ]);
  });

  it('cut a long line around the place and print no control characters', () => {
    const long = `optimizer: { type: SGD, note: "${'x'.repeat(300)}\u001b[2J", lr: bad }`;
    const [, source, caret] = faults(() =>
      loadText(GOOD.replace('optimizer: { type: SGD, lr: 0.001 }', long)),
    )
      .split('\n')
      .slice(-3);
    expect(source!.length).toBeLessThanOrEqual(100);
    expect(source).not.toContain('\u001b');
    expect(source!.slice(caret!.indexOf('^'))).toMatch(/^bad/);
  });
});

describe('files', () => {
  it.each<[string, string | Uint8Array, string]>([
    [
      'empty',
      '',
      'config.yaml:1:1 expected a config with the keys data, model, loss, optimizer, trainer; the file is empty',
    ],
    [
      'a list',
      '- 1',
      'config.yaml:1:1 expected a config with the keys data, model, loss, optimizer, trainer; got a list',
    ],
    [
      'a word',
      'model',
      'config.yaml:1:1 expected a config with the keys data, model, loss, optimizer, trainer; got a single value',
    ],
    ['not UTF-8', new Uint8Array([0x61, 0xff, 0xfe]), 'config.yaml is not UTF-8 text'],
    [
      'too long',
      `# ${'x'.repeat(1 << 20)}`,
      'config.yaml has 1048578 bytes; a config has at most 1048576',
    ],
  ])('refuses one that is %s', (_, text, message) => {
    expect(heads(() => loadText(text))).toEqual([message]);
  });

  it('names the nearest file when one is missing', () => {
    write('resnet-small.yaml', GOOD);
    expect(faults(() => load(path.join(folder, 'resnet-smal.yaml')))).toBe(
      'no such file: resnet-smal.yaml; did you mean resnet-small.yaml?',
    );
    expect(faults(() => load(path.join(folder, 'cifar10-cn.yaml')))).toBe(
      'no such file: cifar10-cn.yaml; did you mean configs/cifar10-cnn.yaml?',
    );
    expect(faults(() => load(path.join(folder, 'none', 'zzzzzzzzzzz.yaml')))).toBe(
      'no such file: none/zzzzzzzzzzz.yaml',
    );
  });

  it('refuses a folder', () => {
    expect(faults(() => load(folder))).toBe(`${folder} is a directory, not a config file`);
  });

  it('accepts a byte order mark and CRLF', () => {
    const text = `\ufeff${GOOD.replaceAll('\n', '\r\n')}`;
    expect(loadText(text).config.optimizer.lr).toBe(0.001);
    expect(heads(() => loadText(text.replace('0.001', 'x')))).toEqual([
      'config.yaml:11:29 optimizer.lr: expected a positive number, got "x"',
    ]);
  });
});

describe('extends', () => {
  it('merges objects, replaces lists and scalars, and removes on null', () => {
    write('base.yaml', `${GOOD}expect: { seconds: { max: 60 } }\n`);
    const child = write(
      'child.yaml',
      'extends: base.yaml\noptimizer: { momentum: 0.9 }\nexpect:\nmodel: { layers: [Flatten] }\n',
    );
    const { config } = load(child);
    expect(config.optimizer).toEqual({ type: 'SGD', lr: 0.001, momentum: 0.9 });
    expect(config.model).toEqual({ type: 'Sequential', layers: [{ type: 'Flatten' }] });
    expect(config.expect).toBeUndefined();
    expect(config.trainer.epochs).toBe(2);
  });

  it('drops the arguments of another type', () => {
    write('base.yaml', GOOD.replace('lr: 0.001', 'lr: 0.001, momentum: 0.9'));
    const { config } = load(write('child.yaml', 'extends: base.yaml\noptimizer: { type: Adam }\n'));
    expect(config.optimizer).toEqual({ type: 'Adam', lr: 0.001 });
  });

  it('replaces with $replace, and deletes what $delete names', () => {
    write('base.yaml', `${GOOD}expect: { train_loss: { max: 2 }, seconds: { max: 60 } }\n`);
    const child = (text: string) =>
      load(write('child.yaml', `extends: base.yaml\n${text}\n`)).config;
    const { optimizer, expect: bounds } = child(
      'optimizer: { $replace: true, type: SGD, lr: 1 }\nexpect: { $delete: [seconds] }',
    );
    expect(optimizer).toEqual({ type: 'SGD', lr: 1, momentum: 0 });
    expect(bounds).toEqual({ train_loss: { max: 2 } });
    expect(child('expect: { $replace: true, seconds: { max: 1 } }').expect).toEqual({
      seconds: { max: 1 },
    });
    expect(child('$delete: [expect]\nseed: 3')).toMatchObject({ seed: 3 });
  });

  it.each([
    ['optimizer: { $replace: yes }', 'child.yaml:2:24 $replace: expected true'],
    ['optimizer: { $delete: lr }', 'child.yaml:2:23 $delete: expected a list of keys'],
    [
      'optimizer: { $delete: [lr, mometum] }',
      'child.yaml:2:28 $delete: there is no key "mometum" below; did you mean "momentum"?',
    ],
  ])('refuses %s', (text, message) => {
    write('base.yaml', GOOD.replace('lr: 0.001', 'lr: 0.001, momentum: 0.9'));
    const child = write('child.yaml', `extends: base.yaml\n${text}\n`);
    expect(heads(() => load(child))).toEqual([message]);
  });

  it('points a fault at the file its text stands in', () => {
    write('base.yaml', GOOD.replace('0.001', 'x'));
    const child = write('child.yaml', 'extends: base.yaml\ntrainer: { epochs: y }\n');
    expect(heads(() => load(child)).sort()).toEqual([
      'base.yaml:11:29 optimizer.lr: expected a positive number, got "x"',
      'child.yaml:2:20 trainer.epochs: expected a positive integer, got "y"',
    ]);
  });

  it.each([
    ['extends: a.yaml', 'a.yaml:1:10 extends: goes in a circle: a.yaml -> a.yaml'],
    ['extends: missing-base.yaml', 'a.yaml:1:10 extends: no such file: missing-base.yaml'],
    ['extends: [b.yaml]', 'a.yaml:1:10 extends: expected the name of a config file'],
  ])('refuses %s', (text, message) => {
    const head = heads(() => load(write('a.yaml', text)))[0]!;
    expect(head).toBe(message);
  });

  it('refuses a circle over two files and a chain that is too long', () => {
    write('b.yaml', 'extends: a.yaml');
    expect(heads(() => load(write('a.yaml', 'extends: b.yaml')))).toEqual([
      'b.yaml:1:10 extends: goes in a circle: a.yaml -> b.yaml -> a.yaml',
    ]);
    for (let i = 0; i < 20; i++) write(`chain${i}.yaml`, `extends: chain${i + 1}.yaml`);
    expect(heads(() => load(path.join(folder, 'chain0.yaml')))).toEqual([
      'chain15.yaml:1:10 extends: more than 16 files in a chain',
    ]);
  });
});
