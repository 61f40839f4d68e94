/** The formats that a model is written in, by the names of commands and files. */

import { extname } from 'node:path';
import { ConfigError } from '../../base/errors.ts';

/** Of weights alone. */
export const WEIGHTS_FORMATS = ['safetensors', 'pt'] as const;
export type WeightsFormat = (typeof WEIGHTS_FORMATS)[number];

/** Of a model: its weights, or also what is computed with them. */
export const EXPORT_FORMATS = [...WEIGHTS_FORMATS, 'onnx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const BY_EXTENSION: Readonly<Record<string, ExportFormat>> = {
  '.safetensors': 'safetensors',
  '.pt': 'pt',
  '.pth': 'pt',
  '.bin': 'pt',
  '.onnx': 'onnx',
};

/**
 * The format of a file that is to be written: the one that was asked for, else by its name.
 *
 * @throws ConfigError when its name says none, another one, or one that is none of `known`.
 */
export function formatOf<Format extends ExportFormat>(
  file: string,
  asked: Format | undefined,
  known: readonly Format[],
): Format {
  const extension = extname(file).toLowerCase();
  const named = BY_EXTENSION[extension];
  if (asked !== undefined) {
    if (named === undefined || named === asked) return asked;
    throw new ConfigError(`--format ${asked} cannot go into ${file}, whose name says ${named}`);
  }
  const found = known.find((format) => format === named);
  if (found !== undefined) return found;
  const names = Object.keys(BY_EXTENSION).filter((each) =>
    (known as readonly ExportFormat[]).includes(BY_EXTENSION[each]!),
  );
  throw new ConfigError(`${file} must end in ${names.join(', ')}, which says its format`);
}
