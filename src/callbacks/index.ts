export { Callback, type HookName, type JsonValue, misnamedHook } from './callback.ts';
export { callbacks } from './registry.ts';
export type {
  MetricsRecord,
  Position,
  SampleBatch,
  SampleOptions,
  TrainingRun,
} from './training-run.ts';
