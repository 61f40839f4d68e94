/** An event file that grows: `events.out.tfevents.SECONDS.HOST.PID.NUMBER` in a folder. */

import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, writeSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { fileError } from '../atomic.ts';
import { type EventBody, encodeEvent } from './events.ts';
import { frameRecord } from './records.ts';

const PREFIX = 'events.out.tfevents.';
const FILE_VERSION = 'brain.Event:2';

/** Files that this process has opened. */
let opened = 0;

export interface EventFileOptions {
  /**
   * The first step that this file writes anew, of a run that goes on: readers drop what earlier
   * files of the folder have of it and of later steps.
   */
  readonly purge_step?: number | undefined;
  readonly filename_suffix?: string | undefined;
}

export class EventFile {
  readonly path: string;
  #descriptor: number | undefined;

  /** Makes the folder and the file. Throws a `FileError` where it cannot. */
  constructor(
    readonly folder: string,
    { purge_step, filename_suffix = '' }: EventFileOptions = {},
  ) {
    try {
      mkdirSync(folder, { recursive: true });
      this.path = join(folder, `${nextName(folder)}${filename_suffix}`);
      this.#descriptor = openSync(this.path, 'ax');
    } catch (error) {
      throw fileError(`cannot make an event file in ${folder}`, error);
    }
    this.add({ file_version: FILE_VERSION }, purge_step);
    if (purge_step !== undefined) this.add({ session_log: 'START' }, purge_step);
  }

  /**
   * Appends one record in one write: a process that is killed leaves at most a last record that
   * is cut off, which readers pass over. `wall_time` is in seconds; now unless given. Throws a
   * `FileError`.
   */
  add(body: EventBody, step = 0, wall_time = Date.now() / 1000): void {
    if (this.#descriptor === undefined) {
      throw fileError(`cannot write ${this.path}`, 'it is closed');
    }
    const record = frameRecord(encodeEvent({ wall_time, step, body }));
    try {
      for (let done = 0; done < record.length; ) {
        done += writeSync(this.#descriptor, record, done);
      }
    } catch (error) {
      throw fileError(`cannot write ${this.path}`, error);
    }
  }

  /** Waits until the disk has everything. */
  flush(): void {
    if (this.#descriptor !== undefined) fsyncSync(this.#descriptor);
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** Readers take a folder's files in the order of their names, so a later one must come later. */
function nextName(folder: string): string {
  const seconds = readdirSync(folder).flatMap((name) =>
    name.startsWith(PREFIX) ? (/^\d{10}(?=\.)/.exec(name.slice(PREFIX.length)) ?? []) : [],
  );
  const now = Math.floor(Date.now() / 1000);
  const at = Math.max(now, ...seconds.map((found) => Number(found) + 1));
  const host = os.hostname().replaceAll(/[^A-Za-z0-9_-]/g, '-');
  return `${PREFIX}${String(at).padStart(10, '0')}.${host}.${process.pid}.${opened++}`;
}
