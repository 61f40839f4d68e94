/**
 * Reads the files of a run's folder for those who show it. Folders may be of another version, half
 * written or not ours at all: what cannot be read is left out, and nothing here throws.
 */

import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { INTERPRETED } from '../../base/registry.ts';
import type { Best } from '../checkpoint/checkpoint.ts';
import type { MetricsRecord } from '../events.ts';

const MAX_JSON = 16 << 20;
/** Records beyond are not shown: a year of them. */
const MAX_RECORDS = 256 << 20;
/** More than the longest record. */
const TAIL = 1 << 16;

/** The contents of a JSON file; nothing where it is missing, too large or no JSON. */
export async function readJson(path: string): Promise<unknown> {
  try {
    if ((await stat(path)).size > MAX_JSON) return undefined;
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Of what a record must have; it may have further metrics. */
const record = z.looseObject({
  step: z.number(),
  epoch: z.number(),
  split: z.string(),
  lr: z.number().optional(),
  samples_per_second: z.number().optional(),
  time: z.number().optional(),
});

export interface Records {
  readonly records: readonly MetricsRecord[];
  /** Lines that are no records. */
  readonly damaged: number;
}

/** All lines of `metrics.jsonl`. */
export async function readRecords(run: string): Promise<Records> {
  const path = join(run, 'metrics.jsonl');
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  const text = await readRange(path, 0, Math.min(size, MAX_RECORDS));
  return parseRecords(text.split('\n'));
}

/** The last line of `metrics.jsonl` that is a record, without reading the others. */
export async function readLastRecord(run: string): Promise<MetricsRecord | undefined> {
  const path = join(run, 'metrics.jsonl');
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  const start = Math.max(0, size - TAIL);
  const lines = (await readRange(path, start, size)).split('\n');
  // The first line may have begun before.
  return parseRecords(start > 0 ? lines.slice(1) : lines).records.at(-1);
}

function parseRecords(lines: readonly string[]): Records {
  const records: MetricsRecord[] = [];
  let damaged = 0;
  for (const line of lines) {
    if (line === '') continue;
    const parsed = parseLine(line);
    if (parsed === undefined) damaged++;
    else records.push(parsed);
  }
  return { records, damaged };
}

function parseLine(line: string): MetricsRecord | undefined {
  try {
    return record.safeParse(JSON.parse(line), INTERPRETED).data as MetricsRecord | undefined;
  } catch {
    return undefined;
  }
}

async function readRange(path: string, start: number, end: number): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const bytes = Buffer.alloc(end - start);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
      return bytes.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return '';
  }
}

const checkpointState = z.object({
  step: z.number(),
  best: z.object({ metric: z.string(), value: z.number(), step: z.number() }).nullable(),
  metrics: z.record(z.string(), z.number()),
});

/** What the newest checkpoint says of the run. */
export async function readProgress(run: string): Promise<
  | {
      readonly step: number;
      readonly best: Best | null;
      readonly metrics: Readonly<Record<string, number>>;
    }
  | undefined
> {
  const state = await readJson(join(run, 'checkpoints', 'last', 'state.json'));
  return checkpointState.safeParse(state, INTERPRETED).data;
}

/** The numbers of `summary.json`. */
const summary = z.object({
  step: z.number(),
  seconds: z.number(),
  metrics: z.record(z.string(), z.number()),
  ok: z.boolean(),
});

export async function readSummary(run: string): Promise<z.output<typeof summary> | undefined> {
  return summary.safeParse(await readJson(join(run, 'summary.json')), INTERPRETED).data;
}
