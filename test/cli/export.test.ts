import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExportRequest, ExportResult } from '../../src/cli/services.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';
import { torchts } from './harness.ts';

const CONFIG = 'configs/cifar10-cnn.yaml';

const RESULT = {
  ...{ bytes: 2048, tensors: 1234, parameters: 62_006 },
  weights: { checkpoint: 'runs/net/2/checkpoints/best', step: 5000, ema: true },
  input: { dtype: 'float32', shape: [3, 32, 32] },
} as const;

function exporter(result: Partial<ExportResult> = {}) {
  const asked: ExportRequest[] = [];
  const exportModel = async (request: ExportRequest): Promise<ExportResult> => {
    asked.push(request);
    return { ...RESULT, file: request.file, format: request.format, ...result };
  };
  return { asked, services: { exportModel } };
}

/** `net/2` in a folder of runs, with checkpoints of two steps. */
async function runs(): Promise<{ folder: string; run: string }> {
  const folder = await temporaryFolder();
  const run = join(folder, 'cifar10-cnn', '2');
  for (const step of [8, 16])
    mkdirSync(join(run, 'checkpoints', `step-${step}`), { recursive: true });
  writeFileSync(join(run, 'config.yaml'), readFileSync(CONFIG));
  writeFileSync(join(run, 'checkpoints', 'step-8', 'state.json'), '{}');
  return { folder, run };
}

describe('torchts export', () => {
  it.each([
    ['', 'safetensors', 'cifar10-cnn.safetensors'],
    ['--format pt', 'pt', 'cifar10-cnn.pt'],
    ['--format onnx', 'onnx', 'cifar10-cnn.onnx'],
    ['--out a.onnx', 'onnx', 'a.onnx'],
    ['--out a.PTH', 'pt', 'a.PTH'],
    ['--out a.bin', 'pt', 'a.bin'],
    ['--out weights --format safetensors', 'safetensors', 'weights'],
  ])('takes format and file from "%s"', async (options, format, file) => {
    const { run } = await runs();
    const { asked, services } = exporter();
    const { code } = await torchts(`export ${run} ${options}`, { services });
    expect(code).toBe(0);
    expect(asked).toMatchObject([
      { format, file, checkpoint: join(run, 'checkpoints', 'best'), trained: false, force: false },
    ]);
  });

  it('takes a checkpoint by its name, its step, its folder, or that alone', async () => {
    const { folder, run } = await runs();
    const { asked, services } = exporter();
    const step = join(run, 'checkpoints', 'step-8');
    for (const target of [
      `${run} --checkpoint last --no-ema`,
      `${run} --checkpoint 16`,
      `${CONFIG} --checkpoint ${step}`,
      step,
      `${CONFIG} --runs ${folder}`,
      join(run, 'config.yaml'),
      `${CONFIG} --runs ${join(folder, 'none')}`,
    ]) {
      expect((await torchts(`export ${target}`, { services })).err).toBe('');
    }
    const folders = ['last', 'step-16', 'step-8', 'step-8', 'best', 'best'];
    expect(asked.map(({ checkpoint }) => checkpoint)).toEqual([
      ...folders.map((name) => join(run, 'checkpoints', name)),
      undefined,
    ]);
    expect(asked.map(({ trained }) => trained)).toEqual([true, ...asked.slice(1).map(() => false)]);
  });

  it('passes the options of ONNX on, and overrides of the config', async () => {
    const { run } = await runs();
    const { asked, services } = exporter();
    const line = `export ${run} seed=7 --format onnx --opset 20 --batch`;
    await torchts(`${line} 4 --force`, { services });
    await torchts(`${line} dynamic`, { services });
    expect(asked).toMatchObject([
      { opset_version: 20, batch: 4, force: true },
      { opset_version: 20, batch: 'dynamic', force: false },
    ]);
    expect(asked[0]!.loaded.config.seed).toBe(7);
  });

  it.each([
    [
      'a.safetensors',
      {},
      'holds    1,234 tensors, 62,006 parameters\n' +
        'weights  of runs/net/2/checkpoints/best, step 5,000, their average\n' +
        'load it  model.load_state_dict(safetensors.torch.load_file("a.safetensors"))',
    ],
    [
      'a.pt',
      { weights: { initial: true } },
      'holds    1,234 tensors, 62,006 parameters\n' +
        'weights  as initialised: there is no run in runs/cifar10-cnn\n' +
        'load it  model.load_state_dict(torch.load("a.pt", weights_only=True))',
    ],
    [
      'a.onnx',
      { weights: { file: 'b.pth' } },
      'holds    1,234 tensors, 62,006 parameters\n' +
        'weights  of b.pth, untrained: there is no run in runs/cifar10-cnn\n' +
        'load it  onnxruntime.InferenceSession("a.onnx"), input float32 (batch, 3, 32, 32)',
    ],
  ] as const)('says what it wrote to %s', async (file, result, text) => {
    const { run } = await runs();
    const { services } = exporter(result);
    const { out } = await torchts(`export ${run} --out ${file}`, { services });
    const format = file === 'a.safetensors' ? 'safetensors' : file.slice(2);
    expect(out).toBe(`${file}: ${format}, 2.0 KiB\n${text}\n`);
  });

  it('prints one event with --json', async () => {
    const { run } = await runs();
    const { services } = exporter();
    const { out } = await torchts(`export ${run} --out a.pt --json`, { services });
    expect(JSON.parse(out)).toEqual({ event: 'export', ...RESULT, file: 'a.pt', format: 'pt' });
  });

  it.each([
    ['--out a.zip', /a\.zip must end in \.safetensors, \.pt, \.pth, \.bin, \.onnx, which says its/],
    ['--out a.pt --format onnx', /--format onnx cannot go into a\.pt, whose name says pt/],
    ['--format pickle', /argument 'pickle' is invalid\. Allowed choices are safetensors, pt, onnx/],
    ['--opset 18', /--opset and --batch are of ONNX: add --format onnx/],
    ['--out a.pt --batch 2', /--opset and --batch are of ONNX/],
    ['--format onnx --opset 3', /argument '3' is invalid\. Allowed choices are 18, 19, 20, 21, 22/],
    ['--format onnx --batch 0', /argument '0' is invalid\. It must be a positive integer, or dyn/],
    ['--checkpoint 9', /checkpoints has no checkpoint of step 9; there are: 8, 16/],
    ['optimzer.lr=1', /unknown key "optimzer"; did you mean "optimizer"\?/],
  ])('refuses %s', async (options, message) => {
    const { run } = await runs();
    const { asked, services } = exporter();
    const { code, err, out } = await torchts(`export ${run} ${options}`, { services });
    expect(err).toMatch(message);
    expect({ code, out, asked }).toEqual({ code: 2, out: '', asked: [] });
  });

  it('refuses what is no run, no config, or a checkpoint twice or of no run', async () => {
    const { folder, run } = await runs();
    const { services } = exporter();
    const checkpoint = join(run, 'checkpoints', 'step-8');
    const lone = join(folder, 'lone');
    mkdirSync(lone);
    writeFileSync(join(lone, 'state.json'), '{}');
    const sweep = join(folder, 'sweep-1');
    mkdirSync(sweep);
    writeFileSync(join(sweep, 'sweep.yaml'), '');
    for (const [target, message] of [
      [sweep, /sweep-1 is a sweep; name one of its runs: .*sweep-1.N/],
      ['nowhere.yaml', /no such file: nowhere\.yaml/],
      [folder, /is a folder without a config\.yaml: not a run/],
      [`${checkpoint} --checkpoint best`, /step-8 is a checkpoint; there is no use for --checkp/],
      [lone, /lone is a checkpoint, but lies in no run; name a config, and it with --checkpoint/],
      [`${CONFIG} --checkpoint last --runs ${lone}`, /there is no run in .*cifar10-cnn yet/],
    ] as const) {
      const { code, err } = await torchts(`export ${target}`, { services });
      expect(err).toMatch(message);
      expect(code).toBe(2);
    }
  });
});
