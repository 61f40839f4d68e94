/**
 * A run's TensorBoard event files. Metrics are written as they are recorded; everything else is a
 * callback's work. A run that goes on begins a new file, which tells readers to drop what the
 * earlier ones have of steps that are taken again.
 */

import { Callback, type TrainingRun } from '../../callbacks/index.ts';
import { isRate } from '../../callbacks/training-run.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { TrainConfig } from '../../config/schema.ts';
import {
  type TensorBoardContents,
  tensorBoardContents,
} from '../../config/sections/tensorboard.ts';
import type { Tensor } from '../../core/tensor.ts';
import type { HostTensor } from '../../io/host-tensor.ts';
import { EventFile } from '../../io/tensorboard/event-file.ts';
import type { SummaryValue } from '../../io/tensorboard/events.ts';
import { encodeGraph, modelGraph } from '../../io/tensorboard/graph-def.ts';
import { histogramOf } from '../../io/tensorboard/histogram.ts';
import { type HparamValue, sessionEnd, sessionStart } from '../../io/tensorboard/hparams.ts';
import { imageSummary } from '../../io/tensorboard/image.ts';
import { textSummary } from '../../io/tensorboard/summary-writer.ts';
import type { RunState } from '../checkpoint/checkpoint.ts';
import type { MetricsRecord } from '../events.ts';
import type { Task } from '../task/task.ts';

/** Of a record, what is no metric. */
const PLACE: readonly string[] = ['event', 'step', 'epoch', 'split', 'time'];

export class TensorBoard extends Callback {
  readonly #loaded: LoadedConfig;
  readonly #contents: TensorBoardContents;
  #file: EventFile | undefined;
  #purgeStep: number | undefined;
  /** Records of steps that are purged and not taken again. */
  #kept: readonly MetricsRecord[] = [];

  private constructor(loaded: LoadedConfig, contents: TensorBoardContents) {
    super();
    this.#loaded = loaded;
    this.#contents = contents;
  }

  /**
   * Nothing where the config wants no event files.
   *
   * @throws ConfigError when it wants images of data that have none.
   */
  static build(loaded: LoadedConfig, { train }: Task): TensorBoard | undefined {
    const contents = tensorBoardContents(loaded.config.tensorboard);
    if (contents === undefined) return undefined;
    const { shape } = train.input;
    if (contents.images > 0 && !(shape.length === 3 && [1, 3, 4].includes(shape[0]!))) {
      throw loaded.error(
        ['tensorboard', 'images'],
        `data.train has no images: its inputs are (${shape.join(', ')})`,
      );
    }
    return new TensorBoard(loaded, contents);
  }

  /** Goes on from a checkpoint. `records` are those of the run until then. */
  restore(
    { step, closed_at }: Pick<RunState, 'step' | 'closed_at'>,
    records: readonly MetricsRecord[],
  ): void {
    // What follows the last step of an epoch is done again unless it was finished.
    this.#purgeStep = closed_at === step ? step + 1 : step;
    this.#kept = records.filter((record) => record.step >= this.#purgeStep!);
  }

  /** Goes on in another folder, with the records of the run until then. */
  copy(records: readonly MetricsRecord[]): void {
    this.#kept = records;
  }

  override async onTrainStart(run: TrainingRun): Promise<void> {
    const { step } = run.position;
    this.#file = new EventFile(run.directory, { purge_step: this.#purgeStep });
    for (const record of this.#kept) this.record(record);
    this.#add([textSummary('config', asCode(this.#loaded.text))], step);
    this.#add(sessionStart(hparamsOf(this.#loaded.config), Date.now() / 1000), step);
    if (step > 0) return;
    if (this.#contents.graph) {
      const { inputs } = await run.sampleBatch({ size: 1 });
      this.#file.add({ graph_def: encodeGraph(modelGraph(run.model, [inputs])) });
    }
    if (this.#contents.images > 0) {
      const { inputs } = await run.sampleBatch({ size: this.#contents.images });
      const image = imageSummary(await stretched(inputs), 'NCHW');
      this.#add([{ tag: 'data/train', image }], step);
    }
  }

  /** Adds the numbers of a record. Throws a `FileError`. */
  record(record: MetricsRecord): void {
    const { split, step } = record;
    const values = Object.entries(record).flatMap(([key, value]): SummaryValue[] => {
      if (PLACE.includes(key) || typeof value !== 'number') return [];
      // The rate is the optimizer's, whatever is measured meanwhile.
      if (isRate(key)) return split === 'train' ? [{ tag: key, simple_value: value }] : [];
      return [{ tag: `${key}/${split}`, simple_value: value }];
    });
    this.#add(values, step);
  }

  override async onTrainEpochEnd(run: TrainingRun): Promise<void> {
    if (!this.#contents.histograms) return;
    await this.#addHistograms('weights', run.model.namedParameters(), run.position.step);
    await this.#addHistograms('gradients', await run.gradients(), run.position.step);
  }

  override onTrainEnd(run: TrainingRun): void {
    this.#add(sessionEnd('success', Date.now() / 1000), run.position.step);
  }

  override onException(run: TrainingRun): void {
    this.#add(sessionEnd('failure', Date.now() / 1000), run.position.step);
  }

  override teardown(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  async #addHistograms(
    prefix: string,
    tensors: Iterable<[string, Tensor]>,
    step: number,
  ): Promise<void> {
    for (const [name, tensor] of tensors) {
      const histo = histogramOf(await tensor.data());
      if (histo !== undefined) this.#add([{ tag: `${prefix}/${name}`, histo }], step);
    }
  }

  #add(summary: readonly SummaryValue[], step: number): void {
    this.#file?.add({ summary }, step);
  }
}

/** A block of code in Markdown. */
function asCode(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '    ');
}

/** Parts of a config that runs are not compared by. */
const NO_HPARAMS = new Set(['name', 'expect', 'callbacks', 'tensorboard', 'sweep']);

/** The single values of a config by their paths; what stands in lists would be too much. */
export function hparamsOf(config: TrainConfig): Record<string, HparamValue> {
  const found: [string, HparamValue][] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    if (['string', 'number', 'boolean'].includes(typeof value)) {
      found.push([path.join('.'), value as HparamValue]);
    } else if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
      for (const [key, below] of Object.entries(value)) walk(below, [...path, key]);
    }
  };
  for (const [key, value] of Object.entries(config)) {
    if (!NO_HPARAMS.has(key)) walk(value, [key]);
  }
  return Object.fromEntries(found);
}

/** Normalised pixels, stretched to the range from 0 to 1 for the eye. */
async function stretched(images: Tensor): Promise<HostTensor> {
  const values = Float32Array.from(await images.data(), Number);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const range = high > low ? high - low : 1;
  return {
    dtype: 'float32',
    shape: images.shape,
    data: values.map((value) => (value - low) / range),
  };
}
