/** `bench`: times the compiled training step of a config and says where the time goes. */

import { isFloating } from '../base/dtype.ts';
import type { LoadedConfig } from '../config/load.ts';
import { setThreads, threads } from '../core/device.ts';
import type { Tensor } from '../core/tensor.ts';
import type { DatasetSource, Field } from '../data/index.ts';
import type { KernelTiming, RunClock } from '../engine/engine.ts';
import { countParameters } from '../nn/describe.ts';
import { rand, randn } from '../ops/draws.ts';
import { BatchTensors, openLoader, stepsPerCall } from './loop/batches.ts';
import { fittingSteps } from './loop/step-queue.ts';
import { buildTask, type Task, trainingStep } from './task/task.ts';

export interface BenchRequest {
  readonly loaded: LoadedConfig;
  /** Steps that are timed; by default as many as `DEFAULT_SECONDS` hold, `FEWEST` at least. */
  readonly steps?: number;
  /** Steps before the first timed one; by default a quarter of the time. */
  readonly warmup?: number;
  /** Batches of the config's own data, gathered within the timed step, instead of made-up ones. */
  readonly data?: boolean;
  readonly threads?: number;
}

const DEFAULT_SECONDS = 2;
const FEWEST = { warmup: 3, steps: 10, profiled: 5 };

/** One instruction of the step, as the engine runs it. */
export interface InstructionReport extends KernelTiming {
  /** Median milliseconds. */
  readonly ms: number;
}

export interface BenchReport {
  readonly name: string;
  /** How many were timed. */
  readonly steps: number;
  /** How many are handed to the engine at once, as `torchts train` does with short ones. */
  readonly steps_per_call: number;
  readonly threads: number;
  readonly parameters: number;
  readonly ms_per_step_median: number;
  readonly ms_per_step_min: number;
  readonly flops_per_step: number;
  /** What the step needs at once: its arena, the parameters, the optimizer and the batch. */
  readonly peak_bytes: number;
  readonly arena_bytes: number;
  readonly binding_bytes: number;
  /** The most memory the process has taken so far, Node.js included. */
  readonly rss_bytes: number;
  readonly instructions: readonly InstructionReport[];
  /** The engine's plan of the step as text. */
  readonly plan: string;
}

/**
 * @throws ConfigError when the config's parts do not fit together; FileError when its data cannot
 *   be read.
 */
export async function bench(request: BenchRequest): Promise<BenchReport> {
  const { loaded } = request;
  if (request.threads !== undefined) setThreads(request.threads);
  const task = buildTask(loaded);
  task.model.train();
  const batches = request.data ? await storedBatches(loaded, task) : madeUpBatches(task);
  const step = trainingStep(task, task.totals('training'), () => undefined);
  try {
    const next = (): [Tensor, Tensor] => batches.next().value!;
    /** Milliseconds of each of some steps that are handed over in one call, as training does. */
    const time = async (steps: number): Promise<number[]> => {
      const calls = Array.from({ length: steps }, next);
      const start = performance.now();
      await step.many(calls);
      return calls.map(() => (performance.now() - start) / steps);
    };
    const warm = await repeat(time, 1, request.warmup, FEWEST.warmup, DEFAULT_SECONDS / 4);
    const most = stepsPerCall(task.samples_per_step, task.train.input);
    const perCall = warm.length === 0 ? 1 : fittingSteps(median(warm), most);
    const times = await repeat(time, perCall, request.steps, FEWEST.steps, DEFAULT_SECONDS);
    const clocks: RunClock[] = [];
    for (let i = 0; i < Math.min(times.length, FEWEST.profiled); i++) {
      clocks.push((await step.profile(...next())).clock);
    }
    const { memory, kernels, plan } = step.inspect(...next());
    return {
      name: loaded.config.name,
      steps: times.length,
      steps_per_call: perCall,
      threads: threads(),
      parameters: countParameters(task.model),
      ms_per_step_median: median(times),
      ms_per_step_min: Math.min(...times),
      flops_per_step: kernels.reduce((sum, { flops }) => sum + flops, 0),
      peak_bytes: memory.arena_bytes + memory.binding_bytes,
      ...memory,
      rss_bytes: process.resourceUsage().maxRSS * 1024,
      instructions: kernels.map((kernel, i) => ({
        ...kernel,
        ms: median(clocks.map((clock) => clock[i + 1]! - clock[i]!)),
      })),
      plan,
    };
  } finally {
    step.dispose();
    batches.return(undefined);
  }
}

/** The times of `wanted` steps, `perCall` a call; without a number, of what `seconds` hold. */
async function repeat(
  body: (steps: number) => Promise<number[]>,
  perCall: number,
  wanted: number | undefined,
  fewest: number,
  seconds: number,
): Promise<number[]> {
  const results: number[] = [];
  const end = performance.now() + seconds * 1000;
  const isEnough = () =>
    wanted === undefined
      ? results.length >= fewest && performance.now() >= end
      : results.length >= wanted;
  while (!isEnough()) {
    const left = wanted === undefined ? perCall : wanted - results.length;
    results.push(...(await body(Math.min(perCall, left))));
  }
  return results;
}

type Batches = Generator<[Tensor, Tensor], undefined, undefined>;

/** One batch of the right shapes, again and again. */
function* madeUpBatches({ train, samples_per_step }: Task): Batches {
  const { input, target } = train;
  const make = (field: Field) => madeUp(field, samples_per_step, train).realize();
  const batch: [Tensor, Tensor] = [make(input), make(target)];
  for (;;) yield batch;
}

/** Normal random numbers; where the field holds integers, indices of classes. */
function madeUp({ dtype, shape }: Field, size: number, { classes }: DatasetSource): Tensor {
  const whole = [size, ...shape];
  if (isFloating(dtype)) return randn(whole, { dtype });
  const count = Math.max(1, classes.length);
  return rand(whole).mul(count).to('int64').fmod(count).to(dtype);
}

/** Full batches of the config's data, epoch after epoch. */
async function storedBatches(loaded: LoadedConfig, { train }: Task): Promise<Batches> {
  const dataset = await train.load();
  const loader = openLoader(loaded, dataset, 'training');
  const tensors = new BatchTensors(dataset);
  return (function* (): Batches {
    try {
      for (let epoch = 0; ; epoch++) {
        for (const batch of loader.epoch(epoch)) {
          // A smaller last batch is another step, unless it is the only one.
          if (batch.size < loader.batchSize && loader.batchesPerEpoch > 1) continue;
          yield [tensors.inputs(batch), tensors.targets(batch)];
        }
      }
    } finally {
      loader.dispose();
    }
  })();
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.length === 0 ? Number.NaN : sorted[sorted.length >> 1]!;
}
