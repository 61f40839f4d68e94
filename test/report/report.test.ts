import { describe, expect, it } from 'vitest';
import { scoresOf } from '../../src/report/confusion.ts';
import { chartsOf, MOST_POINTS, thinned } from '../../src/report/curves.ts';
import { renderReport } from '../../src/report/report.ts';
import { EVIL, reportData } from './report-data.ts';

describe('renderReport', () => {
  it('has everything of a run', () => {
    const page = renderReport(reportData());
    for (const text of [
      'val_accuracy',
      '36.8%',
      'optimizer: { lr: 0.1 }',
      'Linear',
      'AVX-512',
      'checkpoints/best',
      'data:image/png;base64,',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('shows what hostile names say, and never obeys them', () => {
    const plain = renderReport(reportData());
    const page = renderReport(reportData({ evil: true }));
    const tags = (text: string) => [...text.matchAll(/<[a-z]+/g)].length;
    expect(page).toContain('&lt;script&gt;');
    expect(page).not.toContain(EVIL);
    expect(page.match(/<script/g)).toEqual(plain.match(/<script/g));
    expect(page.match(/<img/g)).toEqual(plain.match(/<img/g));
    expect(tags(page)).toBe(tags(plain));
    expect(page).not.toMatch(/href="(?!\.\/)/);
  });

  it('is made from next to nothing', () => {
    const page = renderReport({
      ...reportData(),
      ...{ records: [], metrics: {}, model: null, predictions: null, best: null, files: [] },
      ...{ step: null, seconds: null, started: null, total_steps: null, environment: {} },
    });
    expect(page).toContain('Nothing was recorded.');
    expect(page).not.toMatch(/>(undefined|NaN|\[object)/);
  });

  it('stays small whatever there is', () => {
    const records = Array.from({ length: 50_000 }, (_, i) => ({
      ...{ step: i + 1, epoch: 1, split: 'train', loss: 1 / (i + 1), lr: 0.1 },
    }));
    const many = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
    const confusion = many.map((_, i) => many.map((__, j) => ((i * 7 + j) % 11 === 0 ? 1 : 0)));
    const base = reportData();
    const predictions = { ...base.predictions!, classes: many, confusion };
    const page = renderReport({ ...base, records, predictions });
    expect(page.length).toBeLessThan(600_000);
  });
});

describe('chartsOf', () => {
  const record = (step: number, split: string, values: object) => ({ step, split, ...values });

  it('draws a metric of all splits over the same steps, the loss first', () => {
    const charts = chartsOf([
      record(2, 'train', { accuracy: 0.5, loss: 3, lr: 0.1 }),
      record(4, 'train', { accuracy: 0.6, loss: 2, lr: 0.1 }),
      record(4, 'val', { accuracy: 0.4, loss: 2.5, lr: 0.1 }),
      record(6, 'val', { accuracy: 0.45, loss: -1, lr: 0.1 }),
    ]);
    expect(charts.map(({ title }) => title)).toEqual(['loss', 'accuracy', 'learning rate']);
    expect(charts[0]).toEqual({
      title: 'loss',
      steps: [2, 4, 6],
      lines: [
        { name: 'train', values: [3, 2, null] },
        { name: 'val', values: [null, 2.5, -1] },
      ],
      percent: false,
      positive: false,
    });
    expect(charts[1]).toMatchObject({ percent: true, positive: true });
    expect(charts[2]!.lines).toHaveLength(1);
  });

  it('thins long lines, and keeps their ends and peaks', () => {
    const points = Array.from({ length: 20_000 }, (_, i): [number, number] => [i, Math.sin(i)]);
    points[12_345] = [12_345, 99];
    const few = thinned(points);
    expect(few.length).toBeLessThanOrEqual(MOST_POINTS);
    expect(few[0]).toEqual(points[0]);
    expect(few.at(-1)).toEqual(points.at(-1));
    expect(few).toContainEqual([12_345, 99]);
    expect(few.map(([step]) => step)).toEqual([...few.map(([step]) => step)].sort((a, b) => a - b));
  });
});

describe('scoresOf', () => {
  it('has precision, recall and F1 of each class', () => {
    const scores = scoresOf(
      ['a', 'b', 'never'],
      [
        [8, 2, 0],
        [4, 6, 0],
        [0, 0, 0],
      ],
    );
    expect(scores[0]).toEqual({
      name: 'a',
      support: 10,
      precision: 8 / 12,
      recall: 0.8,
      f1: 16 / 22,
    });
    expect(scores[2]).toMatchObject({ support: 0, precision: Number.NaN, recall: Number.NaN });
  });
});
