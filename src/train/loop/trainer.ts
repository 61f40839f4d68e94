/**
 * The training loop. Steps are queued a few ahead, and nothing they compute is read back between
 * two records. What is recorded and saved depends on the position alone, so a run that was stopped
 * and went on ends with the same bytes as one that was not.
 */

import { TorchtsError } from '../../base/errors.ts';
import { shortType } from '../../base/user-code.ts';
import type { MetricsRecord } from '../../callbacks/index.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { type CompiledStep, compile } from '../../core/compile.ts';
import { generatorState } from '../../core/random.ts';
import type { DataLoader } from '../../data/loading/loader.ts';
import { toHost } from '../../io/tensors.ts';
import type { Checkpoint, Position } from '../checkpoint/checkpoint.ts';
import { Saver } from '../checkpoint/saver.ts';
import * as snapshot from '../checkpoint/snapshot.ts';
import { AnomalyError, anomalyStep } from '../divergence/anomaly-step.ts';
import { DivergedError, explained, lastCheckpoint } from '../divergence/divergence.ts';
import type { TrainEvent } from '../events.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import { type BatchStep, type Task, trainingStep } from '../task/task.ts';
import { CallbackError, Callbacks, type CallbacksState, type NamedCallback } from './callbacks.ts';
import type { Clock } from './clock.ts';
import { EarlyStopping } from './early-stopping.ts';
import { HeldOut } from './held-out.ts';
import { Journal } from './journal.ts';
import { Profiler } from './profiler.ts';
import type { RunLength } from './run-length.ts';
import { RunView } from './run-view.ts';
import { checkSampleOrder, sampleOrder } from './sample-order.ts';
import type { Rates } from './schedule.ts';
import { StepQueue } from './step-queue.ts';
import type { Measurement, Totals } from './totals.ts';

export interface TrainerOptions {
  readonly loaded: LoadedConfig;
  readonly task: Task;
  readonly callbacks: readonly NamedCallback[];
  readonly loader: DataLoader;
  readonly length: RunLength;
  /** Over the splits that are not trained on, by name. */
  readonly heldOut: ReadonlyMap<string, DataLoader>;
  readonly run: RunDirectory;
  readonly clock: Clock;
  readonly emit: (event: TrainEvent) => void;
  readonly signal: AbortSignal;
  /** Where to write a trace of some steps. */
  readonly profile: string | undefined;
}

export class Trainer {
  readonly totalSteps: number;

  readonly #options: TrainerOptions;
  readonly #journal: Journal;
  readonly #totals: Totals;
  readonly #step: BatchStep;
  readonly #clearTotals: CompiledStep<[], undefined>;
  readonly #heldOut: HeldOut;
  readonly #profiler: Profiler | undefined;
  readonly #queue: StepQueue;
  readonly #saver: Saver;

  readonly #callbacks: Callbacks;
  /** Before a pass over the validation data that a stopped run will begin again. */
  #resumesAs: CallbacksState | undefined;
  readonly #stopping: EarlyStopping;
  /** Why training is over before its last step, if it is. */
  #endedBy: string | undefined;
  #position: Position = { step: 0, epoch: 0, batch: 0 };
  /** The steps of the last record of the training loss, and of the last closing of an epoch. */
  #recordedAt = 0;
  #closedAt = 0;
  #isTested = false;

  constructor(options: TrainerOptions) {
    const { loaded, task, loader, emit, profile } = options;
    const onRetrace = (reason: string) => emit({ event: 'retrace', reason });
    this.totalSteps = options.length.steps;
    this.#options = options;
    this.#journal = new Journal({ ...options, totalSteps: this.totalSteps });
    this.#stopping = new EarlyStopping(loaded);
    this.#callbacks = new Callbacks(options.callbacks, this.#view());
    const totals = task.totals('training');
    this.#totals = totals;
    this.#step = trainingStep(task, totals, onRetrace);
    this.#clearTotals = compile((): undefined => totals.clear(), {
      state: [totals],
      name: 'clear totals',
    });
    this.#profiler = profile === undefined ? undefined : new Profiler(profile, this.#step);
    const stepper = loaded.config.trainer.detect_anomaly
      ? anomalyStep(task, totals, () => this.#position.step)
      : (this.#profiler ?? this.#step);
    this.#queue = new StepQueue(stepper, loader);
    this.#heldOut = new HeldOut(options);
    this.#saver = new Saver({ ...options, keep: loaded.config.trainer.keep });
  }

  /** What callbacks see. */
  #view(): RunView {
    const { loaded, task, run, loader, heldOut } = this.#options;
    return new RunView({
      loaded,
      task,
      directory: run.path,
      datasets: new Map(
        [...heldOut, ['train', loader] as const].map(([split, { dataset }]) => [split, dataset]),
      ),
      present: this,
      log: (name, value) => this.#journal.log(name, value),
      stop: (reason) => {
        this.#callbacks.stopped ??= reason;
      },
    });
  }

  get position(): Position {
    return this.#position;
  }

  /** The last value of each metric: `train_loss`, `val_accuracy`, ... */
  get metrics(): Readonly<Record<string, number>> {
    return this.#journal.metrics;
  }

  /** True once the last step was taken and what follows it is done. */
  get finished(): boolean {
    return this.#stepsTaken && this.#closedAt === this.#position.step;
  }

  /** True once nothing is left to be done. */
  get tested(): boolean {
    return this.finished && (this.#heldOut.test.size === 0 || this.#isTested);
  }

  get #stepsTaken(): boolean {
    return this.#position.step >= this.totalSteps || this.#endedBy !== undefined;
  }

  get #epochTaken(): boolean {
    return this.#position.batch === this.#options.loader.batchesPerEpoch;
  }

  /** Where training stands, as far as a checkpoint tells. */
  get #place(): string {
    return JSON.stringify([this.#position, this.#closedAt]);
  }

  get #rates(): Rates {
    return this.#options.task.schedule.rates;
  }

  /**
   * Trains until the end, or until the signal is aborted; a checkpoint is written either way.
   *
   * @throws TorchtsError when the loss or the weights are no longer finite, or a callback fails.
   */
  async train(): Promise<void> {
    this.#options.task.model.train();
    this.#profiler?.begin(this.totalSteps - this.#position.step);
    // A run that goes on may be over already.
    if (this.#position.step > 0) this.#noticeEnd();
    if (!this.finished) await this.#session();
    if (this.finished) {
      await this.#test().catch(async (error) => {
        throw await this.#explained(error);
      });
    }
    await this.#profiler?.write();
  }

  async #session(): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    try {
      await this.#tell('onTrainStart');
      await this.#takeEpochs();
      await this.#save();
      await this.#saver.done();
      if (this.finished) await this.#tell('onTrainEnd');
    } catch (error) {
      await Promise.allSettled([this.#saver.done()]);
      failure = { error: await this.#explained(error) };
    }
    await this.#callbacks.end(failure);
    if (failure !== undefined) throw failure.error;
  }

  /** Until the end of training, or the signal. */
  async #takeEpochs(): Promise<void> {
    const { signal } = this.#options;
    while (!this.finished && !signal.aborted) {
      if (!this.#stepsTaken) await this.#takeSteps();
      if (this.#epochTaken || this.#stepsTaken) await this.#close();
    }
  }

  /** Until the end of the epoch, or of training, or the signal. */
  async #takeSteps(): Promise<void> {
    const { loader, loaded, signal } = this.#options;
    const { log_every, checkpoint_every = Number.POSITIVE_INFINITY } = loaded.config.trainer;
    const { epoch, batch: start } = this.#position;
    if (start === 0) await this.#tell('onTrainEpochStart');
    const batches = loader.epoch(epoch, { start });
    for (const batch of this.#profiler?.watch(batches) ?? batches) {
      this.#queue.add(batch);
      this.#position = {
        ...this.#position,
        step: this.#position.step + 1,
        batch: this.#position.batch + 1,
      };
      this.#journal.stepped(batch.size, this.#position, this.#rates);
      if (this.#position.batch % log_every === 0) await this.#recordInPassing();
      if (this.#callbacks.has('onTrainBatchEnd')) await this.#tell('onTrainBatchEnd');
      if (this.#queue.full) await this.#queue.room();
      this.#noticeEnd();
      if (this.#stepsTaken || this.#epochTaken || signal.aborted) break;
      if (this.#position.step % checkpoint_every === 0) await this.#save();
    }
    await this.#queue.idle();
  }

  /** Ends an epoch, or all of training: records, evaluates, saves. Stops short when aborted. */
  async #close(): Promise<void> {
    const { step, epoch } = this.#position;
    if (this.#recordedAt < step) await this.#tell('onRecord', await this.#record());
    this.#journal.tellProgress(this.#position, this.#rates);
    const { eval_every } = this.#options.loaded.config.trainer;
    const isDue = (epoch + 1) % eval_every === 0 || this.#stepsTaken;
    if (isDue && !(await this.#evaluate())) return;
    if (isDue) this.#stopping.evaluated(this.metrics);
    await this.#tell('onTrainEpochEnd');
    if (this.#epochTaken) {
      this.#position = { step, epoch: epoch + 1, batch: 0 };
      this.#options.task.schedule.afterEpoch(this.metrics, isDue);
    }
    this.#closedAt = step;
    this.#noticeEnd();
    await this.#save();
  }

  /** Ends training where the config says so, and tells of it once. */
  #noticeEnd(): void {
    const { loaded, clock, emit } = this.#options;
    const { max_seconds = Number.POSITIVE_INFINITY } = loaded.config.trainer;
    if (this.#stepsTaken) return;
    const isLate = clock.elapsed > max_seconds;
    this.#endedBy = isLate
      ? `it has taken ${max_seconds} s`
      : (this.#stopping.reason ?? this.#callbacks.stopped);
    if (this.#endedBy === undefined) return;
    emit({ event: 'ended_early', step: this.#position.step, reason: this.#endedBy });
  }

  /** Calls a hook, while nothing is computed. */
  async #tell(...[hook, ...more]: Parameters<Callbacks['call']>): Promise<void> {
    if (!this.#callbacks.has(hook)) return;
    await this.#queue.idle();
    await this.#options.clock.pause(() => this.#callbacks.call(hook, ...more));
  }

  /** Records while further steps are queued, unless someone is to be told of it. */
  async #recordInPassing(): Promise<void> {
    if (!this.#callbacks.has('onRecord')) return this.#queue.also(() => this.#record());
    await this.#queue.idle();
    await this.#tell('onRecord', await this.#record());
  }

  /** Records the losses since the last record, of the steps queued so far. */
  async #record(): Promise<MetricsRecord> {
    const position = this.#position;
    const first = this.#recordedAt + 1;
    const rates = this.#rates;
    this.#recordedAt = position.step;
    const reading = this.#totals.read();
    const clearing = this.#clearTotals();
    const [means] = await Promise.all([reading, clearing]);
    this.#checkLoss(means, first, position.step);
    return this.#journal.recordTraining(position, rates, means);
  }

  /** False when the signal ended it early. */
  async #evaluate(): Promise<boolean> {
    if (this.#heldOut.val.size === 0) return true;
    this.#resumesAs = this.#callbacks.state(this.#journal.logged);
    await this.#tell('onValidationStart');
    const passes = await this.#heldOut.measure(this.#heldOut.val, this.#position);
    if (passes === undefined) return false;
    this.#resumesAs = undefined;
    const records = passes.map((pass) =>
      this.#journal.recordPass(pass, this.#position, this.#rates),
    );
    this.#journal.keepBest(this.#position);
    for (const record of records) {
      await this.#tell('onRecord', record);
      await this.#tell('onValidationEnd', record);
    }
    return true;
  }

  /**
   * Measures the best checkpoint on data.test. A finished run that goes on does so again, so its
   * record follows the last checkpoint's.
   */
  async #test(): Promise<void> {
    if (this.#heldOut.test.size === 0) return;
    const { run, task } = this.#options;
    const best = this.#journal.best?.step ?? this.#position.step;
    const state = await snapshot.restoreWeights(task, run.checkpoints.pathOf(best));
    const passes = await this.#heldOut.measure(this.#heldOut.test, this.#position);
    if (passes === undefined) return;
    const epoch = state.batch > 0 ? state.epoch : state.epoch - 1;
    for (const pass of passes) this.#journal.recordPass(pass, { ...state, epoch }, this.#rates);
    this.#isTested = true;
  }

  #checkLoss({ values: { loss }, samples }: Measurement, first: number, last: number): void {
    if (samples === 0 || Number.isFinite(loss)) return;
    const steps = first === last ? `step ${last}` : `steps ${first} to ${last}`;
    const what = `the mean training loss of ${steps} is ${loss}`;
    throw new DivergedError(what, 'train', last, first - 1);
  }

  /** What ended training, with what there is to say about it. */
  async #explained(error: unknown): Promise<unknown> {
    const checkpoint = this.#saver.path;
    if (error instanceof DivergedError) return explained(error, { ...this.#options, checkpoint });
    if (!(error instanceof CallbackError || error instanceof AnomalyError)) return error;
    const last = lastCheckpoint(checkpoint);
    return new TorchtsError(`training stopped: ${error.message}; ${last}`);
  }

  /** Takes a checkpoint of the present position, unless it was the last thing done. */
  async #save(): Promise<void> {
    await this.#queue.idle();
    const place = this.#place;
    if (this.#saver.has(place)) return;
    const { run, clock } = this.#options;
    await this.#tell('onSaveCheckpoint', run.checkpoints.pathOf(this.#position.step));
    await clock.pause(async () => this.#saver.begin(await this.#snapshot(), place));
  }

  async #snapshot(): Promise<Checkpoint> {
    const { task, run, loaded, loader } = this.#options;
    const { model, optimizer } = task;
    const means = await this.#totals.read();
    this.#checkLoss(means, this.#recordedAt + 1, this.#position.step);
    const checkpoint: Checkpoint = {
      state: {
        ...this.#position,
        generator: generatorState(),
        data: sampleOrder(loaded, loader, this.#position.epoch),
        scheduler: task.schedule.state(),
        early_stopping: this.#stopping.state(),
        callbacks: this.#resumesAs ?? this.#callbacks.state(this.#journal.logged),
        optimizer: snapshot.optimizerState(
          shortType(loaded.config.optimizer.type),
          model,
          optimizer,
        ),
        best: this.#journal.best,
        metrics: this.#journal.metrics,
        records: run.records,
        recorded_at: this.#recordedAt,
        closed_at: this.#closedAt,
      },
      model: await toHost(model.stateDict()),
      average: task.average && (await toHost(task.average.tensors)),
      tensors: await toHost(this.#stateTensors()),
    };
    const broken = snapshot.firstNonFinite(checkpoint.model);
    if (broken === undefined) return checkpoint;
    const { step } = this.#position;
    const what = `${broken} is no longer finite after step ${step}`;
    throw new DivergedError(what, 'train', step, this.#recordedAt);
  }

  #stateTensors() {
    const { model, optimizer } = this.#options.task;
    return new Map([
      ...snapshot.optimizerTensors(model, optimizer),
      ...snapshot.totalsTensors(this.#totals),
    ]);
  }

  /**
   * Goes on from a checkpoint in `folder`.
   *
   * @throws FileError when its tensors do not fit, ConfigError when the config's optimizer or data
   *   cannot go on from it.
   */
  restore(folder: string, checkpoint: Checkpoint): void {
    const { loaded, task, loader } = this.#options;
    const { state } = checkpoint;
    const type = shortType(loaded.config.optimizer.type);
    if (type !== state.optimizer.type) {
      throw loaded.error(
        ['optimizer', 'type'],
        `the run was trained with ${state.optimizer.type} until now; ${type} cannot go on from it`,
      );
    }
    if (state.batch > 0) checkSampleOrder(loaded, loader, state);
    snapshot.restoreTask(task, this.#totals, folder, checkpoint);
    const { step, epoch, batch } = state;
    if (state.early_stopping !== undefined) this.#stopping.restore(state.early_stopping);
    if (state.callbacks !== undefined) this.#callbacks.restore(state.callbacks);
    this.#position = { step, epoch, batch };
    this.#recordedAt = state.recorded_at;
    this.#closedAt = state.closed_at;
    this.#saver.found(folder, this.#place);
    this.#journal.restore(state);
  }

  dispose(): void {
    this.#step.dispose();
    this.#clearTotals.dispose();
    this.#heldOut.dispose();
    this.#options.loader.dispose();
  }
}
