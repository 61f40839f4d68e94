import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { beta, cut, type Mixing } from '../../../src/data/transforms/batch-transforms.ts';
import { compile, tensor } from '../../../src/index.ts';
import { BatchMixer } from '../../../src/train/task/batch-mixer.ts';
import { bytesOf, eventsOf, recordsOf, Setting } from '../setting.ts';

/** What torchvision made of a batch. */
interface Fixture {
  readonly images: number[][][][];
  readonly labels: number[];
  readonly cases: {
    readonly type: string;
    readonly lam?: number;
    readonly box?: [left: number, top: number, right: number, bottom: number];
    readonly lam_adjusted?: number;
    readonly images: number[];
    readonly target: number[];
  }[];
}

const file = new URL('../../fixtures/mixing/mixing.json', import.meta.url);
const { images, labels, cases } = JSON.parse(readFileSync(file, 'utf8')) as Fixture;

function mixingOf({ lam, box, lam_adjusted }: Fixture['cases'][number]): Mixing {
  const [left, top, right, bottom] = box ?? [0, 0, 100, 100];
  return {
    inside: lam ?? 0,
    box: { top, bottom, left, right },
    label: lam ?? lam_adjusted!,
  };
}

/** Numbers that look random; the same ones every time. */
function uniformOf(seed: number) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('BatchMixer', () => {
  it.each(cases.map((each, i) => [i, each.type, each] as const))(
    'mixes as torchvision: %i, %s',
    (_, type, wanted) => {
      const ofImages = type === 'CutMix';
      const transform = { ofImages, draw: () => mixingOf(wanted) };
      const mixer = new BatchMixer([transform], 0, 4);
      const [mixed, target] = mixer.mix(tensor(images), tensor(labels, { dtype: 'int64' }), 0);
      const close = (got: unknown, expected: unknown) => {
        const [a, b] = [[got].flat(9), [expected].flat(9)] as [number[], number[]];
        expect(a).toHaveLength(b.length);
        for (const [i, value] of a.entries()) expect(value).toBeCloseTo(b[i]!, 6);
      };
      close(mixed.tolist(), wanted.images);
      close(target.tolist(), wanted.target);
    },
  );

  it('draws anew in every call of a compiled step, by the seed and the number of the step', async () => {
    const shares = async (seed: number, from: number, count: number) => {
      const transform = {
        ofImages: false,
        draw: (uniform: () => number): Mixing => {
          const share = uniform();
          const box = { top: 0, bottom: 1, left: 0, right: 1 };
          return { inside: share, box, label: share };
        },
      };
      const mixer = new BatchMixer([transform], seed, 2);
      mixer.goOn(from);
      const step = compile((input, target) => {
        const [, shares] = mixer.mix(input, target, 0);
        mixer.afterStep();
        return shares;
      });
      const batch = [tensor([[1], [2]]), tensor([0, 1], { dtype: 'int64' })] as const;
      const drawn: number[] = [];
      for (let i = 0; i < count; i++) drawn.push(Number((await (await step(...batch)).data())[0]));
      step.dispose();
      return drawn;
    };
    const all = await shares(1, 0, 5);
    expect(new Set(all).size).toBe(5);
    expect(await shares(1, 3, 2)).toEqual(all.slice(3));
    expect(await shares(2, 0, 5)).not.toEqual(all);
  });
});

describe('the numbers drawn', () => {
  it.each([0.01, 0.2, 1, 3])('have the moments of Beta(a, a): a = %d', (a) => {
    const uniform = uniformOf(7);
    const values = Array.from({ length: 20_000 }, () => beta(a, uniform));
    const mean = values.reduce((x, y) => x + y) / values.length;
    const variance = values.reduce((x, y) => x + (y - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0.5, 1);
    expect(variance / (1 / (4 * (2 * a + 1)))).toBeCloseTo(1, 1);
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
  });

  it("cut torchvision's box, as far as it lies in the image", () => {
    // Half of sqrt(0.81) of (5, 4) is (2, 1), around the pixel (0, 2).
    expect(cut(0.19, 0.5, 0, [5, 4])).toEqual({
      inside: 0,
      box: { top: 0, bottom: 2, left: 1, right: 3 },
      label: 1 - 4 / 20,
    });
  });
});

const MIXED =
  'data.batch_transforms=[{ type: RandomChoice, transforms: [{ type: MixUp, alpha: 0.2 }, CutMix] }]';

describe('data.batch_transforms', () => {
  it('changes what is trained on, and leaves evaluations as they are', async () => {
    const setting = await Setting.make();
    const { summary: plain } = await setting.train({ overrides: ['optimizer.lr=1e-9'] });
    const { summary } = await setting.train({ overrides: ['optimizer.lr=1e-9', MIXED] });
    expect(summary.metrics.val_loss).toBeCloseTo(plain.metrics.val_loss!, 6);
    expect(summary.metrics.train_loss).not.toBeCloseTo(plain.metrics.train_loss!, 3);
  });

  it.each([[[]], [['trainer.accumulate_grad_batches=2']]])('goes on exactly: %j', async (more) => {
    const setting = await Setting.make();
    const overrides = [MIXED, 'loss={ type: CrossEntropyLoss, label_smoothing: 0.1 }', ...more];
    const { summary: whole } = await setting.train({ overrides });
    const stopAt = { split: 'train', batch: 4 } as const;
    const { summary: stopped, events } = await setting.train({ overrides, stopAt });
    expect(eventsOf(events, 'stopped')).toHaveLength(1);
    const { summary } = await setting.train({ overrides, resume: stopped.directory });
    const folders = [summary, whole].map((run) => join(run.directory, 'checkpoints', 'last'));
    expect(await bytesOf(folders[0]!)).toEqual(await bytesOf(folders[1]!));
    expect(await recordsOf(summary.directory)).toEqual(await recordsOf(whole.directory));
  });

  it.each([
    [['data.batch_transforms=[Mixup]'], /unknown batch transform "Mixup"; did you mean "MixUp"\?/],
    [['data.batch_transforms=[{ type: MixUp, alpha: 0 }]'], /alpha: expected a positive number/],
    [[MIXED, 'loss=MultiMarginLoss'], /data\.batch_transforms: .*multi_margin_loss/],
    [
      ['data.batch_transforms=[{ type: RandomChoice, transforms: [MixUp, CutMix], p: [1] }]'],
      /p needs a probability for each of the 2 transforms/,
    ],
  ])('is checked before any data are read: %j', async (overrides, message) => {
    const setting = await Setting.make();
    const run = (async () => setting.train({ overrides }))();
    await expect(run).rejects.toThrow(message);
  });
});
