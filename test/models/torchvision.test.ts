/** Models of torchvision: its keys and shapes, and its logits and gradients for equal weights. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { nn, tensor, withEngine } from '../../src/index.ts';
import {
  expectGradients,
  expectValues,
  hashed32,
  initialise,
  type RecordedState,
  stateOf,
} from './recorded.ts';

interface Recording {
  readonly state: RecordedState;
  readonly logits?: readonly number[];
  readonly gradients?: Readonly<Record<string, number>>;
}

const FILE = new URL('../fixtures/models/models.json', import.meta.url);
const recorded = Object.entries(
  JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Recording>,
);
const SIDE = 64;

/**
 * Models of so many weights that making them takes longer than all others together; they are
 * computed where TORCHTS_LARGE_MODELS is set.
 */
const LARGE = ['alexnet', 'densenet121', 'vgg11_bn'];
const isComputed = (name: string, { logits }: Recording) =>
  logits !== undefined && (!LARGE.includes(name) || process.env.TORCHTS_LARGE_MODELS !== undefined);

const build = (name: string) => nn.build({ type: name, num_classes: 10 }) as nn.Module;

describe.each(recorded)('%s', (name, recording) => {
  const { state, logits, gradients } = recording;

  it("has torchvision's keys and shapes", () => {
    expect(stateOf(build(name))).toEqual(state);
  });

  if (!isComputed(name, recording)) return;

  it("computes torchvision's logits and gradients", { timeout: 120_000 }, () =>
    withEngine(cpuEngine(), () => {
      const model = build(name).eval();
      initialise(model);
      const image = tensor(hashed32(3 * SIDE * SIDE, 999), { shape: [1, 3, SIDE, SIDE] });
      const output = model.call(image);
      nn.functional.crossEntropy(output, tensor(BigInt64Array.of(3n))).backward();
      expectValues(output, logits!);
      expectGradients(model, gradients!);
    }),
  );
});
