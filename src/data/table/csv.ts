/** Files of comma-separated values. */

import { readFileSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { FileError } from '../../base/errors.ts';
import type { Column, Table } from './columns.ts';

/** What stands for a missing value where nothing else is said, beside nothing at all. */
export const NA_VALUES = ['NA', 'N/A', 'NaN', 'nan', 'null', '?'];

/** What stands between the values of a file where nothing else is said. */
export function usualDelimiter(path: string): string {
  return extname(path) === '.tsv' ? '\t' : ',';
}

/** What all readers of tables are told. */
export interface ReadOptions {
  /** What stands for a missing value, beside nothing at all. */
  readonly na_values: readonly string[];
  /** The kinds of some columns; of the others the values tell. */
  readonly kinds?: ReadonlyMap<string, Column['kind']> | undefined;
  /** Whether a column is of no interest: it may hold anything, and is given as missing values. */
  readonly skip?: ((name: string) => boolean) | undefined;
}

export interface CsvOptions extends ReadOptions {
  readonly delimiter?: string | undefined;
}

/** A text of more bytes than this would not fit into memory several times over. */
export const MOST_BYTES = 2 ** 30;

/**
 * Reads a file whose first row names the columns. A column is of numbers when all its values are.
 *
 * @throws FileError that names the file and the row of what is wrong.
 */
export function readCsv(path: string, { delimiter, na_values, kinds }: CsvOptions): Table {
  const [header, ...rows] = parseRows(path, delimiter ?? usualDelimiter(path));
  if (header === undefined)
    throw new FileError(`${path} is empty; its first row names the columns`);
  const twice = header.find((name, i) => header.indexOf(name) !== i);
  if (twice !== undefined) throw new FileError(`${path} has two columns named "${twice}"`);
  if (rows.length === 0) throw new FileError(`${path} has no rows below its header`);
  const missing = new Set(na_values);
  const columns = header.map((name, i): [string, Column] => {
    const texts = rows.map((row) => (missing.has(row[i]!) ? '' : row[i]!));
    const found = column(texts, kinds?.get(name));
    if (typeof found !== 'number') return [name, found];
    const [text, row] = [texts[found], found + 2];
    throw new FileError(
      `${path}: column "${name}" has "${text}" in row ${row}, which is no number`,
    );
  });
  return { rows: Int32Array.from(rows, (_, row) => row + 2), columns: new Map(columns) };
}

function parseRows(path: string, delimiter: string): string[][] {
  try {
    const { size } = statSync(path);
    if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, more than ${MOST_BYTES}`);
    return parse(readFileSync(path), { bom: true, delimiter, skip_empty_lines: true, trim: true });
  } catch (error) {
    throw new FileError(`cannot read ${path}: ${reasonOf(error as Error)}`);
  }
}

function reasonOf(error: Error): string {
  if (!(error instanceof CsvError)) return error.message;
  const { lines } = error as CsvError & { lines?: number };
  const message = error.message.replace(/ on line \d+$/, '').replace(/^[A-Z][a-z]+ [A-Z].*?: /, '');
  return lines === undefined ? message : `line ${lines}: ${message}`;
}

/** The column, or the place of what is no number in one that should be of numbers. */
function column(texts: string[], kind?: Column['kind']): Column | number {
  const numbers = Float64Array.from(texts, (text) => (text === '' ? Number.NaN : Number(text)));
  const other = texts.findIndex((text, i) => text !== '' && !Number.isFinite(numbers[i]));
  if (kind === 'numbers' && other >= 0) return other;
  return (kind ?? (other < 0 ? 'numbers' : 'text')) === 'numbers'
    ? { kind: 'numbers', values: numbers }
    : { kind: 'text', values: texts };
}
