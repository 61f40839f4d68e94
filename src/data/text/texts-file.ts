/** The texts in a column of a table. */

import { ConfigError } from '../../base/errors.ts';
import type { Table, TextColumn } from '../table/columns.ts';
import { formatOf } from '../table/formats.ts';
import { unknownColumn } from '../table/transforms.ts';

export interface TextColumns {
  /** The column of the texts. */
  readonly text: string;
  /** Other columns that are read. */
  readonly others?: readonly string[];
  readonly delimiter?: string | undefined;
}

/**
 * The rows of a file, with these columns. In a text nothing stands for a missing one.
 *
 * @throws FileError when it cannot be read; ConfigError where its name tells no format or it lacks
 *   a column.
 */
export function readTextTable(
  path: string,
  { text, others = [], delimiter }: TextColumns,
): Table & { readonly texts: readonly string[] } {
  const wanted = [text, ...others];
  const table = formatOf(path).read(path, {
    delimiter,
    na_values: [],
    kinds: new Map([[text, 'text']]),
    skip: (name) => !wanted.includes(name),
  });
  for (const name of wanted) {
    if (table.columns.has(name)) continue;
    throw new ConfigError(`[text] ${path}: ${unknownColumn(name, table.columns.keys())}`);
  }
  return { ...table, texts: textsOf(table, text) };
}

export function textsOf({ columns }: Table, name: string): readonly string[] {
  return (columns.get(name) as TextColumn).values;
}
