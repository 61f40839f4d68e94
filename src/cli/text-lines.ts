/** What `torchts data inspect` says of texts. */

import type { TextStatistics } from '../data/inspection/text-statistics.ts';
import { count, oneLine, percent, table } from './format.ts';

interface Inspected {
  readonly texts?: TextStatistics | undefined;
}

export function textLines({ texts }: Inspected): string[] {
  if (texts === undefined) return [];
  const { vocabulary, unknown, median_length, p95_length } = texts;
  return [
    `  texts   ${count(vocabulary)} tokens are known, ${percent(unknown)} of the texts' are not; half ` +
      `have at most ${count(median_length)}, 95% at most ${count(p95_length)}`,
  ];
}

/** Some texts, as the model gets them. */
export function textTable({ texts }: Inspected): string {
  if (texts === undefined) return '';
  const withClass = texts.examples.some((example) => example.class !== undefined);
  const rows = texts.examples.map(({ class: name, text }) => {
    const line = oneLine(text);
    return withClass ? [name ?? '', line] : [line];
  });
  return table(withClass ? ['class', 'text'] : ['text'], rows, []);
}
