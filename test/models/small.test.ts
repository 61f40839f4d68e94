/** Small models: the keys and shapes of their sources, and the same outputs and gradients. */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { models, nn, tensor, withEngine } from '../../src/index.ts';
import {
  expectGradients,
  expectValues,
  hashed32,
  initialise,
  type RecordedState,
  stateOf,
} from './recorded.ts';

interface Recording {
  readonly spec: { readonly type: string };
  readonly state: RecordedState;
  readonly input?: readonly number[];
  readonly outputs?: readonly number[];
  readonly gradients?: Readonly<Record<string, number>>;
}

const FILE = new URL('../fixtures/models/small.json', import.meta.url);
const recorded = Object.entries(
  JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Recording>,
);

const inputOf = (shape: readonly number[]) =>
  tensor(
    hashed32(
      shape.reduce((a, b) => a * b),
      999,
    ),
    { shape },
  );

describe.each(recorded)('%s', (_, { spec, state, input, outputs, gradients }) => {
  const build = () => nn.build(spec, input && { input: inputOf(input) }) as nn.Module;

  it('has the keys and shapes of its source', () => {
    expect(stateOf(build())).toEqual(state);
  });

  if (input === undefined) return;

  it('computes the same outputs and gradients', () =>
    withEngine(cpuEngine(), () => {
      const model = build();
      initialise(model);
      expectValues(model.eval().call(inputOf(input)), outputs!);
      model.train();
      for (const module of model.modules()) if (module instanceof nn.Dropout) module.eval();
      model.call(inputOf(input)).square().mean().backward();
      expectGradients(model, gradients!);
    }));
});

describe('in code', () => {
  it('says what does not fit', () => {
    expect(() => models.unet({ in_channels: 3, num_classes: 2, base_channels: 3 })).toThrow(
      '[UNet] base_channels: expected an even number',
    );
    const unet = models.unet({ in_channels: 1, num_classes: 2, base_channels: 2 });
    expect(() => unet.call(inputOf([1, 1, 24, 32]))).toThrow(
      /multiples of 16, got \(1, 1, 24, 32\)/,
    );
    const autoencoder = models.conv_autoencoder({ in_channels: 1, channels: [2, 2] });
    expect(() => autoencoder.call(inputOf([1, 1, 6, 8]))).toThrow(/multiples of 4/);
    expect(() => nn.build('mlp')).toThrow(/hidden_channels/);
  });

  it('takes other activations', () => {
    const mlp = models.mlp({
      in_channels: 2,
      hidden_channels: [3, 1],
      activation_layer: { type: 'LeakyReLU', negative_slope: 0.2 },
    });
    expect(mlp.at(1)).toBeInstanceOf(nn.LeakyReLU);
    expect(models.mlp({ in_channels: 2, hidden_channels: [3, 1] }).at(1)).toBeInstanceOf(nn.ReLU);
  });

  it('starts as the sources do', () => {
    const { main } = models.dcgan_generator({ nz: 8, ngf: 8 });
    const weights = (main.at(3) as nn.ConvTranspose2d).weight;
    expect(weights.std().item() as number).toBeCloseTo(0.02, 2);
    const norm = main.at(1) as nn.BatchNorm2d;
    expect(norm.weight!.mean().item() as number).toBeCloseTo(1, 1);
    expect(norm.weight!.std().item() as number).toBeGreaterThan(0.01);
    // kaiming_normal_ of 16 x 9 inputs.
    const conv = models.resnet20().layer1.at(0) as nn.Module & { conv1: nn.Conv2d };
    expect(conv.conv1.weight.std().item() as number).toBeCloseTo(Math.sqrt(2 / 144), 2);
  });

  it('gives a code', () => {
    const plain = models.autoencoder({ in_features: 12, latent_features: 5 });
    expect(plain.encode(inputOf([2, 3, 4])).shape).toEqual([2, 5]);
    const conv = models.conv_autoencoder({ in_channels: 1, channels: [2, 6] });
    expect(conv.encode(inputOf([2, 1, 8, 8])).shape).toEqual([2, 6, 2, 2]);
  });
});
