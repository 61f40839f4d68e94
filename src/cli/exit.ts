/** What the command's exit code says: the one table of them. */

import { ConfigError } from '../base/errors.ts';
import { userMessage } from '../base/user-code.ts';
import { printable } from './format.ts';
import type { Io } from './io.ts';

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  unmet: 3,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

/** The same in words. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'done',
  failed: 'failed while running',
  usage: 'the config or the command line is wrong',
  unmet: 'the run ended outside of the bounds of its "expect:"',
  SIGINT: 'stopped by SIGINT; training has written a checkpoint',
  SIGTERM: 'stopped by SIGTERM; training has written a checkpoint',
};

export type StopSignal = 'SIGINT' | 'SIGTERM';

/** Prints `error` and gives the exit code for it. */
export function report(error: unknown, io: Io): number {
  const debug = io.env.TORCHTS_DEBUG === '1';
  const { message = String(error), stack = message } = error instanceof Error ? error : {};
  const isComplete = error instanceof ConfigError || isSystemError(error);
  const known = isComplete ? message : userMessage(error);
  if (known !== undefined) io.stderr.write(printable(`torchts: ${debug ? stack : known}\n`));
  else io.stderr.write(`torchts: internal error, please report this: ${stack}\n`);
  return error instanceof ConfigError ? EXIT.usage : EXIT.failed;
}

/** A full disk, a missing permission: nothing a stack trace would explain. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
