/** What a command may touch of the process; tests give their own. */

import { EXIT, type StopSignal } from './exit.ts';

export interface Output extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Io {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds, of any origin. */
  now(): number;
  /** Calls `handler` at the first signal to stop, until the returned function is called. */
  onStop(handler: (signal: StopSignal) => void): () => void;
}

/** Undoes what a progress bar does to the terminal. */
const WRAP_LINES = '\u001b[?7h\n';

/** `timeout`, npm and the like deliver one signal twice; people take longer to repeat it (ms). */
const ECHO = 500;

/** The process itself. The second signal to stop ends it at once. */
export function processIo(): Io {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    now: () => performance.now(),
    onStop(handler) {
      let asked: number | undefined;
      const listener = (signal: StopSignal) => {
        const now = performance.now();
        if (asked !== undefined) {
          if (now - asked < ECHO) return;
          if (process.stdout.isTTY) process.stdout.write(WRAP_LINES);
          process.exit(EXIT[signal]);
        }
        asked = now;
        handler(signal);
      };
      process.on('SIGINT', listener).on('SIGTERM', listener);
      return () => {
        process.off('SIGINT', listener).off('SIGTERM', listener);
      };
    },
  };
}

/**
 * Lets a reader such as `head` close the pipe early: what is printed from then on is dropped and
 * the command goes on, because a training run is worth more than its output.
 */
export function ignoreClosedPipes(...streams: NodeJS.WritableStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}
