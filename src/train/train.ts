/** `train`: from a config to a finished run directory. */

import { join } from 'node:path';
import { TEST } from '../config/splits.ts';
import { engine, setThreads, threads } from '../core/device.ts';
import type { DataLoader, Dataset } from '../data/index.ts';
import { countParameters } from '../nn/describe.ts';
import { findResumed, type Resumed, rewind } from './checkpoint/resume.ts';
import { restore } from './checkpoint/resume-config.ts';
import { type Environment, environment } from './environment.ts';
import type { RunSummary, TrainEvent } from './events.ts';
import { checkExpectations } from './expect.ts';
import { openLoader } from './loop/batches.ts';
import { buildCallbacks } from './loop/callbacks.ts';
import { Clock } from './loop/clock.ts';
import { runLength } from './loop/run-length.ts';
import { Trainer, type TrainerOptions } from './loop/trainer.ts';
import type { TrainRequest } from './request.ts';
import { withLearned } from './run/learned.ts';
import { RunDirectory } from './run/run-directory.ts';
import { changedWeights, loadInitialWeights, type WeightsReport } from './task/initial-weights.ts';
import { buildTask, type Task } from './task/task.ts';
import { Watchers } from './watching/watchers.ts';

/**
 * Trains as the config says and writes the run directory; everything it has to tell goes to
 * `onEvent`. When the signal is aborted, it writes a checkpoint and returns early.
 *
 * @throws ConfigError when the config's parts do not fit together, before any data is read, or not
 *   the run that goes on; FileError when data or a checkpoint cannot be read, or the run directory
 *   not be written; TorchtsError when the loss is no longer finite.
 */
export async function train(asked: TrainRequest): Promise<RunSummary> {
  const { signal } = asked;
  if (asked.threads !== undefined) setThreads(asked.threads);
  if (asked.profile !== undefined && asked.loaded.config.trainer.detect_anomaly) {
    const reason = '--profile times the compiled step, which is not used while ops are looked at';
    throw asked.loaded.error(['trainer', 'detect_anomaly'], reason);
  }
  // Asked now, answered while the model is built and the data are read.
  const surroundings = environment(asked.loaded.config.seed);
  const resumed = await findResumed(asked);
  let run = resumed?.branches ? undefined : resumed?.source;
  let watchers: Watchers | undefined;
  try {
    const loaded = withLearned(asked.loaded, resumed?.source?.path);
    const request = { ...asked, loaded };
    const task = buildTask(loaded);
    const watching = new Watchers(loaded, task);
    watchers = watching;
    const callbacks = [...buildCallbacks(loaded), ...watching.callbacks];
    const weights = resumed === undefined ? await loadInitialWeights(loaded, task) : undefined;
    const data = await unlessStopped(signal, loadData(task));
    if (data === undefined) return stoppedEarly(request, resumed);
    const loader = openLoader(loaded, data.train, 'training');
    const heldOut = mapValues(data.heldOut, (set) => openLoader(loaded, set, 'evaluation'));
    const length = runLength(loaded, task, loader);
    run ??= await RunDirectory.create(request.out, request.folder ?? loaded.config.name);
    const parts = { loaded, task, callbacks, loader, length, heldOut, run, signal };
    const onEvent = (event: TrainEvent) => {
      watching.event(event);
      asked.onEvent(event);
    };
    const beginning = { resumed, weights };
    return await trainIn(run, { ...request, onEvent }, parts, beginning, surroundings, watching);
  } catch (error) {
    await watchers?.failed(error);
    throw error;
  } finally {
    await run?.release();
  }
}

/** The training samples, and those of the other splits by name. */
async function loadData({ train, heldOut }: Task) {
  const loaded = new Map<string, Dataset>();
  const first = await train.load();
  for (const [split, source] of heldOut) loaded.set(split, await source.load());
  return { train: first, heldOut: loaded };
}

function mapValues<A, B>(map: ReadonlyMap<string, A>, change: (value: A) => B): Map<string, B> {
  return new Map([...map].map(([key, value]) => [key, change(value)]));
}

function samplesOf(loaders: ReadonlyMap<string, DataLoader>, isTest: boolean): number {
  return [...loaders]
    .filter(([split]) => (split === TEST) === isTest)
    .reduce((sum, [, { samplesPerEpoch }]) => sum + samplesPerEpoch, 0);
}

/** What comes first: the value, or nothing when the signal is aborted. */
async function unlessStopped<T>(signal: AbortSignal, value: Promise<T>): Promise<T | undefined> {
  value.catch(() => undefined); // nobody may be left to hear of a failure
  if (signal.aborted) return undefined;
  let stop = () => {};
  const stopped = new Promise<undefined>((resolve) => {
    stop = () => resolve(undefined);
  });
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([value, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** What a session goes on from: a checkpoint, or a file of weights, or nothing. */
interface Beginning {
  readonly resumed: Resumed | undefined;
  readonly weights: WeightsReport | undefined;
}

async function trainIn(
  run: RunDirectory,
  request: TrainRequest,
  parts: Omit<TrainerOptions, 'clock' | 'emit' | 'profile'>,
  { resumed, weights }: Beginning,
  surroundings: Promise<Environment>,
  watchers: Watchers,
): Promise<RunSummary> {
  const { loaded, onEvent: emit } = request;
  const { task, loader, heldOut, length } = parts;
  const clock = new Clock();
  const profile = request.profile === true ? join(run.path, 'profile.json') : request.profile;
  const trainer = new Trainer({ ...parts, clock, emit, profile });
  try {
    if (resumed !== undefined) {
      const changes = await restore(trainer, loaded, resumed);
      const last = await rewind(run, resumed, loaded.config.trainer.keep);
      clock.goOnFrom(last?.time ?? 0);
      await watchers.goOn(run, resumed);
      const { folder: checkpoint, damaged, source } = resumed;
      const weights_changed = (source && (await changedWeights(source.path))) ?? null;
      const { step } = trainer.position;
      emit({ event: 'resume', step, checkpoint, damaged, changes, weights_changed });
    }
    await run.describe(loaded.text, await surroundings);
    const { learned } = task.train;
    if (learned !== undefined) await run.keepLearned(learned);
    if (weights !== undefined) {
      await run.keepWeights(weights);
      emit({ event: 'weights', ...weights });
    }
    await watchers.begin(run, { step: trainer.position.step, total_steps: trainer.totalSteps });
    emit({
      event: 'start',
      name: loaded.config.name,
      directory: run.path,
      device: engine().name,
      threads: threads(),
      parameters: countParameters(task.model),
      trained_parameters: countParameters(task.model, { trained: true }),
      train_samples: loader.samplesPerEpoch,
      val_samples: samplesOf(heldOut, false),
      test_samples: samplesOf(heldOut, true),
      epochs: length.epochs,
      total_steps: trainer.totalSteps,
      start_step: trainer.position.step,
    });
    await trainer.train();
    const summary = await conclude(request, run, trainer, clock.elapsed);
    const stopped = trainer.finished ? undefined : String(request.signal.reason);
    const [first] = heldOut;
    const samples = first && { split: first[0], dataset: first[1].dataset };
    await watchers.end(summary, stopped, samples);
    return summary;
  } finally {
    trainer.dispose();
  }
}

/** What a signal in the middle of the set-up leaves: everything as it was. */
function stoppedEarly(
  { loaded, onEvent: emit, signal }: TrainRequest,
  resumed: Resumed | undefined,
): RunSummary {
  const { step = 0, epoch = 0, metrics = {} } = resumed?.checkpoint.state ?? {};
  emit({ event: 'stopped', step, signal: String(signal.reason), checkpoint: null });
  const directory = resumed?.source?.path ?? '';
  return { name: loaded.config.name, directory, step, epoch, seconds: 0, metrics, ok: true };
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
  if (!trainer.tested) {
    const checkpoint = run.checkpoints.pathOf(step);
    emit({ event: 'stopped', step, signal: String(signal.reason), checkpoint });
    return { ...summary, ok: true };
  }
  const expected = checkExpectations(config.expect ?? {}, { ...metrics, seconds });
  for (const event of expected) emit(event);
  const whole = { ...summary, ok: expected.every(({ ok }) => ok) };
  await run.finish(whole);
  emit({ event: 'end', ...whole });
  return whole;
}
