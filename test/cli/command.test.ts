/** The command as a process; what needs no process of its own is in `run.test.ts`. */

import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainEvent } from '../../src/train/events.ts';

// The first call may have to compile.
const TIMEOUT = 300_000;

async function torchts(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)('bin/torchts', args);
    return { code: 0, out: stdout, err: stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout, err: stderr };
  }
}

function eventsOf(out: string): TrainEvent[] {
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Runs `torchts ARGS` and sends `signal` at the first event of the kind `until`. */
async function torchtsUntil(until: TrainEvent['event'], signal: NodeJS.Signals, args: string[]) {
  const child = spawn('bin/torchts', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  let sent = false;
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    out += chunk;
    if (!sent && out.includes(`"event":"${until}"`)) sent = child.kill(signal);
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, events: eventsOf(out) };
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'torchts-command-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('bin/torchts', { timeout: TIMEOUT }, () => {
  it('checks a config', async () => {
    const { code, out } = await torchts('validate', 'configs/cifar10-cnn.yaml', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ event: 'validate', parameters: 62_006 });
  });

  it("trains code of a user's own, which has the classes that the command has", async () => {
    const code = `
      import { Callback, Module, nn, type Tensor, type TrainingRun, z } from 'torchts';
      export class Net extends Module {
        static schema = z.object({ out: z.int() });
        fc: nn.Linear;
        constructor({ out }: { out: number }, { input }: { input?: Tensor }) {
          super();
          this.fc = new nn.Linear({ in_features: input!.shape[1]!, out_features: out });
        }
        forward(x: Tensor): Tensor {
          return this.fc.call(x);
        }
      }
      export class Five extends Callback {
        override onTrainBatchEnd(run: TrainingRun) {
          if (run.position.step === 5) run.stop('five is enough');
        }
      }`;
    const config = `
data: { train: { type: FakeData, size: 40, image_size: [1, 2, 2], num_classes: 3 }, batch_size: 4 }
model: { type: Sequential, layers: [Flatten, { type: ./net.ts#Net, out: 3 }] }
loss: CrossEntropyLoss
optimizer: SGD
trainer: { epochs: 1 }
callbacks: [./net.ts#Five]
`;
    writeFileSync(path.join(folder, 'net.ts'), code);
    writeFileSync(path.join(folder, 'own.yaml'), config);
    const file = path.join(folder, 'own.yaml');
    const { code: exit, out, err } = await torchts('train', file, '--out', folder, '--json');
    expect({ exit, err }).toEqual({ exit: 0, err: '' });
    expect(eventsOf(out).at(-1)).toMatchObject({ event: 'end', step: 5 });
  });

  it('gives exit code 2 for a wrong config', async () => {
    const { code, out, err } = await torchts('validate', 'configs/cifar10-cnn.yaml', 'seed=x');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('seed: expected an integer of at least 0, got "x"');
  });

  it('trains, stops at a signal, goes on, and measures', async () => {
    const config = 'configs/cifar10-smoke.yaml';
    const stopped = await torchtsUntil('metrics', 'SIGINT', [
      ...['train', config, 'trainer.epochs=1000', 'expect=null', '--json', '--out', folder],
    ]);
    expect(stopped.code).toBe(130);
    const at = stopped.events.find((event) => event.event === 'stopped')?.step ?? 0;
    expect(at).toBeGreaterThan(0);

    const run = path.join(folder, 'cifar10-smoke');
    const steps = `trainer.max_steps=${at + 3}`;
    const resumed = await torchts('train', run, steps, '--json', '--out', folder);
    expect(resumed.code).toBe(0);
    const events = eventsOf(resumed.out);
    expect(events.find((event) => event.event === 'start')).toMatchObject({ start_step: at });
    expect(events.at(-1)).toMatchObject({ event: 'end', step: at + 3, ok: true });

    const measured = await torchts('eval', run, '--checkpoint', 'last', '--json');
    expect(measured.code).toBe(0);
    expect(JSON.parse(measured.out)).toMatchObject({ event: 'eval', split: 'val', samples: 250 });
  });

  it('gives exit code 3 when an expect is not met', async () => {
    const { code, out } = await torchts(
      ...['train', 'configs/cifar10-smoke.yaml', 'trainer.max_steps=2', '--quiet'],
      ...['expect={ train_loss: { max: 0.001 } }', '--out', folder],
    );
    expect(code).toBe(3);
    expect(out).toContain('expect NOT MET');
  });

  it('does not mind a reader that leaves early', async () => {
    const child = spawn('bin/torchts', ['data', 'inspect', 'configs/cifar10-smoke.yaml', '--json']);
    let err = '';
    child.stderr.on('data', (chunk) => {
      err += chunk;
    });
    child.stdout.destroy();
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});
