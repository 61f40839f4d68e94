import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compile, metrics, sum, type Tensor, tensor, zeros } from '../../src/index.ts';
import { buildMetric, type MetricValue } from '../../src/metrics/index.ts';
import { Totals } from '../../src/train/loop/totals.ts';

interface Batch {
  readonly output: number[];
  readonly target: number[];
}

/** What torchmetrics measured. */
interface Fixture {
  readonly data: Record<string, Batch[]>;
  readonly cases: { data: string; spec: { type: string }; value: MetricValue }[];
}

const file = new URL('../fixtures/metrics/metrics.json', import.meta.url);
const { data, cases } = JSON.parse(readFileSync(file, 'utf8')) as Fixture;

const CLASSES = ['a', 'b', 'c', 'd', 'e'];
const OF_CLASSES = ['images', 'tokens', 'padded'];

async function measure(spec: { type: string }, batches: [Tensor, Tensor][], classes: string[]) {
  const named = buildMetric(spec);
  const [output, target] = batches[0]!;
  named.metric.prepare({ classes, output, target });
  const totals = new Totals({ metrics: [named], summed: false });
  for (const [output, target] of batches) totals.add(tensor(0), output, target);
  const { values, arrays } = await totals.read();
  return { value: values[named.name] ?? arrays[named.name]!, named };
}

function batchesOf(name: string): [Tensor, Tensor][] {
  const dtype = OF_CLASSES.includes(name) ? 'int64' : 'float32';
  return data[name]!.map(({ output, target }) => [tensor(output), tensor(target, { dtype })]);
}

/** The example of docs/metrics.md. */
class Bias extends metrics.Metric {
  readonly name = 'bias';
  readonly higher_is_better = false;
  readonly sum = this.addState('sum', zeros([], { dtype: 'float64' }));
  readonly total = this.addState('total', zeros([], { dtype: 'int64' }));

  update(output: Tensor, target: Tensor): void {
    this.sum.add_(sum(output.sub(target).to('float64')));
    this.total.add_(target.numel());
  }

  compute({ sum, total }: metrics.MetricState): number {
    return sum![0]! / total![0]!;
  }
}

describe("a metric of one's own", () => {
  it('keeps its state through compiled steps and starts over', async () => {
    const totals = new Totals({ metrics: [{ name: 'bias', metric: new Bias() }], summed: false });
    const step = compile(
      (output: Tensor, target: Tensor) => {
        totals.add(tensor(0), output, target);
        return undefined;
      },
      { state: [totals] },
    );
    const clear = compile(() => totals.clear(), { state: [totals] });
    for (const shift of [1, 3]) await step(tensor([shift, shift]), tensor([0, 0]));
    const before = totals.read();
    await clear();
    expect((await before).values.bias).toBe(2);
    await step(tensor([0, 5]), tensor([0, 0]));
    expect((await totals.read()).values.bias).toBe(2.5);
    step.dispose();
    clear.dispose();
  });
});

describe('metrics', () => {
  it.each(cases.map((each) => [JSON.stringify(each.spec), each.data, each] as const))(
    '%s of %s is what torchmetrics computes',
    async (_, name, { spec, value: expected }) => {
      const classes = OF_CLASSES.includes(name) ? CLASSES : [];
      const { value, named } = await measure(spec, batchesOf(name), classes);
      expect(named.metric.scalar).toBe(typeof expected === 'number');
      const [got, wanted] = [[value].flat(2), [expected].flat(2)];
      expect(got).toHaveLength(wanted.length);
      for (const [i, number] of got.entries()) expect(number).toBeCloseTo(wanted[i]!, 6);
    },
  );

  it.each([
    ['Accuracy', [], /targets are numbers, not classes; task: binary/],
    ['Perplexity', [], /targets are numbers, not classes/],
    ['R2Score', CLASSES, /the model gives \(N, 5\), the targets are \(N\)/],
  ])('refuse a task they cannot measure: %s', (type, classes, message) => {
    const name = classes.length > 0 ? 'images' : 'table';
    const [output, target] = batchesOf(name)[0]!;
    const { metric } = buildMetric({ type });
    expect(() => metric.prepare({ classes, output, target })).toThrow(message);
  });
});
