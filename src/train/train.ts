/** `train`: from a config to a finished run directory. */

import { join } from 'node:path';
import { FileError } from '../base/errors.ts';
import { engine, setThreads, threads } from '../core/device.ts';
import { openLoader } from './batches.ts';
import { buildCallbacks } from './callbacks.ts';
import { type Checkpoint, readCheckpoint } from './checkpoint.ts';
import { Clock } from './clock.ts';
import { environment } from './environment.ts';
import type { RunSummary } from './events.ts';
import { checkExpectations } from './expect.ts';
import type { TrainRequest } from './request.ts';
import { RunDirectory } from './run-directory.ts';
import { runLength } from './run-length.ts';
import { buildTask } from './task.ts';
import { Trainer } from './trainer.ts';

/**
 * Trains as the config says and writes the run directory; everything it has to tell goes to
 * `onEvent`. When the signal is aborted, it writes a checkpoint and returns early.
 *
 * @throws ConfigError when the config's parts do not fit together, before any data is read;
 *   FileError when data or a checkpoint cannot be read, or the run directory not be written;
 *   TorchtsError when the loss is no longer finite.
 */
export async function train(request: TrainRequest): Promise<RunSummary> {
  const { loaded, onEvent: emit, signal } = request;
  const { config } = loaded;
  if (request.threads !== undefined) setThreads(request.threads);
  // Asked now, answered while the model is built and the data are read.
  const surroundings = environment(config.seed);
  const task = buildTask(loaded);
  const callbacks = buildCallbacks(loaded);
  const resumed = await findResumed(request);
  const loader = openLoader(loaded, await task.train.load(), 'train');
  const valLoader = task.val && openLoader(loaded, await task.val.load(), 'val');
  const length = runLength(loaded, task, loader);
  const run = resumed?.run ?? (await RunDirectory.create(request.out, config.name));
  const clock = new Clock();
  const profile = request.profile === true ? join(run.path, 'profile.json') : request.profile;
  const parts = { loaded, task, callbacks, loader, length, valLoader, run, clock };
  const trainer = new Trainer({ ...parts, emit, signal, profile });
  try {
    if (resumed !== undefined) {
      trainer.restore(resumed.folder, resumed.checkpoint);
      const last = await run.rewind(resumed.checkpoint.state);
      clock.goOnFrom(last?.time ?? 0);
    }
    await run.describe(loaded.text, await surroundings);
    emit({
      event: 'start',
      name: config.name,
      directory: run.path,
      device: engine().name,
      threads: threads(),
      parameters: task.model.parameters().reduce((sum, p) => sum + p.numel(), 0),
      train_samples: loader.samplesPerEpoch,
      val_samples: valLoader?.samplesPerEpoch ?? 0,
      epochs: length.epochs,
      total_steps: trainer.totalSteps,
      start_step: trainer.position.step,
    });
    await trainer.train();
    return await conclude(request, run, trainer, clock.elapsed);
  } finally {
    trainer.dispose();
  }
}

interface Resumed {
  readonly run: RunDirectory;
  readonly folder: string;
  readonly checkpoint: Checkpoint;
}

/** The newest checkpoint of the run to go on with; nothing for a new run. */
async function findResumed({ resume, out, loaded }: TrainRequest): Promise<Resumed | undefined> {
  if (resume === undefined) return undefined;
  const run =
    resume === 'auto'
      ? await RunDirectory.newest(out, loaded.config.name)
      : await RunDirectory.open(resume);
  if (run === undefined) return undefined;
  const folder = await run.newestCheckpoint();
  if (folder === undefined) throw new FileError(`${run.path} has no checkpoint to go on from`);
  return { run, folder, checkpoint: await readCheckpoint(folder) };
}

/** Tells how it ended and, unless it was stopped, keeps that in `summary.json`. */
async function conclude(
  { loaded, onEvent: emit, signal }: TrainRequest,
  run: RunDirectory,
  trainer: Trainer,
  seconds: number,
): Promise<RunSummary> {
  const { config } = loaded;
  const { step, epoch, batch } = trainer.position;
  const { metrics } = trainer;
  const summary = {
    name: config.name,
    directory: run.path,
    step,
    epoch: batch > 0 ? epoch + 1 : epoch,
    seconds,
    metrics,
  };
  await run.tabulate();
  if (!trainer.finished) {
    emit({ event: 'stopped', step, signal: String(signal.reason) });
    return { ...summary, ok: true };
  }
  const expected = checkExpectations(config.expect ?? {}, { ...metrics, seconds });
  for (const event of expected) emit(event);
  const whole = { ...summary, ok: expected.every(({ ok }) => ok) };
  await run.finish(whole);
  emit({ event: 'end', ...whole });
  return whole;
}
