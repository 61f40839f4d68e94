import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineError } from '../../src/base/errors.ts';
import { idleContext } from '../../src/cli/commands.ts';
import { helpOf } from '../../src/cli/help.ts';
import { program } from '../../src/cli/program.ts';
import type { EvaluateRequest, ModelReport, TrainRequest } from '../../src/cli/services.ts';
import type { RunSummary } from '../../src/train/events.ts';
import { torchts } from './harness.ts';

const CONFIG = 'configs/cifar10-cnn.yaml';

/** Every command with its name, parents first; the one of `torchts` itself is empty. */
function commandsOf(command: Command, name: string): [string, Command][] {
  const visible = command.createHelp().visibleCommands(command);
  const listed = command.commands.filter((child) => visible.includes(child));
  const inner = listed.map((child) => commandsOf(child, `${name} ${child.name()}`.trimStart()));
  return [[name, command], ...inner.flat()];
}
const tree = commandsOf(program(idleContext()), '');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'torchts-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function summary(fields: Partial<RunSummary> = {}): RunSummary {
  return {
    name: 'net',
    directory: 'runs/net/1',
    step: 20,
    epoch: 2,
    seconds: 3.21,
    metrics: { train_loss: 1.23456, val_accuracy: 0.5 },
    ok: true,
    ...fields,
  };
}

/** A service that records what it was asked, and ends as told. */
function trainer(result: RunSummary | Error = summary()) {
  const requests: TrainRequest[] = [];
  const train = async (request: TrainRequest) => {
    requests.push(request);
    if (result instanceof Error) throw result;
    request.onEvent({ event: 'end', ...result });
    return result;
  };
  return { requests, services: { train } };
}

describe('the command line', () => {
  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await torchts('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  it('prints help with every command and the exit codes', async () => {
    const { code, out } = await torchts('--help');
    expect(code).toBe(0);
    for (const [name] of tree.slice(1)) {
      if (!name!.includes(' ')) expect(out).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
    }
    expect(out).toContain('2  the config or the command line is wrong');
  });

  it.each(tree)('prints help for "%s" with examples, within 80 columns', async (name, command) => {
    const { code, out, err } = await torchts(`${name} --help`, { columns: 80 });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`Usage: torchts ${name}`);
    expect(out.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(helpOf(command)?.examples.length).toBeGreaterThan(0);
    for (const [line] of helpOf(command)!.examples) {
      expect(line).toMatch(new RegExp(`^torchts ${name}`));
    }
  });

  it.each([
    ['', /Usage: torchts/],
    ['trian x.yaml', /^torchts: unknown command 'trian'\n\(Did you mean train\?\)/],
    ['train', /^torchts: missing required argument 'config\|run'/],
    [`train ${CONFIG} --thread 2`, /unknown option '--thread'\n\(Did you mean --threads\?\)/],
    [`train ${CONFIG} --threads 0`, /'0' is invalid. It must be a positive integer/],
    [`train ${CONFIG} --threads 1.5`, /'1.5' is invalid/],
    [`train ${CONFIG} --json --quiet`, /'--quiet' cannot be used with option '--json'/],
    [`eval ${CONFIG} --split test`, /there is no data.test to measure on; there are train, val/],
    ['data fetch mnis', /'mnis' is invalid for argument 'name'. Allowed choices are cifar10, /],
  ])('refuses "%s" with exit code 2', async (args, message) => {
    const { code, out, err } = await torchts(args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });
});

describe('errors', () => {
  it('in the config give exit code 2 and no stack', async () => {
    const { code, err } = await torchts(`train ${CONFIG} optimizer.lr=abc --device gpu`);
    expect(code).toBe(2);
    expect(err).toBe(
      [
        'torchts: command line device: expected one of auto, cpu (did you mean "cpu"?), got "gpu"',
        '    device=gpu',
        '           ^',
        'command line optimizer.lr: expected a positive number, got "abc"',
        '    optimizer.lr=abc',
        '                 ^\n',
      ].join('\n'),
    );
  });

  it('of a missing config name the nearest one', async () => {
    const { code, err } = await torchts('train configs/cifar10-cn.yaml');
    expect(code).toBe(2);
    expect(err).toBe(
      'torchts: no such file: configs/cifar10-cn.yaml; did you mean configs/cifar10-cnn.yaml?\n',
    );
  });

  it('while running give exit code 1; the stack only on request', async () => {
    const { services } = trainer(new EngineError('[conv2d] out of memory'));
    const { code, err } = await torchts(`train ${CONFIG}`, { services });
    expect({ code, err }).toEqual({ code: 1, err: 'torchts: [conv2d] out of memory\n' });
    const debug = await torchts(`train ${CONFIG}`, { services, env: { TORCHTS_DEBUG: '1' } });
    expect(debug.err).toMatch(/^torchts: EngineError: \[conv2d\] out of memory\n {4}at /);
  });

  it('that nobody expected come with their stack', async () => {
    const { services } = trainer(new TypeError('x is not a function'));
    const { code, err } = await torchts(`train ${CONFIG}`, { services });
    expect(code).toBe(1);
    expect(err).toMatch(/^torchts: internal error, please report this: TypeError: x is.*\n {4}at /);
  });
});

describe('torchts train', () => {
  it('hands on the config, the overrides and the options', async () => {
    const { requests, services } = trainer();
    const args = `train ${CONFIG} optimizer.lr=0.5 --threads 3 --seed 7 --out ${folder} --quiet`;
    const { code, out } = await torchts(args, { services });
    expect(code).toBe(0);
    expect(out).toBe('20 steps in 3.2 s: train_loss 1.235, val_accuracy 50.0%; runs/net/1\n');
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ out: folder, threads: 3, resume: undefined });
    expect(requests[0]!.loaded.config).toMatchObject({ seed: 7, optimizer: { lr: 0.5 } });
  });

  it('goes on with a run, or with the newest run of a name', async () => {
    const { requests, services } = trainer();
    for (const n of ['1', '2', '10']) {
      mkdirSync(path.join(folder, 'net', n), { recursive: true });
      const text = readFileSync(CONFIG, 'utf8').replace('seed: 0', `seed: ${n}`);
      writeFileSync(path.join(folder, 'net', n, 'config.yaml'), text);
    }
    await torchts(`train ${folder}/net/2 trainer.epochs=9`, { services });
    await torchts(`train ${folder}/net`, { services });
    expect(requests.map(({ resume, loaded }) => [resume, loaded.config.seed])).toEqual([
      [`${folder}/net/2`, 2],
      [`${folder}/net/10`, 10],
    ]);
    expect(requests[0]!.loaded.config.trainer.epochs).toBe(9);
    const { code, err } = await torchts(`train ${folder}`, { services });
    expect(code).toBe(2);
    expect(err).toBe(`torchts: ${folder} is a folder without a config.yaml: not a run\n`);
  });

  it('gives exit code 3 when an expect was not met', async () => {
    const train = async (request: TrainRequest) => {
      const message = 'val_accuracy is 0.1, expected at least 0.25';
      request.onEvent({ event: 'expect', key: 'val_accuracy', value: 0.1, ok: false, message });
      return summary({ ok: false });
    };
    const { code, out } = await torchts(`train ${CONFIG} --quiet`, { services: { train } });
    expect(code).toBe(3);
    expect(out).toBe('expect NOT MET: val_accuracy is 0.1, expected at least 0.25\n');
  });

  it('tells a build server what was expected', async () => {
    const train = async (request: TrainRequest) => {
      const of = (key: string, ok: boolean, message: string) =>
        request.onEvent({ event: 'expect', key, value: 0.1, ok, message });
      of('val_accuracy', false, 'val_accuracy is 0.1, expected at least "0.25" & <1');
      of('seconds', true, 'seconds is 3.21, expected at most 9');
      return summary({ ok: false });
    };
    const [junit, page] = ['junit.xml', 'page.md'].map((name) => path.join(folder, name));
    const env = { GITHUB_STEP_SUMMARY: page! };
    const { code } = await torchts(`train ${CONFIG} --quiet --junit ${junit}`, {
      services: { train },
      env,
    });
    expect(code).toBe(3);
    expect(readFileSync(junit!, 'utf8')).toBe(
      `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="2" failures="1" time="3.210">
  <testsuite name="net" tests="2" failures="1" time="3.210">
    <testcase classname="net" name="val_accuracy">
      <failure message="val_accuracy is 0.1, expected at least &quot;0.25&quot; &amp; &lt;1"/>
    </testcase>
    <testcase classname="net" name="seconds"/>
  </testsuite>
</testsuites>
`,
    );
    const summaryPage = readFileSync(page!, 'utf8');
    expect(summaryPage).toMatch(/^### net: expectations not met after 20 steps\n/);
    expect(summaryPage).toContain('| val_accuracy | 0.5 | **not met**: val_accuracy is 0.1,');
    expect(summaryPage).toContain('| seconds | 3.21 | met |');
  });

  it('says when a report cannot be written', async () => {
    const { services } = trainer();
    const asked = `train ${CONFIG} --quiet --junit ${folder}/none/junit.xml`;
    const { code, err } = await torchts(asked, { services });
    expect(code).toBe(1);
    expect(err).toMatch(/^torchts: cannot write .*junit\.xml: ENOENT/);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stops at %s with exit code %i', async (signal, expected) => {
    let stop: ((signal: 'SIGINT' | 'SIGTERM') => void) | undefined;
    const train = async (request: TrainRequest) => {
      stop!(signal);
      expect(request.signal.aborted).toBe(true);
      request.onEvent({ event: 'stopped', step: 4, signal, checkpoint: 'step-4' });
      return summary({ step: 4 });
    };
    const { code, out } = await torchts(`train ${CONFIG}`, {
      services: { train },
      stopper: (handler) => {
        stop = handler;
      },
    });
    expect(code).toBe(expected);
    expect(out).toBe(`stopped by ${signal} after step 4; a checkpoint was written\n`);
  });

  it('gives exit code 0 when the signal came after the last step', async () => {
    const { services } = trainer();
    const { code } = await torchts(`train ${CONFIG}`, {
      services,
      stopper: (stop) => stop('SIGINT'),
    });
    expect(code).toBe(0);
  });
});

describe('torchts eval', () => {
  const evaluator = () => {
    const requests: EvaluateRequest[] = [];
    const evaluate = async (request: EvaluateRequest) => {
      requests.push(request);
      const { checkpoint, split } = request;
      const metrics = { loss: 2, accuracy: 0.125 };
      return [{ checkpoint, split, samples: 100, seconds: 0.5, metrics, arrays: {} }];
    };
    return { requests, services: { evaluate } };
  };

  it('measures the best checkpoint of a run on the validation data', async () => {
    const { services } = evaluator();
    const { code, out } = await torchts(`eval ${folder}/net/2`, { services });
    expect(code).toBe(0);
    expect(out).toBe(
      `${folder}/net/2/checkpoints/best: loss 2, accuracy 12.5% over 100 samples of data.val, in 500 ms\n`,
    );
  });

  it('finds the newest run of a config, or takes a checkpoint by its path', async () => {
    const { requests, services } = evaluator();
    await torchts(`eval ${CONFIG} name=net --out ${folder} --checkpoint last`, { services });
    await torchts(`eval ${CONFIG} --checkpoint /some/step-5 --split train`, { services });
    expect(requests).toMatchObject([
      { checkpoint: `${folder}/net/10/checkpoints/last`, split: 'val' },
      { checkpoint: '/some/step-5', split: 'train' },
    ]);
    const { code, err } = await torchts(`eval ${CONFIG} name=none --out ${folder}`, { services });
    expect(code).toBe(2);
    expect(err).toBe(
      `torchts: there is no run in ${folder}/none yet; train first, or give --checkpoint a folder\n`,
    );
  });

  it('prints one JSON line with --json', async () => {
    const { services } = evaluator();
    const { out } = await torchts(`eval ${folder}/net/2 --json`, { services });
    expect(JSON.parse(out)).toMatchObject({ event: 'eval', samples: 100, metrics: { loss: 2 } });
  });
});

describe('torchts validate', () => {
  const report: ModelReport = {
    layers: [
      {
        path: 'conv1',
        type: 'Conv2d',
        output_shape: [4, 6, 28, 28],
        parameters: 456,
        flops: 2.8e6,
      },
      { path: '1', type: 'ReLU', output_shape: [4, 6, 28, 28], parameters: 0, flops: 18816 },
    ],
    input_shape: [4, 3, 32, 32],
    parameters: 62006,
    trained_parameters: 62006,
    weights: undefined,
    flops: 2.8e6,
    memory: {
      training: { arena_bytes: 1 << 20, binding_bytes: 1 << 19 },
      evaluation: { arena_bytes: 1 << 18, binding_bytes: 1 << 18 },
    },
  };
  const services = { inspectModel: async () => report };

  it('prints the layers and the memory', async () => {
    const { code, out } = await torchts(`validate ${CONFIG}`, { services });
    expect(code).toBe(0);
    expect(out).toBe(`\
layer  type    output          parameters   FLOPs
-----  ------  --------------  ----------  ------
conv1  Conv2d  (4, 6, 28, 28)         456   2.8 M
1      ReLU    (4, 6, 28, 28)           0  18.8 k

input       (4, 3, 32, 32)
parameters  62,006
FLOPs       2.8 M forward, for one batch
memory      1.5 MiB at the peak of a training step: 1.0 MiB for intermediate values, 512.0 KiB for the parameters, the optimizer and the batch
            512.0 KiB at the peak of evaluation: 256.0 KiB for intermediate values, 256.0 KiB for the parameters and the batch
${CONFIG}: valid
`);
  });

  it('prints nothing with --quiet, one JSON line with --json', async () => {
    expect(await torchts(`validate ${CONFIG} --quiet`, { services })).toEqual({
      code: 0,
      out: '',
      err: '',
    });
    const { out } = await torchts(`validate ${CONFIG} --json`, { services });
    expect(JSON.parse(out)).toEqual({ event: 'validate', name: 'cifar10-cnn', ...report });
  });
});
