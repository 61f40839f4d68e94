import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  DataLoader,
  DistributedSampler,
  datasets,
  RandomSampler,
  type Sampler,
  SequentialSampler,
  samplers,
  WeightedRandomSampler,
} from '../../../src/data/index.ts';
import { referenceEngine } from '../../../src/engine/reference/engine.ts';
import { temporaryFolder } from '../../io/temporary-folder.ts';

const data_source = { length: 10 };
const count = (order: Int32Array, value: number) => order.filter((own) => own === value).length;
const sorted = (order: Int32Array) => [...order].sort((a, b) => a - b);

/** 90 images of class 0 and 10 of class 1. */
async function unbalanced() {
  const of = (indices: number[]) => ({ type: 'Subset', dataset: images, indices });
  const images = { type: 'FakeData', size: 400, image_size: [1, 1, 1], num_classes: 2 };
  const { labels } = await datasets.build(images).load();
  const places = [...labels!.keys()];
  const zeros = places.filter((i) => labels![i] === 0).slice(0, 90);
  const ones = places.filter((i) => labels![i] === 1).slice(0, 10);
  return datasets.build({ type: 'ConcatDataset', datasets: [of(zeros), of(ones)] }).load();
}

describe.each<[string, (seed: number) => Sampler]>([
  ['RandomSampler', (seed) => new RandomSampler({ data_source, seed })],
  [
    'RandomSampler with replacement',
    (seed) => new RandomSampler({ data_source, replacement: true, num_samples: 25, seed }),
  ],
  ['RandomSampler, more', (seed) => new RandomSampler({ data_source, num_samples: 25, seed })],
  [
    'WeightedRandomSampler',
    (seed) => new WeightedRandomSampler({ weights: [1, 2, 3, 4, 5, 6], num_samples: 20, seed }),
  ],
  [
    'WeightedRandomSampler without replacement',
    (seed) => {
      const weights = [1, 2, 3, 4, 5, 6, 7, 8];
      return new WeightedRandomSampler({ weights, num_samples: 7, replacement: false, seed });
    },
  ],
])('%s', (_, make) => {
  it('gives an order that follows from the seed and the epoch', () => {
    const order = make(3).order(2);
    expect(order.length).toBe(make(3).length);
    expect(make(3).order(2)).toEqual(order);
    expect(make(3).order(1)).not.toEqual(order);
    expect(make(4).order(2)).not.toEqual(order);
  });
});

describe('samplers', () => {
  it('visit all samples, once or as often as they say', () => {
    expect([...new SequentialSampler({ data_source }).order()]).toEqual(
      sorted(Int32Array.from({ length: 10 }, (_, i) => i)),
    );
    expect(sorted(new RandomSampler({ data_source }).order(1))).toEqual([
      0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
    ]);
    const more = new RandomSampler({ data_source, num_samples: 25 }).order(0);
    for (const pass of [more.subarray(0, 10), more.subarray(10, 20)]) {
      expect(new Set(pass).size).toBe(10);
    }
    expect(more.subarray(0, 10)).not.toEqual(more.subarray(10, 20));
    expect(new Set(new RandomSampler({ data_source, num_samples: 4 }).order(0)).size).toBe(4);
  });

  it('draw in proportion to the weights', () => {
    const weights = [1, 0, 2, 5, 2];
    const order = new WeightedRandomSampler({ weights, num_samples: 100_000 }).order(0);
    for (const [i, weight] of weights.entries()) {
      // Five standard deviations of a binomial count; the draw is fixed.
      const share = weight / 10;
      const deviation = Math.sqrt((share * (1 - share)) / 100_000);
      expect(Math.abs(count(order, i) / 100_000 - share)).toBeLessThanOrEqual(5 * deviation);
    }
    const drawn = Array.from({ length: 20_000 }, (_, epoch) =>
      new WeightedRandomSampler({ weights, num_samples: 4, replacement: false }).order(epoch),
    );
    expect(drawn.every((own) => new Set(own).size === 4 && !own.includes(1))).toBe(true);
    // Drawn one after the other: P(first is 3) = 5/10, P(3, then 0) = 5/10 * 1/5.
    const share = (has: (own: Int32Array) => boolean) => drawn.filter(has).length / drawn.length;
    expect(share(([first]) => first === 3)).toBeCloseTo(0.5, 1.5);
    expect(share(([first, second]) => first === 3 && second === 0)).toBeCloseTo(0.1, 1.5);
  });

  it('balance classes, or weigh them, or samples', async () => {
    const dataset = await unbalanced();
    const shareOfOnes = (options: object) => {
      const spec = { type: 'WeightedRandomSampler', num_samples: 20_000, ...options };
      const order = samplers.build(spec, { dataset, seed: 1 }).order(0);
      return order.filter((i) => dataset.labels![i] === 1).length / 20_000;
    };
    expect(shareOfOnes({ weights: 'balanced' })).toBeCloseTo(0.5, 1.5);
    expect(shareOfOnes({ weights: [1, 3] })).toBeCloseTo(0.25, 1.5);
    const file = join(await temporaryFolder(), 'weights.txt');
    await writeFile(file, [...dataset.labels!].map((label) => (label === 1 ? 0.5 : 0)).join('\n'));
    expect(shareOfOnes({ weights: file })).toBe(1);
    expect(
      samplers.build({ type: 'WeightedRandomSampler', weights: [1, 1] }, { dataset, seed: 0 }),
    ).toHaveLength(100);
    const build = (weights: unknown) => () =>
      samplers.build({ type: 'WeightedRandomSampler', weights }, { dataset, seed: 0 });
    expect(build([1])).toThrow('1 weights for 2 classes');
    expect(build([0, 0])).toThrow('no weight is above 0');
    await writeFile(file, '1 2 3');
    expect(build(file)).toThrow('3 weights for 100 samples');
  });

  it('refuse numbers that make no sense', () => {
    const weigh =
      (weights: number[], more = {}) =>
      () =>
        new WeightedRandomSampler({ weights, num_samples: 3, ...more });
    expect(weigh([1, -1])).toThrow('weights[1] is -1');
    expect(weigh([1, Number.NaN])).toThrow('weights[1] is NaN');
    expect(weigh([1, 0, 2], { replacement: false })).toThrow('as many weights above 0, got 2');
    expect(weigh([1], { num_samples: 0 })).toThrow('num_samples must be a positive integer');
    const wrong = { order: () => new Int32Array([0, 10]), length: 2 };
    const images = { dataset: null as never, engine: referenceEngine() };
    expect(() => new DataLoader({ ...images, sampler: wrong, shuffle: true })).toThrow(
      'sampler and shuffle exclude each other',
    );
  });
});

describe('DistributedSampler', () => {
  it.each([
    [10, 3, false],
    [10, 3, true],
    [12, 4, false],
    [2, 5, false],
  ])('shares out %i samples among %i processes', (length, num_replicas, drop_last) => {
    const shares = Array.from({ length: num_replicas }, (_, rank) =>
      new DistributedSampler({ dataset: { length }, num_replicas, rank, seed: 4, drop_last }).order(
        7,
      ),
    );
    const each = drop_last ? Math.floor(length / num_replicas) : Math.ceil(length / num_replicas);
    expect(shares.map((own) => own.length)).toEqual(new Array(num_replicas).fill(each));
    const all = shares.flatMap((own) => [...own]);
    const distinct = new Set(all).size;
    expect(distinct).toBe(Math.min(length, each * num_replicas));
    // No more come twice than it takes to give every process as many.
    expect(all.length - distinct).toBe(Math.max(0, each * num_replicas - length));
  });

  it('is what a loader does with a shard, over any sampler', async () => {
    const dataset = await unbalanced();
    const orders = [0, 1].map((rank) => {
      const shard = { num_replicas: 2, rank };
      using loader = new DataLoader({
        dataset,
        engine: referenceEngine(),
        batch_size: 8,
        sampler: new RandomSampler({ data_source: dataset, num_samples: 31 }),
        shard,
        drop_last: rank === 1,
      });
      return [...loader.epoch(3)].flatMap(({ indices }) => [...indices]);
    });
    const whole = new RandomSampler({ data_source: dataset, num_samples: 31 }).order(3);
    expect(orders[0]).toEqual([...whole].filter((_, i) => i % 2 === 0));
    expect(orders[1]).toEqual([...whole].filter((_, i) => i % 2 === 1).slice(0, 8));
  });

  it('refuses numbers that make no sense', () => {
    const make = (num_replicas: number, rank: number) => () =>
      new DistributedSampler({ dataset: data_source, num_replicas, rank });
    expect(make(0, 0)).toThrow('num_replicas must be an integer >= 1');
    expect(make(2, 2)).toThrow('rank must be an integer from 0 to 1, got 2');
  });
});
