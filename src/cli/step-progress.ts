/** Shows how far a long step is: a bar on a terminal, lines elsewhere, JSON, or nothing. */

import type { CacheProgress } from '../data/dataset.ts';
import type { FetchProgress } from '../data/fetch/download.ts';
import type { CommandContext } from './context.ts';
import { EXIT, type StopSignal } from './exit.ts';
import { bytes, count } from './format.ts';
import type { Io } from './io.ts';
import { type CommonOptions, reportMode } from './options.ts';
import type { ReportMode } from './progress.ts';

type Progress = FetchProgress | CacheProgress;

interface StepReporter {
  progress(name: string, progress: Progress): void;
  close(): void;
}

/**
 * Runs `body`, which says how far it is of what, and ends with the signal that the process gets.
 *
 * @param event the name of its JSON events.
 */
export async function reported(
  { io, finish }: CommandContext,
  options: CommonOptions,
  event: string,
  body: (tools: {
    readonly signal: AbortSignal;
    readonly onProgress: (name: string, progress: Progress) => void;
    /** Ends what is shown, so that a result may be printed. */
    readonly close: () => void;
  }) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const forget = io.onStop((signal) => abort.abort(signal));
  const reporter = await stepReporter(reportMode(options), io, event);
  try {
    const onProgress = (name: string, progress: Progress) => reporter.progress(name, progress);
    await body({ signal: abort.signal, onProgress, close: () => reporter.close() });
  } catch (error) {
    if (!abort.signal.aborted) throw error;
    finish(EXIT[abort.signal.reason as StopSignal]);
  } finally {
    reporter.close();
    forget();
  }
}

/** Lines and JSON events on the same step come at most this often (ms). */
const INTERVAL = 5000;

/** Steps of fewer bytes, images or files than this, such as files to convert, need no bar. */
const WORTH_A_BAR = 1024;

async function stepReporter(mode: ReportMode, io: Io, event: string): Promise<StepReporter> {
  if (mode === 'quiet') return { progress: () => undefined, close: () => undefined };
  if (mode === 'auto' && io.stderr.isTTY) return barReporter(io);
  let last: Progress | undefined;
  let time = 0;
  return {
    progress(name, progress) {
      const isNew = progress.step !== last?.step;
      if (!isNew && io.now() - time < INTERVAL) return;
      last = progress;
      time = io.now();
      const told = { event, name, ...progress };
      if (mode === 'json') io.stdout.write(`${JSON.stringify(told)}\n`);
      else io.stderr.write(`${isNew ? progress.step : `  ${amount(progress)}`}\n`);
    },
    close: () => undefined,
  };
}

function amount({ done, total, ...rest }: Progress): string {
  if ('unit' in rest) return `${count(done)} of ${count(total!)} ${rest.unit}`;
  if (total === undefined || total < WORTH_A_BAR) return bytes(done);
  return `${bytes(done)} of ${bytes(total)}`;
}

async function barReporter(io: Io): Promise<StepReporter> {
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
