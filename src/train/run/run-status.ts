/** How a run is doing, in its folder's `status.json`: for those who look at it from outside. */

import { join } from 'node:path';
import { z } from 'zod';
import { INTERPRETED } from '../../base/registry.ts';
import { writeFileAtomic } from '../../io/atomic.ts';
import { readJson } from './run-files.ts';

const FILE = 'status.json';

const schema = z.object({
  /** `running` is also what a process that was killed leaves. */
  state: z.enum(['running', 'finished', 'stopped', 'failed']),
  /** When the run and its newest session began, and when that ended; ISO 8601. */
  started: z.iso.datetime(),
  resumed: z.iso.datetime().nullable(),
  ended: z.iso.datetime().nullable(),
  step: z.int().min(0),
  total_steps: z.int().min(0),
  /** Which way each metric of the run gets better. */
  measured: z.record(z.string(), z.enum(['min', 'max'])),
  /** Why it stopped or failed. */
  message: z.string().nullable(),
});

export type RunStatus = z.output<typeof schema>;

/** Nothing where there is none that can be read. */
export async function readStatus(run: string): Promise<RunStatus | undefined> {
  return schema.safeParse(await readJson(join(run, FILE)), INTERPRETED).data;
}

export class StatusFile {
  readonly #path: string;
  #status: RunStatus;

  private constructor(run: string, status: RunStatus) {
    this.#path = join(run, FILE);
    this.#status = status;
  }

  /** Says that a session of the run has begun. Throws a `FileError`. */
  static async begin(
    run: string,
    facts: Pick<RunStatus, 'step' | 'total_steps' | 'measured'>,
  ): Promise<StatusFile> {
    const before = await readStatus(run);
    const now = new Date().toISOString();
    const file = new StatusFile(run, {
      state: 'running',
      started: before?.started ?? now,
      resumed: facts.step > 0 ? now : null,
      ended: null,
      ...facts,
      message: null,
    });
    await file.#write();
    return file;
  }

  /** Says how it ended. Throws a `FileError`. */
  async end(state: RunStatus['state'], step: number, message: string | null = null): Promise<void> {
    this.#status = { ...this.#status, state, step, message, ended: new Date().toISOString() };
    await this.#write();
  }

  async #write(): Promise<void> {
    await writeFileAtomic(this.#path, `${JSON.stringify(this.#status, null, 2)}\n`);
  }
}
