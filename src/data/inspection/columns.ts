/** What the columns of a table are like, as they stand in the file. */

import type { Column, Table } from '../table/columns.ts';
import { statisticsOf, type ValueStatistics } from './moments.ts';

export interface WordStatistics {
  readonly name: string;
  /** How many different words there are. */
  readonly distinct: number;
  /** The most frequent of them first, at most 100, with the number of rows that have each. */
  readonly words: readonly { readonly word: string; readonly count: number }[];
  readonly missing: number;
}

const MOST_WORDS = 100;

export type ColumnStatistics = WordStatistics | (ValueStatistics & { readonly name: string });

export function columnStatistics(columns: Table['columns']): ColumnStatistics[] {
  return [...columns].map(([name, column]) => ({ name, ...describe(column) }));
}

function describe(column: Column): ValueStatistics | Omit<WordStatistics, 'name'> {
  if (column.kind === 'numbers') return statisticsOf(column.values);
  const counts = new Map<string, number>();
  for (const word of column.values) counts.set(word, (counts.get(word) ?? 0) + 1);
  const missing = counts.get('') ?? 0;
  counts.delete('');
  const words = Array.from(counts, ([word, count]) => ({ word, count }));
  // Equally frequent ones stay in the order of the file.
  words.sort((a, b) => b.count - a.count);
  return { distinct: words.length, words: words.slice(0, MOST_WORDS), missing };
}
