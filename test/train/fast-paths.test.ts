/** A run whose convolutions are oneDNN's (where it is present), beside one that does without. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineInfo } from '../../src/engine/native/info.ts';
import { isOff, withOff } from '../../src/engine/switches.ts';
import type { HostTensor } from '../../src/io/host-tensor.ts';
import { type HostTensors, readCheckpoint } from '../../src/train/checkpoint/checkpoint.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import type { RunSummary } from '../../src/train/events.ts';
import { Setting } from './setting.ts';

const info = engineInfo();
const hasOneDnn = info.available && info.onednn !== null;

/** The second convolution, of 64 channels on 6 x 6, is one that Winograd's algorithm takes. */
const CONVOLUTIONS = [
  `model={type: Sequential, layers: [
    {type: Conv2d, out_channels: 64, kernel_size: 3, padding: 2}, ReLU,
    {type: Conv2d, out_channels: 64, kernel_size: 3, padding: 1}, BatchNorm2d, ReLU,
    Flatten, {type: Linear, out_features: 3}]}`,
  'optimizer.lr=0.01',
  'trainer.epochs=1',
];

/** The methods of a run's convolutions, from its trace. */
async function methodsOf({ directory }: RunSummary): Promise<Set<string>> {
  const { traceEvents } = JSON.parse(await readFile(join(directory, 'profile.json'), 'utf8'));
  const args = (traceEvents as { args?: { kernel?: string; method?: string } }[]).map(
    (event) => event.args ?? {},
  );
  return new Set(
    args.filter(({ kernel }) => kernel?.startsWith('conv2d')).map(({ method }) => method!),
  );
}

function lastOf({ directory }: RunSummary): string {
  return join(directory, 'checkpoints', 'last');
}

/** Tensors of the same names and shapes, and of numbers that differ by rounding alone. */
function expectClose(actual: HostTensors, expected: HostTensors): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, tensor] of expected) {
    const other = actual.get(name)!;
    expect(other.shape).toEqual(tensor.shape);
    const theirs = numbersOf(other);
    const worst = Math.max(...numbersOf(tensor).map((x, i) => Math.abs(x - theirs[i]!)));
    expect(worst, name).toBeLessThan(1e-4);
  }
}

function numbersOf({ data }: HostTensor): number[] {
  return Array.from(data as Iterable<number | bigint>, Number);
}

describe.runIf(hasOneDnn)('engine.winograd', () => {
  it.each([
    [true, 'is used'],
    [false, 'is not used'],
  ])('%s: Winograd %s', async (winograd) => {
    const setting = await Setting.make();
    const overrides = [...CONVOLUTIONS, `engine.winograd=${winograd}`];
    const { summary } = await setting.train({ overrides, profile: true });
    const methods = await methodsOf(summary);
    expect(methods.size).toBeGreaterThan(0);
    expect(methods.has('onednn_winograd')).toBe(winograd && !isOff('onednn_winograd'));
  });
});

describe('a run in blocked layouts', () => {
  it('has the checkpoint of one without, and each goes on and is evaluated from the other', async () => {
    const setting = await Setting.make();
    const inLayouts = await setting.train({ overrides: CONVOLUTIONS });
    const without = await withOff(['layouts'], () => setting.train({ overrides: CONVOLUTIONS }));
    const [blocked, plain] = await Promise.all(
      [inLayouts, without].map(({ summary }) => readCheckpoint(lastOf(summary))),
    );
    expectClose(blocked!.model, plain!.model);
    expectClose(blocked!.tensors, plain!.tensors);

    const measure = (summary: RunSummary) =>
      evaluate({
        loaded: setting.config(CONVOLUTIONS),
        checkpoint: lastOf(summary),
        split: 'val',
        threads: 1,
      });
    const ofBlocked = await withOff(['layouts'], () => measure(inLayouts.summary));
    const ofPlain = await measure(without.summary);
    expect(ofBlocked[0]!.metrics.loss).toBeCloseTo(ofPlain[0]!.metrics.loss!, 4);

    const overrides = [...CONVOLUTIONS, 'trainer.epochs=2'];
    const onward = (summary: RunSummary) => setting.train({ overrides, resume: summary.directory });
    const a = await withOff(['layouts'], () => onward(inLayouts.summary));
    const b = await onward(without.summary);
    const [crossed, back] = await Promise.all(
      [a, b].map(({ summary }) => readCheckpoint(lastOf(summary))),
    );
    expect(crossed!.state.step).toBe(14);
    expectClose(crossed!.model, back!.model);
  });
});
