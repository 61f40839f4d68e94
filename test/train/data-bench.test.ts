import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { benchData } from '../../src/train/data-bench.ts';

const MODEL = 'model={type: Sequential, layers: [Flatten, {type: Linear, out_features: 10}]}';

async function stagesOf(data: string) {
  const overrides = [`data={train: ${data}, batch_size: 8}`, MODEL, 'expect={}'];
  const loaded = loadConfig('configs/cifar10-smoke.yaml', { overrides });
  const { stages, step } = await benchData({ loaded, seconds: 0.2 });
  expect(step).toBeUndefined();
  return stages;
}

const fake = (transforms: string) =>
  `{type: FakeData, size: 20, image_size: [3, 16, 16], transforms: [${transforms}]}`;

it('times what is drawn, done to pixels and gathered by itself', async () => {
  const stages = await stagesOf(fake('{type: ColorJitter, brightness: 0.5}, ToTensor'));
  expect(stages.map(({ stage }) => stage)).toEqual(['draw', 'transform', 'gather', 'whole']);
  const ms = Object.fromEntries(stages.map(({ stage, ms_per_batch }) => [stage, ms_per_batch]));
  expect(Math.min(ms.draw!, ms.gather!, ms.whole!)).toBeGreaterThan(0);
  // What is left of the whole is the transforms'.
  expect(ms.transform).toBeCloseTo(Math.max(0, ms.whole! - ms.draw! - ms.gather!), 6);
  for (const { ms_per_batch, samples_per_second } of stages) {
    if (ms_per_batch > 0) expect(samples_per_second * ms_per_batch).toBeCloseTo(8000, 6);
  }
});

it('draws nothing where the engine does, and has one stage where there are no transforms', async () => {
  const moved = await stagesOf(fake('RandomHorizontalFlip, ToTensor'));
  expect(moved.map(({ stage }) => stage)).toEqual(['transform', 'gather', 'whole']);
  expect((await stagesOf(fake('ToTensor'))).map(({ stage }) => stage)).toEqual(['whole']);
  const moons = await stagesOf('{type: MakeMoons, n_samples: 32}');
  expect(moons.map(({ stage }) => stage)).toEqual(['whole']);
});
