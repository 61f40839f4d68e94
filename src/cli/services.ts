/**
 * What the commands ask of the rest of torchts. Everything heavy is imported when it is needed, so
 * that `--help` and faults in a config do not wait for the engine; tests give their own.
 */

import type { LoadedConfig } from '../config/load.ts';
import type { StarterRequest } from '../config/starter.ts';
import type { CacheOptions, CacheProgress, CacheReport, Field } from '../data/dataset.ts';
import type { FetchOptions } from '../data/fetch/fetch.ts';
import type { Statistics } from '../data/inspection/statistics.ts';
import type { TextStatistics } from '../data/inspection/text-statistics.ts';
import type { KnownSet } from '../data/known-sets.ts';
import type { Load, SweepPlan } from '../sweep/plan.ts';
import type { SweepRequest, SweepSummary } from '../sweep/sweep.ts';
import type { BenchReport, BenchRequest } from '../train/bench.ts';
import type { DataBenchReport, DataBenchRequest } from '../train/data-bench.ts';
import type { RunSummary } from '../train/events.ts';
import type { ExportRequest, ExportResult } from '../train/export.ts';
import type { ImportReport, ImportRequest } from '../train/import.ts';
import type {
  EvaluateRequest,
  EvaluateResult,
  PredictEvent,
  PredictRequest,
  ReportRequest,
  TrainRequest,
} from '../train/request.ts';
import type { WeightsReport } from '../train/task/initial-weights.ts';
import type { VerifyRequest, VerifyResult } from '../train/verify-resume.ts';
import type { TaskMemory } from './memory.ts';

export type {
  EvaluateRequest,
  EvaluateResult,
  ExportRequest,
  ExportResult,
  PredictEvent,
  PredictRequest,
  TrainRequest,
};

/** One line of `torchts validate`. */
export interface LayerRow {
  /** As in the model's state dict: `0`, `conv1`; empty for the model itself. */
  readonly path: string;
  readonly type: string;
  readonly output_shape: readonly number[];
  readonly parameters: number;
  /** Floating-point operations of the forward pass for one batch. */
  readonly flops: number;
}

export interface ModelReport {
  readonly layers: readonly LayerRow[];
  readonly input_shape: readonly number[];
  readonly parameters: number;
  /** Those that are not frozen. */
  readonly trained_parameters: number;
  readonly flops: number;
  /** What training would take from the file that the config names. */
  readonly weights: WeightsReport | undefined;
  /** Unknown where the engine cannot be loaded. */
  readonly memory: TaskMemory | undefined;
}

/** A picture of some samples. */
export interface SheetRequest {
  /** A PNG. */
  readonly file: string;
  /** As the transforms give them. */
  readonly augmented: boolean;
}

export interface DatasetReport extends Statistics {
  /** `data.train`, `data.val`, `data.val.NAME`, `data.test`, or the name that was asked for. */
  readonly key: string;
  readonly type: string;
  readonly length: number;
  readonly input: Field;
  readonly target: Field;
  readonly classes: readonly string[];
  /** Samples of each class, where that is known. */
  readonly class_counts: readonly number[] | undefined;
  /** Of texts alone. */
  readonly texts?: TextStatistics | undefined;
}

export interface CacheRequest extends Pick<CacheOptions, 'force' | 'signal'> {
  /** `key` as that of a `DatasetReport`. */
  readonly onProgress?: (key: string, progress: CacheProgress) => void;
}

/** A file of decoded images; `key` as that of a `DatasetReport`. */
export interface CachedReport extends CacheReport {
  readonly key: string;
}

export interface Services {
  /** @throws ConfigError */
  loadConfig(file: string, overrides: readonly string[]): Promise<LoadedConfig>;
  train(request: TrainRequest): Promise<RunSummary>;
  /** A result for each data set that the split names. */
  sweep(request: SweepRequest): Promise<SweepSummary>;
  /** @throws ConfigError when the sweep or one of its trials is wrong. */
  planSweep(loaded: LoadedConfig, load: Load): Promise<SweepPlan>;
  evaluate(request: EvaluateRequest): Promise<EvaluateResult[]>;
  predict(request: PredictRequest): AsyncIterable<PredictEvent>;
  exportModel(request: ExportRequest): Promise<ExportResult>;
  importWeights(request: ImportRequest): Promise<ImportReport>;
  /** Writes the report of a run and returns its path. */
  report(request: ReportRequest): Promise<string>;
  bench(request: BenchRequest): Promise<BenchReport>;
  verifyResume(request: VerifyRequest): Promise<VerifyResult>;
  /** @throws ConfigError that points at the layer whose shapes do not fit. */
  inspectModel(loaded: LoadedConfig): Promise<ModelReport>;
  /** The JSON Schema of every config, as a file. */
  jsonSchema(): Promise<string>;
  /** @throws ConfigError or FileError when the data cannot be trained on. */
  starterConfig(request: StarterRequest): Promise<string>;
  /** Reads the data sets of a config, or the one that a registry knows by `target`. */
  inspectData(
    target: string,
    overrides: readonly string[],
    sheet?: SheetRequest,
  ): Promise<DatasetReport[]>;
  /** Makes the files that the data sets of a config are cached in. */
  cacheData(loaded: LoadedConfig, request: CacheRequest): AsyncIterable<CachedReport>;
  benchData(request: DataBenchRequest): Promise<DataBenchReport>;
  /** Gets one of the known sets; returns its folder. */
  fetchDataset(set: KnownSet, options: FetchOptions): Promise<string>;
}

export const services: Services = {
  loadConfig: async (file, overrides) =>
    (await import('../config/load.ts')).loadConfigWithCode(file, { overrides }),
  train: async (request) => (await import('../train/train.ts')).train(request),
  evaluate: async (request) => (await import('../train/evaluate.ts')).evaluate(request),
  async *predict(request) {
    yield* (await import('../train/predict.ts')).predict(request);
  },
  exportModel: async (request) => (await import('../train/export.ts')).exportModel(request),
  importWeights: async (request) => (await import('../train/import.ts')).importWeights(request),
  sweep: async (request) => (await import('../sweep/sweep.ts')).runSweep(request),
  planSweep: async (loaded, load) => (await import('../sweep/plan.ts')).planSweep(loaded, load),
  report: async (request) =>
    (await import('../train/watching/run-report.ts')).rebuildReport(request),
  verifyResume: async (request) =>
    (await import('../train/verify-resume.ts')).verifyResume(request),
  bench: async (request) => (await import('../train/bench.ts')).bench(request),
  inspectModel: async (loaded) => (await import('./inspect.ts')).inspectModel(loaded),
  jsonSchema: async () => {
    const { configJsonSchema, jsonSchemaText } = await import('../config/json-schema.ts');
    const { registries } = await import('../config/registries.ts');
    return jsonSchemaText(configJsonSchema(registries));
  },
  starterConfig: async (request) => (await import('../config/starter.ts')).starterConfig(request),
  inspectData: async (target, overrides, sheet) =>
    (await import('./inspect.ts')).inspectData(target, overrides, sheet),
  async *cacheData(loaded, request) {
    yield* (await import('./cache-data.ts')).cacheData(loaded, request);
  },
  benchData: async (request) => (await import('../train/data-bench.ts')).benchData(request),
  fetchDataset: async (set, options) =>
    (await import('../data/fetch/fetch.ts')).fetchDataset(set, options),
};
