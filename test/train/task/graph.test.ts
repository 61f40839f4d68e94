import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { nn, type Tensor } from '../../../src/index.ts';
import { bytesOf, eventsOf, recordsOf, Setting } from '../setting.ts';

const GRAPH = [
  'model={ type: Graph, nodes: { flat: Flatten, hidden: { type: Linear, out_features: 6 }, ' +
    'relu: ReLU, depth: { type: StochasticDepth, p: 0.1, mode: row }, ' +
    'head: { type: Linear, out_features: 3 }, ' +
    'aux: { type: Linear, out_features: 3, from: hidden } }, outputs: [head, aux] }',
  'loss={ type: MultiOutputLoss, losses: [CrossEntropyLoss, CrossEntropyLoss], weights: [1, 0.3] }',
];

/** As GoogLeNet: the output of its auxiliary head is there in training alone. */
class Heads extends nn.Module<[input: Tensor], Tensor | [Tensor, Tensor]> {
  readonly main = new nn.Linear({ in_features: 16, out_features: 3 });
  readonly aux = new nn.Linear({ in_features: 16, out_features: 3 });

  forward(x: Tensor): Tensor | [Tensor, Tensor] {
    const flat = x.flatten(1);
    const output = this.main.call(flat);
    return this.training ? [output, this.aux.call(flat)] : output;
  }
}

nn.modules.register('Heads', { schema: z.strictObject({}), create: () => new Heads() });

describe('a model of several outputs', () => {
  it('may give the main one alone in evaluation, to which the first loss applies', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({ overrides: ['model={ type: Heads }', GRAPH[1]!] });
    expect(summary.metrics.val_loss).toBeLessThan(Math.log(3));
    expect(summary.metrics.train_loss).toBeGreaterThan(summary.metrics.val_loss!);
  });

  it('goes on as if it had not been stopped', async () => {
    const setting = await Setting.make();
    const { summary: whole } = await setting.train({ overrides: GRAPH });
    const { summary: stopped, events } = await setting.train({
      overrides: GRAPH,
      stopAt: { split: 'train', batch: 9 },
    });
    expect(eventsOf(events, 'stopped')).toHaveLength(1);
    const { summary } = await setting.train({ overrides: GRAPH, resume: stopped.directory });
    const [a, b] = await Promise.all(
      [whole, summary].map(({ directory }) => bytesOf(join(directory, 'checkpoints', 'last'))),
    );
    expect(b).toEqual(a);
    expect(await recordsOf(summary.directory)).toEqual(await recordsOf(whole.directory));
  });

  it('learns from each by its weight, and is measured by the first', async () => {
    const setting = await Setting.make();
    const { summary: both } = await setting.train({ overrides: GRAPH });
    const { summary: main } = await setting.train({
      overrides: [...GRAPH, 'loss.weights=[1, 0]'],
    });
    // ln 3 is the loss of a guess; two losses, weighted, begin at 1.3 of it.
    expect(main.metrics.val_loss).toBeLessThan(Math.log(3));
    expect(both.metrics.val_loss).toBeGreaterThan(main.metrics.val_loss!);
    expect(both.metrics.val_accuracy).toBeGreaterThan(0.5);
  });

  it('trains in mixed precision, with sums and with gradients of several batches', async () => {
    const setting = await Setting.make();
    const { summary } = await setting.train({
      overrides: [
        ...GRAPH,
        'loss.losses=[{ type: CrossEntropyLoss, reduction: sum }, { type: CrossEntropyLoss, reduction: sum }]',
        'precision=bfloat16',
        'trainer.accumulate_grad_batches=2',
        'optimizer.lr=0.01',
      ],
    });
    expect(summary.metrics.val_loss).toBeLessThan(1.3 * Math.log(3));
  });
});
