/** Predictions as a table, as JSON and as CSV. */

import type { Prediction } from '../train/request.ts';
import { decimal, oneLine, percent, table } from './format.ts';

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

/** Columns of words. */
const LEFT = ['file', 'text', 'class'];
const MOST_CHARACTERS = 48;

/** Where a prediction's sample is from, as titles and cells. */
function originOf({ file, row, text }: Prediction): [title: string, cell: string | number][] {
  const all: [string, string | number | undefined][] = [
    ['file', file],
    ['row', row],
    ['text', text],
  ];
  return all.flatMap(([title, cell]) => (cell === undefined ? [] : [[title, cell]]));
}

/** A text in a line of a table. */
function shortened(text: string | number): string {
  const characters = [...oneLine(String(text))];
  if (characters.length <= MOST_CHARACTERS) return characters.join('');
  return `${characters.slice(0, MOST_CHARACTERS - 3).join('')}...`;
}

/** Its columns are as wide as the widest cell, so it is written at the end. */
function tableWriter(): PredictionWriter {
  let titles: string[] = [];
  const rows: string[][] = [];
  return {
    add(prediction) {
      const { classes = [] } = prediction;
      const origin = originOf(prediction);
      const values = Object.entries(prediction.values ?? {});
      const shown = values.slice(0, MOST_VALUES);
      const [rest, ellipsis] = values.length > MOST_VALUES ? [['...'], ['']] : [[], []];
      titles = [
        ...origin.map(([title]) => title),
        ...classes.flatMap(() => ['class', '']),
        ...shown.map(([name]) => name),
        ...rest,
      ];
      rows.push([
        ...origin.map(([title, cell]) => (title === 'text' ? shortened(cell) : String(cell))),
        ...classes.flatMap((likely) => [likely.class, percent(likely.probability)]),
        ...shown.map(([, value]) => decimal(value)),
        ...ellipsis,
      ]);
      return '';
    },
    end() {
      if (rows.length === 0) return '';
      const right = titles.flatMap((title, i) => (LEFT.includes(title) ? [] : [i]));
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
    add(prediction) {
      const { classes = [], values = {} } = prediction;
      const cells: [string, string | number][] = [
        ...originOf(prediction),
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
