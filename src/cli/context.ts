/** What every command is given. */

import type { Io } from './io.ts';
import type { Services } from './services.ts';

export interface CommandContext {
  readonly io: Io;
  readonly services: Services;
  /** Sets the exit code of a command that ends without an error. */
  finish(code: number): void;
}
