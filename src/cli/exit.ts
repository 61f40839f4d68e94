/** What the command's exit code says: the one table of them. */

import { ConfigError, TorchtsError } from '../base/errors.ts';
import type { Io } from './io.ts';

export const EXIT = {
  done: 0,
  /** Failed while running. */
  failed: 1,
  /** The config or the command line is wrong. */
  usage: 2,
  /** A run ended outside of the bounds of its `expect:`. */
  unmet: 3,
  /** Stopped, after a checkpoint was written. */
  SIGINT: 130,
  SIGTERM: 143,
} as const;

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Prints `error` and gives the exit code for it. */
export function report(error: unknown, io: Io): number {
  const debug = io.env.TORCHTS_DEBUG === '1';
  const expected = error instanceof TorchtsError || isSystemError(error);
  const { message = String(error), stack = message } = error instanceof Error ? error : {};
  if (expected) io.stderr.write(`torchts: ${debug ? stack : message}\n`);
  else io.stderr.write(`torchts: internal error, please report this: ${stack}\n`);
  return error instanceof ConfigError ? EXIT.usage : EXIT.failed;
}

/** A full disk, a missing permission: nothing a stack trace would explain. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
