/** The formats of tables, by the names of their files. */

import { extname } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import type { Table } from './columns.ts';
import { type CsvOptions, readCsv } from './csv.ts';
import { readJsonLines, readParquet } from './records.ts';

/** A format of tables: how the names of its files end, and how they are read. */
export interface Format {
  readonly extensions: readonly string[];
  read(path: string, options: CsvOptions): Table;
}

export const CSV: Format = { extensions: ['.csv', '.tsv'], read: readCsv };
export const JSON_LINES: Format = { extensions: ['.jsonl', '.ndjson'], read: readJsonLines };
export const PARQUET: Format = { extensions: ['.parquet'], read: readParquet };

const FORMATS = [CSV, JSON_LINES, PARQUET];

/** How the names of tables of any format end. */
export const TABLE_EXTENSIONS = FORMATS.flatMap(({ extensions }) => extensions);

/** The format that the name of a file tells. Throws a `ConfigError` where it tells none. */
export function formatOf(path: string): Format {
  const found = FORMATS.find(({ extensions }) => extensions.includes(extname(path).toLowerCase()));
  if (found !== undefined) return found;
  throw new ConfigError(
    `${path} is no table: its name ends in none of ${TABLE_EXTENSIONS.join(', ')}`,
  );
}
