/** What was measured over the steps, as charts. */

import { isRate } from '../callbacks/training-run.ts';
import type { ReportRecord } from './data.ts';
import { type Html, html } from './html.ts';

export interface Chart {
  readonly title: string;
  /** Steps that any line has a point at, ascending. */
  readonly steps: readonly number[];
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  /** Values between 0 and 1 that are read as percentages. */
  readonly percent: boolean;
  /** Whether a logarithmic scale makes sense. */
  readonly positive: boolean;
}

/** Points a line may have; of more, every part keeps its lowest and its highest. */
export const MOST_POINTS = 1000;

/** Keys of a record that are no metrics; the last two have charts of their own, at the end. */
const PLACE = ['step', 'epoch', 'split', 'time', 'event', 'samples', 'lr', 'samples_per_second'];
const OTHERS = [
  ['lr', 'learning rate'],
  ['samples_per_second', 'samples per second'],
] as const;

type Point = readonly [step: number, value: number];

/** The charts of all records: loss first, then the other metrics, then rate and speed. */
export function chartsOf(records: readonly ReportRecord[]): Chart[] {
  const keys = [...new Set(records.flatMap((record) => Object.keys(record)))];
  const metrics = keys.filter((key) => !PLACE.includes(key)).sort(lossFirst);
  const named = [...metrics.map((key) => [key, key] as const), ...OTHERS];
  return named.map(([key, title]) => chart(key, title, records)).filter((c) => c.lines.length > 0);
}

function lossFirst(a: string, b: string): number {
  return Number(b === 'loss') - Number(a === 'loss');
}

function chart(key: string, title: string, records: readonly ReportRecord[]): Chart {
  const splits = new Map<string, Point[]>();
  for (const { split, step, ...record } of records) {
    const value = record[key];
    if (typeof value !== 'number' || (isRate(key) && split !== 'train')) continue;
    const points = splits.get(split) ?? [];
    points.push([step, value]);
    splits.set(split, points);
  }
  const lines = [...splits].map(([name, points]) => ({ name, points: thinned(points) }));
  const steps = [...new Set(lines.flatMap(({ points }) => points.map(([step]) => step)))];
  steps.sort((a, b) => a - b);
  const all = lines.flatMap(({ points }) => points.map(([, value]) => value));
  return {
    title,
    steps,
    lines: lines.map(({ name, points }) => {
      const values = new Map(points);
      return { name, values: steps.map((step) => values.get(step) ?? null) };
    }),
    percent: key.endsWith('accuracy'),
    positive: all.every((value) => value > 0),
  };
}

/** At most `MOST_POINTS`, among them the first, the last and every peak. */
export function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= MOST_POINTS) return points;
  const parts = MOST_POINTS / 2 - 1;
  const kept: Point[] = [points[0]!];
  for (let part = 0; part < parts; part++) {
    const [start, end] = [part, part + 1].map((i) => Math.floor((i * points.length) / parts));
    const slice = points.slice(start, end);
    const low = slice.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = slice.reduce((a, b) => (b[1] > a[1] ? b : a));
    kept.push(...(low[0] <= high[0] ? [low, high] : [high, low]));
  }
  kept.push(points.at(-1)!);
  return [...new Map(kept.map((point) => [point[0], point])).values()];
}

export function curves(charts: readonly Chart[]): Html {
  if (charts.length === 0) return html`<p class="quiet">Nothing was recorded.</p>`;
  return html`<div class="charts">${charts.map(
    ({ title, positive }, i) => html`<figure class="chart">
<figcaption>${title}${
      positive ? html` <label><input type="checkbox" data-log="${i}"> log scale</label>` : undefined
    }</figcaption>
<div data-chart="${i}"></div>
</figure>
`,
  )}</div>`;
}
