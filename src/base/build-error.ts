/** Faults in a part of a spec, which a config shows where that part stands. */

import { TorchtsError } from './errors.ts';
import { userMessage } from './user-code.ts';

export type SpecPath = readonly (string | number)[];

/** A fault in one part of a spec; `path` leads to it from the outermost one. */
export class BuildError extends TorchtsError {
  override readonly name = 'BuildError';

  constructor(
    message: string,
    readonly path: SpecPath,
  ) {
    super(message);
  }
}

/** The fault of the part at `path`, unless it is known as one of a part inside it. */
export function buildError(error: unknown, path: SpecPath): unknown {
  if (error instanceof BuildError) return error;
  const message = userMessage(error);
  return message === undefined ? error : new BuildError(message, path);
}

/** The fault of the part at `path`; paths of parts inside it are made to begin outside it. */
export function partError(error: unknown, path: SpecPath): unknown {
  if (error instanceof BuildError) return new BuildError(error.message, [...path, ...error.path]);
  return buildError(error, path);
}
