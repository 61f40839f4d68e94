/** Tables of files whose values have types of their own: JSON lines and Parquet. */

import { FileError } from '../../base/errors.ts';
import { ParquetFile } from '../../io/parquet.ts';
import { readText } from '../../io/source.ts';
import type { Column, Table } from './columns.ts';
import { MOST_BYTES, type ReadOptions } from './csv.ts';

/**
 * A file of one JSON object a line, whose keys are the columns; a key that a line lacks is a
 * missing value. Throws a `FileError` that names the line.
 */
export function readJsonLines(path: string, options: ReadOptions): Table {
  const text = readText(path, MOST_BYTES);
  const columns = new Map<string, unknown[]>();
  const rows: number[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    for (const [name, value] of Object.entries(parseLine(path, i + 1, line))) {
      const values = columns.get(name) ?? [];
      columns.set(name, values);
      values[rows.length] = value;
    }
    rows.push(i + 1);
  }
  if (rows.length === 0) throw new FileError(`${path} has no lines`);
  for (const values of columns.values()) values.length = rows.length;
  return tableOf(path, Int32Array.from(rows), columns, options);
}

function parseLine(path: string, number: number, line: string): object {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    const [reason] = (error as Error).message.split('\n');
    throw new FileError(`${path}: line ${number}: ${reason}`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new FileError(`${path}: line ${number} is no object of names and values`);
}

/** The columns at the top of a Parquet file. Throws a `FileError`. */
export function readParquet(path: string, options: ReadOptions): Table {
  const file = new ParquetFile(path);
  if (file.rows === 0) throw new FileError(`${path} has no rows`);
  const columns = new Map<string, unknown[]>();
  for (const { name, isNested } of file.columns) {
    if (options.skip?.(name)) {
      columns.set(name, []);
      continue;
    }
    if (isNested) throw nested(path, name);
    const groups = Array.from({ length: file.groups }, (_, group) => file.values(group, [name]));
    columns.set(name, groups.flat());
  }
  const rows = Int32Array.from({ length: file.rows }, (_, row) => row + 1);
  return tableOf(path, rows, columns, options);
}

function nested(path: string, name: string): FileError {
  return new FileError(
    `${path}: column "${name}" is no column of numbers or words; exclude it, or name the features`,
  );
}

function tableOf(
  path: string,
  rows: Int32Array,
  columns: ReadonlyMap<string, unknown[]>,
  { na_values, kinds, skip }: ReadOptions,
): Table {
  const missing = new Set<unknown>(['', ...na_values]);
  const made = [...columns].map(([name, values]): [string, Column] => {
    if (skip?.(name)) return [name, { kind: 'text', values: Array.from(rows, () => '') }];
    const cells = values.map((value) => (missing.has(value) ? undefined : cellOf(value)));
    const wrong = cells.indexOf(null);
    if (wrong >= 0) throw nested(path, name);
    const words = cells.findIndex((cell) => typeof cell === 'string');
    const kind = kinds?.get(name) ?? (words < 0 ? 'numbers' : 'text');
    if (kind === 'text') return [name, { kind, values: cells.map((cell) => String(cell ?? '')) }];
    if (words < 0) return [name, { kind, values: Float64Array.from(cells, numberOf) }];
    throw new FileError(
      `${path}: column "${name}" has "${cells[words]}" in row ${rows[words]}, which is no number`,
    );
  });
  return { rows, columns: new Map(made) };
}

type Cell = number | string | undefined | null;

/** Nothing for a missing value, `null` for what no cell of a table can be. */
function cellOf(value: unknown): Cell {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'string':
      return value;
    case 'boolean':
    case 'bigint':
      return Number(value);
    default:
      return value === null || value === undefined ? undefined : null;
  }
}

function numberOf(cell: Cell): number {
  return typeof cell === 'number' ? cell : Number.NaN;
}
