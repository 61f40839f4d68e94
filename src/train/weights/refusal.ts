/** Weights that do not fit a model, in words. */

import { misfits, type StateMatch } from '../../nn/index.ts';

/** Of more, the others are counted. */
const MOST_MISFITS = 12;

/** What is wrong with `file` as the weights of a model, in lines, and what would help. */
export function refusal(file: string, match: StateMatch): string {
  if (match.pairs.size + match.mismatched_keys.length === 0) {
    const [first] = match.missing_keys;
    const [other] = [...match.unexpected_keys, ...match.excluded_keys];
    return (
      `${file} has nothing that fits: the model has keys such as ${first ?? 'none'}, the file ` +
      `such as ${other ?? 'none'}; see prefix and rename in docs/weights.md`
    );
  }
  const all = misfits(match);
  const shown = all.slice(0, MOST_MISFITS);
  if (all.length > shown.length) shown.push(`and ${all.length - shown.length} more`);
  if (match.pairs.size > 0) shown.push(`To go on: ${advice(match)}`);
  return [`${file} does not fit the model:`, ...shown].join('\n  ');
}

/** A new head is what most people want who load what does not fit. */
function advice(match: StateMatch): string {
  const lenient = 'strict: false loads what fits, and the rest begins anew';
  const head = headOf(match);
  if (head === undefined) return lenient;
  const exclude = head.map((part) => `'${part}'`).join(', ');
  return `exclude: [${exclude}] keeps a new head, or ${lenient}`;
}

/** Patterns of the parts of a model that do not fit, if they are few and that is all. */
export function headOf(match: StateMatch): string[] | undefined {
  const { mismatched_keys, missing_keys, unexpected_keys } = match;
  if (unexpected_keys.length > 0) return undefined;
  const parts = new Set(
    [...mismatched_keys.map(({ key }) => key), ...missing_keys].map((key) =>
      key.split('.').slice(0, -1).join('.'),
    ),
  );
  if (parts.size === 0 || parts.size > 2 || parts.has('')) return undefined;
  return [...parts].map((part) => `${part}.*`);
}
