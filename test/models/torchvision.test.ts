/** Models of torchvision: its keys and shapes, and its logits and gradients for equal weights. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { nn, tensor, withEngine } from '../../src/index.ts';
import { countParameters } from '../../src/nn/describe.ts';
import {
  expectGradients,
  expectValues,
  hashed32,
  initialise,
  type RecordedState,
  stateOf,
} from './recorded.ts';
import { SMALL } from './small-designs.ts';

type Gradients = Readonly<Record<string, number>>;

interface Recording {
  readonly state: RecordedState;
  readonly parameters: number;
  readonly side?: number;
  readonly logits?: readonly number[];
  readonly gradients?: Gradients;
  readonly training?: {
    readonly side: number;
    readonly dtype: 'float32' | 'float64';
    readonly outputs: readonly number[][];
    readonly gradients: Gradients;
  };
}

const FILE = new URL('../fixtures/models/models.json', import.meta.url);
const recorded = Object.entries(
  JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Recording>,
);

/**
 * Models of so many weights that making them takes longer than all others together; they are
 * computed where TORCHTS_LARGE_MODELS is set.
 */
const LARGE = new Set([
  ...['alexnet', 'convnext_tiny', 'densenet121', 'efficientnet_b0', 'efficientnet_v2_s'],
  ...['inception_v3', 'maxvit_t', 'regnet_x_400mf', 'swin_t', 'swin_v2_t', 'vgg11_bn', 'vit_b_32'],
]);
const isComputed = (name: string, { logits }: Recording) =>
  logits !== undefined && (!LARGE.has(name) || process.env.TORCHTS_LARGE_MODELS !== undefined);

const num_classes = 10;

const OPTIONS: Readonly<Record<string, object>> = { vit_b_32: { image_size: 64 } };

/** Without dropout: what the models that are trained have of it. */
const UNDROPPED: Readonly<Record<string, object>> = {
  googlenet: { dropout: 0, dropout_aux: 0 },
  inception_v3: { dropout: 0 },
};

const build = (name: string, options = {}) =>
  SMALL[name]?.make() ??
  nn.build<nn.AnyModule>({ type: name, num_classes, ...OPTIONS[name], ...options });

const images = (count: number, side: number, seed: number) =>
  tensor(hashed32(count * 3 * side * side, seed), { shape: [count, 3, side, side] });

const { crossEntropy } = nn.functional;

describe.each(recorded)('%s', (name, recording) => {
  const { state, parameters, side, logits, gradients, training } = recording;

  it("has torchvision's keys, shapes and number of parameters", () => {
    const model = build(name);
    expect(stateOf(model)).toEqual(state);
    expect(countParameters(model)).toBe(parameters);
  });

  if (!isComputed(name, recording)) return;

  it("computes torchvision's logits and gradients", { timeout: 120_000 }, () =>
    withEngine(cpuEngine(), () => {
      const model = build(name).eval();
      initialise(model);
      const output = model.call(images(1, side!, 999));
      crossEntropy(output, tensor(BigInt64Array.of(3n))).backward();
      expectValues(output, logits!);
      expectGradients(model, gradients!);
    }),
  );

  if (training === undefined) return;

  it("computes torchvision's outputs and gradients in training", { timeout: 300_000 }, () =>
    withEngine(cpuEngine(), () => {
      const model = build(name, UNDROPPED[name]);
      initialise(model);
      const { side, dtype } = training;
      const outputs = nn.tensorOutputs(model.to(dtype).call(images(2, side, 998).to(dtype)));
      const target = tensor(BigInt64Array.of(3n, 1n));
      const weights = [1, 0.3, 0.3].slice(0, outputs.length);
      const losses = weights.map(() => new nn.CrossEntropyLoss());
      new nn.MultiOutputLoss(losses, weights).call(outputs, target).backward();
      expect(outputs.length).toBe(training.outputs.length);
      for (const [i, output] of outputs.entries()) expectValues(output, training.outputs[i]!);
      expectGradients(model, training.gradients);
    }),
  );
});
