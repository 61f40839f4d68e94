/** What `torchts train` does with a sweep. */

import path from 'node:path';
import { ConfigError } from '../base/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { Load } from '../sweep/plan.ts';
import type { SweepSummary } from '../sweep/sweep.ts';
import { EXIT, type StopSignal } from './exit.ts';
import { metricValue, table } from './format.ts';
import type { Io } from './io.ts';

/**
 * `--sweep optimizer.lr=1e-3,1e-2` as an override of the config, beside the parameters that its
 * own `sweep:` has. Values are read as YAML.
 *
 * @throws ConfigError
 */
export async function sweepOverrides(texts: readonly string[], load: Load): Promise<string[]> {
  if (texts.length === 0) return [];
  const { sweep } = (await load([])).config;
  const parameters = new Map(
    Object.entries(sweep?.parameters ?? {}).map(([key, value]) => [key, JSON.stringify(value)]),
  );
  for (const text of texts) {
    const [, key, values] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
    if (key === undefined) {
      throw new ConfigError(`--sweep expects key=value,value,... got "${text}"`);
    }
    parameters.set(key, `{values: [${values}]}`);
  }
  const entries = [...parameters].map(([key, value]) => `${JSON.stringify(key)}: ${value}`);
  return [`sweep.parameters={${entries.join(', ')}}`];
}

/** Tells how a sweep ended; returns the exit code. */
export function endOfSweep(io: Io, summary: SweepSummary, json = false): number {
  const text = json ? JSON.stringify({ event: 'sweep', ...summary }) : sweepTable(summary);
  io.stdout.write(`${text}\n`);
  if (summary.stopped !== null) return EXIT[summary.stopped as StopSignal];
  if (summary.trials.every(({ state }) => state === 'failed')) return EXIT.failed;
  const [best] = summary.trials;
  return best?.met === false ? EXIT.unmet : EXIT.done;
}

const MOST_ROWS = 50;

/** The trials, the best first, and what to do with it. */
function sweepTable({ trials, monitor, directory, stopped }: SweepSummary): string {
  const keys = [...new Set(trials.flatMap(({ values }) => Object.keys(values)))];
  const rows = trials
    .slice(0, MOST_ROWS)
    .map(({ number, state, value, epochs, values }) => [
      String(number),
      value === null ? '-' : metricValue(monitor, value),
      ...keys.map((key) => shown(values[key])),
      epochs === null ? '-' : String(epochs),
      state,
    ]);
  const text = table(['trial', monitor, ...keys, 'epochs', 'state'], rows);
  const [best] = trials;
  const lines = [text, '', `all trials: ${path.join(directory, 'sweep.csv')}`];
  if (stopped !== null) lines.push(`go on with the sweep:     torchts train ${directory}`);
  if (best?.run && best.value !== null) {
    const run = path.join(directory, best.run);
    lines.push(`measure the best one:     torchts eval ${run}`);
    lines.push(`train it on for longer:   torchts train ${run} trainer.epochs=N`);
  }
  return lines.join('\n');
}

function shown(value: unknown): string {
  if (value === undefined) return '-';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The sweep that `--resume` names, or the newest one for `auto`. */
export async function sweepToResume(
  resume: string | undefined,
  out: string,
  { config }: LoadedConfig,
): Promise<string | undefined> {
  if (resume !== 'auto') return resume;
  return (await import('../sweep/sweep-folder.ts')).newestSweep(out, config.name);
}
