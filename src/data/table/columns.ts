/** A table in memory, column by column. */

import { ConfigError } from '../../base/errors.ts';

export interface NumberColumn {
  readonly kind: 'numbers';
  /** NaN where a value is missing. */
  readonly values: Float64Array;
}

export interface TextColumn {
  readonly kind: 'text';
  /** Empty where a value is missing. */
  readonly values: readonly string[];
}

export type Column = NumberColumn | TextColumn;

export interface Table {
  /** Which rows of the file these are, as a person counts them: a header is the first. */
  readonly rows: Int32Array;
  /** In the file's order. */
  readonly columns: ReadonlyMap<string, Column>;
}

/** The rows at `places`, in that order. */
export function takeRows(table: Table, places: Int32Array): Table {
  const columns = [...table.columns].map(([name, column]): [string, Column] => [
    name,
    column.kind === 'numbers'
      ? { kind: 'numbers', values: Float64Array.from(places, (row) => column.values[row]!) }
      : { ...column, values: Array.from(places, (row) => column.values[row]!) },
  ]);
  return { rows: places.map((place) => table.rows[place]!), columns: new Map(columns) };
}

/** Which row of the file stands at `place`. */
export function rowNumber({ rows }: Table, place: number): number {
  return rows[place]!;
}

/** What stands in the column, as text; empty where a value is missing. */
export function words(column: Column): string[] {
  if (column.kind === 'text') return [...column.values];
  return Array.from(column.values, (value) => (Number.isNaN(value) ? '' : String(value)));
}

export function pick(columns: Table['columns'], names: readonly string[]): Map<string, Column> {
  return new Map(names.map((wanted) => [wanted, columns.get(wanted)!]));
}

/** What to do about values that are no numbers. */
interface Advice {
  readonly words: string;
  readonly missing: string;
}

/**
 * (rows, columns) of float32, row-major.
 *
 * @throws ConfigError with the advice that fits, for words and for missing values.
 */
export function matrix(table: Table, advice: Advice): Float32Array {
  const width = table.columns.size;
  const result = new Float32Array(table.rows.length * width);
  for (const [at, [name, column]] of [...table.columns].entries()) {
    for (const [place, value] of column.values.entries()) {
      if (typeof value === 'string' || Number.isNaN(value)) {
        throw new ConfigError(`[table] ${notNumber(table, name, advice)}`);
      }
      result[place * width + at] = value;
    }
  }
  return result;
}

function notNumber(table: Table, name: string, advice: Advice): string {
  const texts = words(table.columns.get(name)!);
  const place = texts.findIndex((text) => text === '' || Number.isNaN(Number(text)));
  const row = rowNumber(table, Math.max(0, place));
  if (texts[place] === '') return `column "${name}" has no value in row ${row}: ${advice.missing}`;
  return `column "${name}" has "${texts[place] ?? texts[0]}" in row ${row}: ${advice.words}`;
}
