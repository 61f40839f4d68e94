/** How new texts become samples like those of a data set of texts. */

import { extname } from 'node:path';
import { readText } from '../../io/source.ts';
import type { EncodedFile, SampleEncoder } from '../dataset.ts';
import { MOST_BYTES } from '../table/csv.ts';
import { TABLE_EXTENSIONS } from '../table/formats.ts';
import type { TextCoder } from './text-coder.ts';
import { readTextTable, type TextColumns, textsOf } from './texts-file.ts';

/** A file with a text a line. */
const LINES = '.txt';

/**
 * Reads tables with the column of the texts, and `.txt` files with a text a line, where empty lines
 * are passed over.
 *
 * @param outputs the names of the numbers that are predicted; none for classes.
 */
export function textEncoder(
  coder: TextCoder,
  columns: Omit<TextColumns, 'others'>,
  outputs: readonly string[],
): SampleEncoder {
  const encoded = (name: string, texts: readonly string[], rows?: Int32Array): EncodedFile => {
    const { tokens, bounds } = coder.encode(texts, name);
    const inputs = BigInt64Array.from(tokens, BigInt);
    return { length: texts.length, inputs, bounds, rows, texts };
  };
  return {
    kind: 'text',
    extensions: [...TABLE_EXTENSIONS, LINES],
    ...(outputs.length > 0 && { outputs }),
    preparation: { transforms: [coder.step], columns: [columns.text] },
    encode: async (path) => {
      if (extname(path).toLowerCase() === LINES) {
        const { texts, rows } = linesOf(path);
        return encoded(path, texts, rows);
      }
      const table = readTextTable(path, columns);
      return encoded(path, textsOf(table, columns.text), table.rows);
    },
    encodeTexts: (texts) => encoded('the request', texts),
  };
}

function linesOf(path: string) {
  const lines = readText(path, MOST_BYTES)
    .split(/\r?\n/)
    .map((text, i) => ({ text, row: i + 1 }))
    .filter(({ text }) => text.trim() !== '');
  return {
    texts: lines.map(({ text }) => text),
    rows: Int32Array.from(lines, ({ row }) => row),
  };
}
