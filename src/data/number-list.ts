/** Files of numbers: a JSON list (`.json`), or numbers with blanks or line breaks between them. */

import { readFileSync, statSync } from 'node:fs';
import { FileError } from '../base/errors.ts';
import { resolveRoot } from './paths.ts';

const MOST_BYTES = 2 ** 28;

/** @throws FileError that names the file where it is missing or holds something else. */
export function readNumbers(path: string): Float64Array {
  const text = readText(resolveRoot(path));
  const items = path.endsWith('.json')
    ? jsonList(text, path)
    : text.split(/\s+/).filter((word) => word !== '');
  const numbers = new Float64Array(items.length);
  for (const [i, item] of items.entries()) {
    const isNumeric = typeof item === 'number' || typeof item === 'string';
    const number = isNumeric ? Number(item) : Number.NaN;
    if (!Number.isFinite(number)) {
      throw new FileError(`${path}: item ${i} is ${JSON.stringify(item)}, which is no number`);
    }
    numbers[i] = number;
  }
  return numbers;
}

function readText(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, more than ${MOST_BYTES}`);
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    throw new FileError(`cannot read ${file}: ${(error as Error).message}`);
  }
}

function jsonList(text: string, path: string): unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FileError(`${path} is no JSON: ${(error as Error).message}`);
  }
  if (Array.isArray(value)) return value;
  throw new FileError(`${path} must hold a list of numbers`);
}
