import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/base/errors.ts';
import { shortType } from '../../src/base/user-code.ts';
import { loadConfig, loadConfigWithCode } from '../../src/config/load.ts';
import { checkModel } from '../../src/config/model-check.ts';
import { buildCallbacks } from '../../src/train/loop/callbacks.ts';
import { buildTask } from '../../src/train/task/task.ts';

const CODE = `
import { Callback, Module, nn, optim, type Tensor, z } from 'torchts';
import { width } from './lib/width';

const schema = z.object({ out: z.int().positive(), gain: z.number().default(2) });

export class Head extends Module {
  static schema = schema;
  fc: nn.Linear;
  constructor(readonly options: z.output<typeof schema>, { input }: { input?: Tensor }) {
    super();
    this.fc = new nn.Linear({ in_features: input!.shape[1]!, out_features: options.out });
  }
  forward(x: Tensor): Tensor {
    return this.fc.call(x).mul(this.options.gain);
  }
}

export class Scale extends Module {
  forward(x: Tensor): Tensor {
    return x.mul(width);
  }
}

export class Thrower extends Module {
  static schema = z.object({ early: z.boolean() });
  constructor({ early }: { early: boolean }) {
    super();
    if (early) throw new RangeError('too early');
  }
  forward(x: Tensor): Tensor {
    return (x as unknown as { nothing: Tensor }).nothing.mul(2);
  }
}

export class L1 extends Module {
  forward(output: Tensor, target: Tensor): Tensor {
    return output.sub(target).abs().mean();
  }
}

export class Points {
  static schema = z.object({ samples: z.int().positive() }).refine(({ samples }) => samples % 2 === 0, {
    error: 'samples must be even',
    path: ['samples'],
  });
  input = { dtype: 'float32', shape: [4] };
  target = { dtype: 'float32', shape: [3] };
  length: number;
  constructor({ samples }: { samples: number }) {
    this.length = samples;
  }
  get(i: number) {
    return [[i, 1, 2, 3], [i, 0, 0]];
  }
}

export class Half extends optim.SGD {
  static schema = z.object({ lr: z.number() });
}

export class Drop extends optim.lrScheduler.LRScheduler<{ last_epoch: number; by: number }> {
  static schema = z.object({ by: z.number() });
  rates() {
    return this.base_lrs.map((lr) => lr - this.options.by * this.last_epoch);
  }
}

export class Quiet extends Callback {}

export default class extends Quiet {}
export class Unfit extends Module {
  forward(x: Tensor) {
    return x.matmul(x.narrow(0, 0, 2));
  }
}
export class Named extends Module {
  static schema = z.object({ name: z.string() });
  forward(x: Tensor) {
    return x;
  }
}
export class WrongSchema extends Module {
  static schema = { width: 3 };
  forward(x: Tensor) {
    return x;
  }
}
export const swish = (x: Tensor) => x.mul(x.sigmoid());
export const samples = {
  input: { dtype: 'float32', shape: [4] },
  target: { dtype: 'float32', shape: [3] },
  length: 8,
  get: (i: number) => [[i, i, i, i], [1, 2, 3]],
};
`;

const CONFIG = `\
data:
  train: { type: ./code.ts#Points, samples: 8 }
  batch_size: 4
model:
  type: Sequential
  layers:
    - ./code.ts#Scale
    - { type: ./code.ts#Head, name: head, out: 3 }
loss: ./code.ts#L1
optimizer: { type: ./code.ts#Half, lr: 0.1 }
scheduler: { type: ./code.ts#Drop, by: 0.01, interval: step }
trainer: { epochs: 1 }
callbacks: [./code.ts#Quiet, './code.ts#default']
`;

let folder: string;

function write(name: string, text: string): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** The message of the ConfigError that loading and checking gives, without the folder. */
async function fault(overrides: string[], config = 'config.yaml'): Promise<string> {
  try {
    const loaded = await loadConfigWithCode(join(folder, config), { overrides });
    checkModel(loaded);
    buildTask(loaded);
    buildCallbacks(loaded);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.replaceAll(`${folder}/`, '');
  }
  throw new Error('expected a ConfigError');
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'torchts-code-'));
  write('lib/width.ts', 'export const width: number = 3;\n');
  write('code.ts', CODE);
  write('config.yaml', CONFIG);
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('type: ./file.ts#Export', () => {
  it('stands for modules, losses, data, optimizers, schedulers and callbacks', async () => {
    const loaded = await loadConfigWithCode(join(folder, 'config.yaml'));
    const task = buildTask(loaded);
    expect([...task.model.stateDict().keys()]).toEqual(['head.fc.weight', 'head.fc.bias']);
    expect(task.model.stateDict().get('head.fc.weight')!.shape).toEqual([3, 4]);
    expect(task.loss.constructor.name).toBe('L1');
    expect(task.optimizer.constructor.name).toBe('Half');
    expect(buildCallbacks(loaded).map(({ type }) => shortType(type))).toEqual([
      'code.ts#Quiet',
      'code.ts#default',
    ]);
    const { layers } = checkModel(loaded);
    expect(layers.map(({ output_shape }) => output_shape)).toEqual([
      [4, 4],
      [4, 3],
      [4, 3],
    ]);
    expect((await task.train.load()).length).toBe(8);
  });

  it('is written in the resolved config with its place, from which it loads again', async () => {
    const { text, config } = await loadConfigWithCode(join(folder, 'config.yaml'));
    expect(config.loss).toEqual({ type: `${folder}/code.ts#L1` });
    expect(config.model).toMatchObject({ layers: [{}, { gain: 2 }] });
    const again = await loadConfigWithCode(write('elsewhere/config.yaml', text));
    expect(again.config).toEqual(config);
  });

  it('is relative to the file it stands in, and to the current folder in an override', async () => {
    write('sub/code.ts', "export { L1 as Other } from '../code';\n");
    const over = write('sub/over.yaml', 'extends: ../config.yaml\nloss: ./code.ts#Other\n');
    const { config } = await loadConfigWithCode(over);
    expect(config.loss.type).toBe(`${folder}/sub/code.ts#Other`);
    expect(config.optimizer.type).toBe(`${folder}/code.ts#Half`);
    await expect(loadConfigWithCode(over, { overrides: ['loss=./code.ts#Other'] })).rejects.toThrow(
      'command line loss: there is no file code.ts',
    );
    const file = join(folder, 'code.ts');
    const { config: given } = await loadConfigWithCode(over, { overrides: [`loss=${file}#L1`] });
    expect(given.loss.type).toBe(`${file}#L1`);
  });

  it('may be an object, for a data set', async () => {
    const overrides = [`data.train=${folder}/code.ts#samples`];
    const loaded = await loadConfigWithCode(join(folder, 'config.yaml'), { overrides });
    expect((await buildTask(loaded).train.load()).length).toBe(8);
  });

  it('is not run by what only reads', () => {
    expect(() => loadConfig(join(folder, 'config.yaml'))).toThrow(/code\.ts#L1 was not loaded/);
  });
});

describe('a fault', () => {
  const at = (name: string) => `${folder}/${name}`;
  it.each([
    [
      'no such file',
      () => [`loss=${at('cod.ts#L1')}`],
      /^command line loss: there is no file cod\.ts; did you mean code\.ts\?/,
    ],
    [
      'no such export',
      () => [`loss=${at('code.ts#L2')}`],
      /code\.ts has no export "L2"; did you mean "L1"\?/,
    ],
    [
      'a function',
      () => [`model.layers.0=${at('code.ts#swish')}`],
      /swish is no module: expected a class that extends nn\.Module, got a function/,
    ],
    [
      'a class of another kind',
      () => [`loss=${at('code.ts#Points')}`],
      /Points is no loss: expected a class that extends nn\.Module, got the class Points/,
    ],
    [
      'a module as optimizer',
      () => [`optimizer=${at('code.ts#L1')}`],
      /L1 is no optimizer: expected a class that extends optim\.Optimizer/,
    ],
    [
      'a schema that is none',
      () => [`loss=${at('code.ts#WrongSchema')}`],
      /its static schema must be an object of zod/,
    ],
    [
      'an argument that every module has',
      () => [`model.layers.0=${at('code.ts#Named')}`],
      /its schema cannot have "name", which every module may have/,
    ],
    [
      'shapes that do not fit inside it',
      () => [`model.layers.0=${at('code.ts#Unfit')}`],
      /model\.layers\[0\]: \[matmul\] .* \(code\.ts:\d+\)/,
    ],
    [
      'a wrong argument',
      () => ['model.layers.1.out=0'],
      /model\.layers\[1\]\.out: expected a positive integer, got 0/,
    ],
    [
      'an unknown argument',
      () => ['model.layers.1.gian=1'],
      /unknown key "gian"; did you mean "gain"\?/,
    ],
    [
      'an argument of what takes none',
      () => ['loss.weight=1'],
      /loss: unknown key "weight"; L1 has no static schema, so it takes no arguments/,
    ],
    [
      'what the schema checks as a whole',
      () => ['data.train.samples=7'],
      /data\.train\.samples: samples must be even/,
    ],
    [
      'a constructor that throws',
      () => [`model.layers.0={type: "${at('code.ts#Thrower')}", early: true}`],
      /model\.layers\[0\]: RangeError: too early \(code\.ts:29\)/,
    ],
    [
      'a forward that throws',
      () => [`model.layers.0={type: "${at('code.ts#Thrower')}", early: false}`],
      /model\.layers\[0\]: TypeError: .*\(code\.ts:32\)/,
    ],
    [
      'shapes that do not fit',
      () => ['model.layers.1.out=4'],
      /^.*loss: \[.*\] .*\(4, 4\).*\(4, 3\)/,
    ],
    [
      'no export named',
      () => ['loss=./code.ts'],
      /unknown loss "\.\/code\.ts"; code of your own is written \.\/file\.ts#Export/,
    ],
    [
      'no folder named',
      () => ['loss=code.ts#L1'],
      /unknown loss "code\.ts#L1"; code of your own is written \.\/file\.ts#Export/,
    ],
  ])('is told with its place: %s', async (_, overrides, message) => {
    expect(await fault(overrides())).toMatch(message);
  });

  it('points at the YAML, at all of them at once', async () => {
    write('many.yaml', CONFIG.replace('#L1', '#L').replace('./code.ts#Half', './none.ts#Half'));
    const message = await fault([], 'many.yaml');
    expect(message).toContain('many.yaml:10:20 optimizer.type: there is no file none.ts');
    expect(message).toContain(
      `
many.yaml:9:7 loss: code.ts has no export "L"; did you mean "L1"?
    loss: ./code.ts#L
          ^`.trim(),
    );
  });

  it.each([
    [
      'syntax',
      'export class A {\n  x: number = ;\n}\n',
      'broken.ts:2:15 Unexpected token',
      '    x: number = ;\n',
    ],
    [
      'an error while it runs',
      '\nfunction f(): void {\n  throw new RangeError("no");\n}\nf();\n',
      'broken.ts:3:3 RangeError: no',
      '    throw new',
    ],
    [
      'a file it imports',
      "import { a } from './gone';\nexport const A = a;\n",
      'broken.ts:1:1 cannot find the module ./gone',
      "    import { a } from './gone';",
    ],
  ])('inside the file is shown there: %s', async (name, code, head, shown) => {
    const file = `broken-${name.replaceAll(' ', '-')}.ts`;
    write(file, code);
    const message = await fault([`loss=${at(`${file}#A`)}`]);
    expect(message).toContain(head.replace('broken.ts', file));
    expect(message).toContain(`(${file} is named in command line)`);
    expect(message).toContain(shown);
  });
});
