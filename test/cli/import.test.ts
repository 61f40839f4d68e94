import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImportReport, ImportRequest } from '../../src/train/import.ts';
import type { ModelComparison } from '../../src/train/weights/comparison.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';
import { torchts } from './harness.ts';

const CONFIG = 'configs/cifar10-cnn.yaml';

const REPORT: ImportReport = {
  ...{ file: 'a.pth', kind: 'torch', path: ['state_dict'], beside: ['epoch'], metadata: {} },
  tensors: [
    { key: 'module.fc.weight', dtype: 'float16', shape: [1000, 512] },
    { key: 'module.n', dtype: 'int64', shape: [] },
    { key: 'odd\x1b[31m', dtype: 'float16', shape: [2] },
  ],
  ...{ model: undefined, written: undefined },
};

const MODEL: ModelComparison = {
  ...{ name: 'resnet18', num_classes: 1000, asked: false, nearest: false, fits: true },
  ...{ refusal: undefined, taken: 122, keys: 122, yaml: 'model: { type: resnet18 }' },
  ...{ kept_keys: [], missing_keys: [], unexpected_keys: [], mismatched_keys: [] },
  ...{ excluded_keys: [], stripped: 'module.', conversions: { 'float16 to float32': 102 } },
};

function importer(result: Partial<ImportReport> = {}) {
  const asked: ImportRequest[] = [];
  const importWeights = async (request: ImportRequest): Promise<ImportReport> => {
    asked.push(request);
    return { ...REPORT, ...result };
  };
  return { asked, services: { importWeights } };
}

const HEAD = [
  'a.pth: a file of torch.save',
  'holds     3 tensors (2 float16, 1 int64), 512,003 numbers, 1000.0 KiB',
  'found     in state_dict, beside epoch',
];

describe('torchts import', () => {
  it('says what a file holds and which model it fits', async () => {
    const { services } = importer({
      ...{ model: MODEL, metadata: { classes: '', mean: '' } },
      written: { file: 'b.pt', format: 'pt', bytes: 1024, tensors: 122 },
    });
    const { out, code } = await torchts('import a.pth', { services });
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      ...HEAD,
      'metadata  classes, mean',
      'model     resnet18, num_classes 1000',
      'fits      a.pth: 122 of 122 tensors; without the "module." that their names begin with; ' +
        '102 from float16 to float32',
      'config    model: { type: resnet18 }',
      'wrote     b.pt: pt, 1.0 KiB, 122 tensors',
      '',
    ]);
  });

  it('lists keys, without what would act on a terminal', async () => {
    const { out } = await torchts('import a.pth --list', { services: importer().services });
    expect(out.split('\n')).toEqual([
      'key               dtype    shape',
      '----------------  -------  -----------',
      'module.fc.weight  float16  (1000, 512)',
      'module.n          int64    ()',
      expect.stringMatching(/^odd\\x1b\[31m +float16 {2}\(2,\)$/),
      '',
      ...HEAD,
      'model     none of the zoo is like it; compare it with --model CONFIG',
      '',
    ]);
  });

  it('says what does not fit, which is a failure where the model was asked for', async () => {
    const refused = { fits: false, refusal: 'a.pth does not fit the model:\n  x is missing' };
    const near = importer({ model: { ...MODEL, ...refused, nearest: true, yaml: undefined } });
    const found = await torchts('import a.pth', near);
    expect(found.out.split('\n').slice(3)).toEqual([
      'model     none of the zoo; the nearest is resnet18, num_classes 1000',
      ...['a.pth does not fit the model:', '  x is missing', ''],
    ]);
    expect(found.code).toBe(0);
    const asked = importer({ model: { ...MODEL, ...refused, asked: true } });
    expect((await torchts('import a.pth --model resnet18', asked)).code).toBe(1);
  });

  it('says where in a config its weights stand, and cuts long names', async () => {
    const model = { ...MODEL, name: 'my.yaml', num_classes: undefined, yaml: 'weights: a.pth' };
    const names = ['x'.repeat(99), ...'abcdefgh'];
    const { out } = await torchts('import a.pth', importer({ model, beside: names }));
    expect(out).toContain(`beside ${'x'.repeat(60)}..., a, b, c, d, e, f, g and 1 more\n`);
    expect(out).toContain('model     my.yaml\n');
    expect(out).toContain('config    below model, weights: a.pth\n');
  });

  it('passes on what is asked: a model of the zoo, or a config', async () => {
    const { asked, services } = importer();
    const renames = '--rename a.=b. --rename c= --exclude fc --exclude *.bias';
    await torchts(`import a.pth --model vgg11 --num-classes 3 --prefix x. ${renames}`, {
      services,
    });
    await torchts(`import a.pth --model ${CONFIG} --out b.bin --force`, { services });
    await torchts('import a.pth --model docs --out weights --format pt', { services });
    expect(asked[0]).toMatchObject({
      ...{ file: 'a.pth', model: 'vgg11', num_classes: 3, prefix: 'x.', out: undefined },
      ...{ rename: { 'a.': 'b.', c: '' }, exclude: ['fc', '*.bias'] },
    });
    expect(asked[1]).toMatchObject({
      ...{ model: { config: { name: 'cifar10-cnn' } }, force: true },
      out: { file: 'b.bin', format: 'pt' },
    });
    // A folder of that name is no config.
    expect(asked[2]).toMatchObject({ model: 'docs', out: { file: 'weights', format: 'pt' } });
  });

  it('prints one event with --json', async () => {
    const { services } = importer({ model: MODEL });
    const { out } = await torchts('import a.pth --json', { services });
    const { written: _, model: __, ...plain } = REPORT;
    expect(JSON.parse(out)).toMatchObject({ event: 'import', ...plain, model: { taken: 122 } });
  });

  it.each([
    ['--out a.onnx', /a\.onnx must end in \.safetensors, \.pt, \.pth, \.bin, which says its/],
    ['--out a', /a must end in \.safetensors/],
    ['--out a.pt --format safetensors', /cannot go into a\.pt, whose name says pt/],
    ['--format onnx', /argument 'onnx' is invalid\. Allowed choices are safetensors, pt/],
    ['--rename a', /argument 'a' is invalid\. It must be FROM=TO/],
    ['--rename =b', /argument '=b' is invalid/],
    ['--num-classes 0', /argument '0' is invalid\. It must be a positive integer/],
    ['--model gone.yaml', /no such file: gone\.yaml/],
    ['--model test/cli', /test\/cli is a folder without a config\.yaml: not a run/],
    ['b.pth', /too many arguments/],
  ])('refuses %s', async (options, message) => {
    const { asked, services } = importer();
    const { code, err, out } = await torchts(`import a.pth ${options}`, { services });
    expect(err).toMatch(message);
    expect({ code, out, asked }).toEqual({ code: 2, out: '', asked: [] });
  });

  it('refuses a hostile or damaged file in one line, and says nothing else', async () => {
    const folder = await temporaryFolder();
    const name = join(folder, 'odd.pt');
    writeFileSync(name, 'no weights');
    for (const [file, message] of [
      ['test/fixtures/torch-files/refused-evil.pt', /asks for posix\.system, which is no part/],
      [name, /odd\.pt holds no weights: it is no safetensors, nor a file of torch\.save/],
      ['nowhere.pt', /the file of weights nowhere\.pt does not exist/],
      [folder, /is a folder, and no checkpoint/],
    ] as const) {
      const { code, err, out } = await torchts(`import ${file}`);
      expect(err).toMatch(message);
      expect(err.trimEnd().split('\n')).toHaveLength(1);
      expect({ code, out }).toEqual({ code: 1, out: '' });
    }
  });
});
