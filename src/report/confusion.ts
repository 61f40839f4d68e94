/** Which classes were taken for which. */

import { count, percent } from '../base/words.ts';
import type { Predictions } from './data.ts';
import { Html, html } from './html.ts';

/** More rows and columns than this are no picture any more. */
const MOST_IN_MATRIX = 25;
const MOST_CONFUSIONS = 12;
const MOST_CLASSES = 300;

interface ClassScore {
  readonly name: string;
  readonly support: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export function confusionSection({ classes, confusion, split, samples, of }: Predictions): Html {
  const right = confusion.reduce((sum, row, i) => sum + row[i]!, 0);
  const part = samples < of ? html`the first ${count(samples)} of ${count(of)}` : count(samples);
  return html`<p>${percent(right / Math.max(1, samples))} of ${part} samples of <code>${split}</code> are right.</p>
${classes.length <= MOST_IN_MATRIX ? matrix(classes, confusion) : undefined}
${confusions(classes, confusion)}
${scoreTable(scoresOf(classes, confusion))}`;
}

/** Rows are the actual classes; a cell's shade is its share of the row. */
function matrix(classes: readonly string[], confusion: Predictions['confusion']): Html {
  const rows = confusion.map((row, i) => {
    const all = Math.max(1, sum(row));
    const cells = row.map((value, j) => {
      const share = (value / all).toFixed(3);
      const kind = i === j ? 'hit' : 'miss';
      const title = `${classes[i]} taken for ${classes[j]}: ${count(value)}`;
      return html`<td class="${kind}" style="--share:${share}" title="${title}">${value || ''}</td>`;
    });
    return html`<tr><th scope="row">${classes[i]}</th>${cells}</tr>
`;
  });
  return html`<div class="wide"><table class="matrix">
<caption>Rows: the actual class. Columns: the predicted one.</caption>
<thead><tr><td></td>${classes.map((name) => html`<th scope="col"><span>${name}</span></th>`)}</tr></thead>
<tbody>${rows}</tbody>
</table></div>`;
}

/** The commonest mistakes, in words. */
function confusions(classes: readonly string[], confusion: Predictions['confusion']): Html {
  const all = confusion.flatMap((row, i) =>
    row.flatMap((value, j) => (i !== j && value > 0 ? [{ i, j, value }] : [])),
  );
  if (all.length === 0) return new Html('');
  all.sort((a, b) => b.value - a.value);
  const items = all.slice(0, MOST_CONFUSIONS).map(
    ({
      i,
      j,
      value,
    }) => html`<li><b>${classes[i]}</b> taken for <b>${classes[j]}</b>: ${count(value)}</li>
`,
  );
  return html`<h3>Commonest mistakes</h3><ol class="columns">${items}</ol>`;
}

export function scoresOf(
  classes: readonly string[],
  confusion: Predictions['confusion'],
): ClassScore[] {
  const predicted = classes.map((_, j) => sum(confusion.map((row) => row[j]!)));
  return classes.map((name, i) => {
    const support = sum(confusion[i]!);
    const right = confusion[i]![i]!;
    const precision = right / predicted[i]!;
    const recall = right / support;
    // Of the counts, so that it is there when one of the two is not.
    const f1 = (2 * right) / (support + predicted[i]!);
    return { name, support, precision, recall, f1 };
  });
}

function scoreTable(scores: readonly ClassScore[]): Html {
  const shown = [...scores].sort((a, b) => worth(a) - worth(b)).slice(0, MOST_CLASSES);
  const rows = shown.map(
    ({ name, support, precision, recall, f1 }) => html`<tr><th scope="row">${name}</th><td>${share(
      precision,
    )}</td><td>${share(recall)}</td><td>${share(f1)}</td><td>${count(support)}</td></tr>
`,
  );
  const left = scores.length - shown.length;
  return html`<h3>Classes, the worst first</h3>
<div class="scroll"><table class="numbers">
<thead><tr><th>class</th><th>precision</th><th>recall</th><th>F1</th><th>samples</th></tr></thead>
<tbody>${rows}</tbody>
</table></div>${left > 0 ? html`<p class="quiet">and ${count(left)} more</p>` : undefined}`;
}

/** Classes without samples go last. */
function worth({ f1 }: ClassScore): number {
  return Number.isFinite(f1) ? f1 : 2;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Nothing was predicted, or there was nothing to predict: no share of it. */
function share(value: number): string {
  return Number.isFinite(value) ? percent(value) : '–';
}
