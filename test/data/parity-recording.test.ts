import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCifar } from '../../src/data/images/cifar.ts';
import { CIFAR10_LAYOUT } from '../../src/data/images/cifar-format.ts';
import { cacheFolder } from '../../src/data/paths.ts';
import { loadParity } from '../fixtures/parity/load.ts';

const FULL_SET = join(cacheFolder(), 'cifar-10-batches-bin');

describe('the recording of PyTorch', () => {
  it('holds every tensor of the reference network at every recorded step', async () => {
    const { data, losses, order, initial, steps } = await loadParity();
    const names = ['conv1', 'conv2', 'fc1', 'fc2', 'fc3'].flatMap((layer) => [
      `${layer}.bias`,
      `${layer}.weight`,
    ]);
    expect([...initial.keys()].sort()).toEqual(names);
    expect([...steps.keys()]).toEqual([1, 10, 100, 500]);
    for (const step of steps.values()) {
      for (const tensors of [step.weights, step.gradients, step.momentum]) {
        expect([...tensors.keys()].sort()).toEqual(names);
        for (const name of names) {
          expect(tensors.get(name)!.shape).toEqual(initial.get(name)!.shape);
        }
      }
    }
    expect([losses.length, order.length, data.labels.length]).toEqual([500, 2000, 2000]);
  });

  it('agrees with itself: the first momentum is the first gradient, and moves the weights', async () => {
    const { initial, steps } = await loadParity();
    const { weights, gradients, momentum } = steps.get(1)!;
    for (const [name, before] of initial) {
      const gradient = gradients.get(name)!.data as Float32Array;
      expect(momentum.get(name)!.data).toEqual(gradient);
      const expected = gradient.map((g, i) => (before.data[i] as number) - 0.001 * g);
      const after = weights.get(name)!.data as Float32Array;
      const drift = after.map((w, i) => Math.abs(w - expected[i]!));
      expect(drift.reduce((a, b) => Math.max(a, b))).toBeLessThan(1e-7);
    }
  });

  it.skipIf(!existsSync(FULL_SET))(
    'holds the images of CIFAR-10 that its order names',
    async () => {
      const { data, order } = await loadParity();
      const { images, labels } = readCifar(FULL_SET, CIFAR10_LAYOUT, { split: 'train' });
      order.forEach((sample, i) => {
        expect(data.labels[i]).toBe(labels[sample]);
        const image = data.images.subarray(i * 3072, (i + 1) * 3072);
        expect(Buffer.compare(image, images.subarray(sample * 3072, (sample + 1) * 3072))).toBe(0);
      });
    },
  );
});
