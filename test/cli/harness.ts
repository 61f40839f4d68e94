/** Runs commands in this process, with recorded output and chosen services. */

import { Readable, Writable } from 'node:stream';
import type { StopSignal } from '../../src/cli/exit.ts';
import type { Io } from '../../src/cli/io.ts';
import { run } from '../../src/cli/run.ts';
import { type Services, services } from '../../src/cli/services.ts';
import { loadConfig } from '../../src/config/load.ts';
import { registries } from '../config/registries.ts';

class Recorder extends Writable {
  text = '';
  isTTY = false;

  constructor(readonly columns: number) {
    super();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly services?: Partial<Services>;
  readonly env?: NodeJS.ProcessEnv;
  /** What is typed or piped in. */
  readonly stdin?: string;
  /** The width of the terminal. */
  readonly columns?: number;
  /** Given a function that acts as the signal. */
  readonly stopper?: (stop: (signal: StopSignal) => void) => void;
}

/** `torchts ARGS`, with configs read against the small registries of the config's tests. */
export async function torchts(args: string, options: RunOptions = {}): Promise<Outcome> {
  const { columns = 100 } = options;
  const stdout = new Recorder(columns);
  const stderr = new Recorder(columns);
  let now = 0;
  const io: Io = {
    stdin: Readable.from([options.stdin ?? '']),
    stdout,
    stderr,
    env: options.env ?? {},
    now: () => (now += 1000),
    onStop(handler) {
      options.stopper?.(handler);
      return () => undefined;
    },
  };
  const code = await run(args.split(' ').filter(Boolean), io, {
    ...services,
    loadConfig: async (file, overrides) => loadConfig(file, { overrides, registries }),
    ...options.services,
  });
  return { code, out: stdout.text, err: stderr.text };
}
