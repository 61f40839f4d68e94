/** Places in config text, and faults that point at them. */

import path from 'node:path';
import { ConfigError } from '../base/errors.ts';

/** One text that values were read from: a file, or a `key=value` argument. */
export interface SourceText {
  /** The file as a user would write it, or `undefined` for an argument of the command line. */
  readonly file: string | undefined;
  readonly lines: readonly string[];
}

/** A place in a text; lines and columns count from 1. */
export interface Place {
  readonly source: SourceText;
  readonly line: number;
  readonly column: number;
}

/** A path into a config: keys of objects and indices of lists. */
export type ConfigPath = readonly (string | number)[];

/** One thing that is wrong with a config. */
export interface Fault {
  readonly place: Place;
  /** Empty where the fault is in the text itself rather than in a value. */
  readonly path: ConfigPath;
  readonly message: string;
}

/** `file.yaml:12:7`, or `command line` for an argument. */
export function formatPlace(place: Place): string {
  const { file } = place.source;
  return file === undefined ? 'command line' : `${file}:${place.line}:${place.column}`;
}

/** `model.layers[2].out_channels`. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** Two or three lines: the place, the path and the message; the source line; a caret below it. */
export function formatFault(fault: Fault): string {
  const where = fault.path.length === 0 ? '' : ` ${formatPath(fault.path)}`;
  const colon = where === '' && fault.place.source.file !== undefined ? '' : ':';
  const head = `${formatPlace(fault.place)}${where}${colon} ${fault.message}`;
  return [head, ...snippet(fault.place)].join('\n');
}

const SNIPPET_WIDTH = 96;

function snippet({ source, line, column }: Place): string[] {
  const text = source.lines[line - 1];
  if (text === undefined || text.trim() === '') return [];
  const start = Math.max(0, column - 1 - SNIPPET_WIDTH / 2);
  const shown = text.slice(start, start + SNIPPET_WIDTH);
  const before = shown.slice(0, column - 1 - start);
  // A tab stays a tab above the caret; other control characters could move the cursor.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be printed
  const clean = shown.replaceAll(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, '\ufffd');
  return [`    ${clean}`, `    ${before.replaceAll(/[^\t]/g, ' ')}^`];
}

/** One error for all faults, in the order of the text. */
export function configError(faults: readonly Fault[]): ConfigError {
  const files = [...new Set(faults.map((fault) => fault.place.source))];
  const sorted = [...faults].sort(
    (a, b) =>
      files.indexOf(a.place.source) - files.indexOf(b.place.source) ||
      a.place.line - b.place.line ||
      a.place.column - b.place.column,
  );
  return new ConfigError(sorted.map(formatFault).join('\n'));
}

/** A file's name as messages show it: relative to the working directory when inside it. */
export function displayName(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative === '' || relative.startsWith('..') || path.isAbsolute(relative)
    ? file
    : relative;
}
