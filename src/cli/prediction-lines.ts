/** Predictions as a table, as JSON and as CSV. */

import type { Prediction } from '../train/request.ts';
import { decimal, percent, table } from './format.ts';

export const PREDICTION_FORMATS = ['table', 'json', 'csv'] as const;
export type PredictionFormat = (typeof PREDICTION_FORMATS)[number];

/** Turns predictions into text as they come. */
export interface PredictionWriter {
  /** The text that comes with `prediction`; it may be empty. */
  add(prediction: Prediction): string;
  /** The text behind the last one. */
  end(): string;
}

export function predictionWriter(format: PredictionFormat): PredictionWriter {
  return WRITERS[format]();
}

const WRITERS: Record<PredictionFormat, () => PredictionWriter> = {
  table: tableWriter,
  json: jsonWriter,
  csv: csvWriter,
};

/** Numbers of a sample that a line shows. */
const MOST_VALUES = 8;

/** Its columns are as wide as the widest cell, so it is written at the end. */
function tableWriter(): PredictionWriter {
  let titles: string[] = [];
  const rows: string[][] = [];
  return {
    add(prediction) {
      const { file, row, classes = [] } = prediction;
      const values = Object.entries(prediction.values ?? {});
      const shown = values.slice(0, MOST_VALUES);
      const [rest, ellipsis] = values.length > MOST_VALUES ? [['...'], ['']] : [[], []];
      titles = [
        'file',
        ...(row === undefined ? [] : ['row']),
        ...classes.flatMap(() => ['class', '']),
        ...shown.map(([name]) => name),
        ...rest,
      ];
      rows.push([
        file,
        ...(row === undefined ? [] : [String(row)]),
        ...classes.flatMap((likely) => [likely.class, percent(likely.probability)]),
        ...shown.map(([, value]) => decimal(value)),
        ...ellipsis,
      ]);
      return '';
    },
    end() {
      if (rows.length === 0) return '';
      const right = titles.flatMap((title, i) => (title === 'class' || i === 0 ? [] : [i]));
      return `${table(titles, rows, right)}\n`;
    },
  };
}

/** An array with one prediction a line. */
function jsonWriter(): PredictionWriter {
  let count = 0;
  return {
    add: ({ event: _, ...prediction }) =>
      `${count++ === 0 ? '[\n' : ',\n'}${JSON.stringify(prediction)}`,
    end: () => (count === 0 ? '[]\n' : '\n]\n'),
  };
}

/** One prediction a line below a header; `class_2` and so on follow where several are asked for. */
function csvWriter(): PredictionWriter {
  let header = true;
  return {
    add({ file, row, classes = [], values = {} }) {
      const cells: [string, string | number][] = [
        ['file', file],
        ...(row === undefined ? [] : ([['row', row]] as [string, number][])),
        ...classes.flatMap(({ class: name, probability }, i): [string, string | number][] => {
          const place = i === 0 ? '' : `_${i + 1}`;
          return [
            [`class${place}`, name],
            [`probability${place}`, probability],
          ];
        }),
        ...Object.entries(values),
      ];
      const titles = header ? csvLine(cells.map(([title]) => title)) : '';
      header = false;
      return titles + csvLine(cells.map(([, cell]) => cell));
    },
    end: () => '',
  };
}

/** https://www.rfc-editor.org/rfc/rfc4180 */
function csvLine(cells: readonly (string | number)[]): string {
  const quoted = cells.map((cell) => {
    const text = String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(',')}\n`;
}
