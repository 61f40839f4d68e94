/** Shows how far a fetch is: a bar on a terminal, lines elsewhere, JSON, or nothing. */

import type { FetchProgress } from '../data/fetch/download.ts';
import { bytes } from './format.ts';
import type { Io } from './io.ts';
import type { ReportMode } from './progress.ts';

export interface FetchReporter {
  progress(name: string, progress: FetchProgress): void;
  close(): void;
}

/** Lines and JSON events on the same step come at most this often (ms). */
const INTERVAL = 5000;

/** Steps of fewer bytes or files than this, such as files to convert, need no bar. */
const WORTH_A_BAR = 1024;

export async function fetchReporter(mode: ReportMode, io: Io): Promise<FetchReporter> {
  if (mode === 'quiet') return { progress: () => undefined, close: () => undefined };
  if (mode === 'auto' && io.stderr.isTTY) return barReporter(io);
  let last: FetchProgress | undefined;
  let time = 0;
  return {
    progress(name, progress) {
      const isNew = progress.step !== last?.step;
      if (!isNew && io.now() - time < INTERVAL) return;
      last = progress;
      time = io.now();
      const event = { event: 'fetch_progress', name, ...progress };
      if (mode === 'json') io.stdout.write(`${JSON.stringify(event)}\n`);
      else io.stderr.write(`${isNew ? progress.step : `  ${amount(progress)}`}\n`);
    },
    close: () => undefined,
  };
}

function amount({ done, total }: FetchProgress): string {
  if (total === undefined || total < WORTH_A_BAR) return bytes(done);
  return `${bytes(done)} of ${bytes(total)}`;
}

async function barReporter(io: Io): Promise<FetchReporter> {
  const { SingleBar } = await import('cli-progress');
  const bar = new SingleBar({
    stream: io.stderr,
    format: ' {bar} {percentage}%  {amount}  {eta_formatted} left',
    barsize: Math.max(4, Math.min(24, (io.stderr.columns ?? 80) - 50)),
    clearOnComplete: true,
    hideCursor: false,
    // Signals are the command's: the bar must not end the process.
    gracefulExit: false,
  });
  let step: string | undefined;
  let isShown = false;
  const stop = () => {
    if (isShown) bar.stop();
    isShown = false;
  };
  return {
    progress(_, progress) {
      const { done, total } = progress;
      if (progress.step !== step) {
        stop();
        step = progress.step;
        io.stderr.write(`${step}\n`);
      }
      if (total === undefined || total < WORTH_A_BAR) return;
      const shown = { amount: amount(progress) };
      if (isShown) bar.update(done, shown);
      else bar.start(total, done, shown);
      isShown = true;
    },
    close: stop,
  };
}
