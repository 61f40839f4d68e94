/** What was taken from a file of weights, in words. */

import type { WeightsReport } from '../train/task/initial-weights.ts';
import { count } from './format.ts';

/** More names are counted. */
const MOST_NAMES = 6;

/** One line on all of it, which begins with the file. */
export function weightsLine(report: Omit<WeightsReport, 'ema' | 'sha256'>): string {
  const { file, taken, keys, kept_keys, unexpected_keys, excluded_keys } = report;
  const unused = unexpected_keys.length + excluded_keys.length;
  return [
    `${file}: ${count(taken)} of ${count(keys)} tensors`,
    ...notes(report),
    ...(kept_keys.length === 0 ? [] : [`as initialised: ${named(kept_keys)}`]),
    ...(unused === 0 ? [] : [`${count(unused)} of the file are not used`]),
  ].join('; ');
}

/** How the values came to fit. */
function notes({ stripped, conversions }: Pick<WeightsReport, 'stripped' | 'conversions'>) {
  return [
    ...(stripped === '' ? [] : [`without the "${stripped}" that their names begin with`]),
    ...Object.entries(conversions).map(([change, number]) => `${count(number)} from ${change}`),
  ];
}

function named(keys: readonly string[]): string {
  const shown = keys.slice(0, MOST_NAMES).join(', ');
  const more = keys.length - MOST_NAMES;
  return more > 0 ? `${shown} and ${count(more)} more` : shown;
}
