/** What a config asks to be trained: model, loss and optimizer, checked against the data. */

import { formatShape, type Shape } from '../../base/shape.ts';
import { scheduleOptions } from '../../config/contradictions.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { checkModel, datasetAt, pointing } from '../../config/model-check.ts';
import type { ConfigPath } from '../../config/place.ts';
import type { TrainConfig, TrainerConfig } from '../../config/schema.ts';
import { heldOutSplits } from '../../config/splits.ts';
import { autocast } from '../../core/autocast.ts';
import { type CompiledStep, compile } from '../../core/compile.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { placeholder } from '../../core/leaf.ts';
import { manualSeed } from '../../core/random.ts';
import { Tensor } from '../../core/tensor.ts';
import { differing } from '../../data/description.ts';
import type { DatasetSource, Field } from '../../data/index.ts';
import {
  buildLoss,
  firstOutput,
  ignoredTarget,
  isSummed,
  lossOfOutput,
  type ModelDescription,
  type Module,
  utils,
} from '../../nn/index.ts';
import { narrow } from '../../ops/slicing.ts';
import { type AnyOptimizer, build as buildOptimizer, buildScheduler } from '../../optim/index.ts';
import { Schedule } from '../loop/schedule.ts';
import { Totals } from '../loop/totals.ts';
import { type BatchMixer, batchMixer } from './batch-mixer.ts';
import { freeze } from './freezing.ts';
import { metricsOf } from './task-metrics.ts';
import { WeightAverage } from './weight-average.ts';

const { clipGradNorm_, clipGradValue_ } = utils;

export interface Task {
  readonly model: Module;
  readonly loss: Module;
  readonly optimizer: AnyOptimizer;
  readonly schedule: Schedule;
  readonly engine: TrainConfig['engine'];
  readonly train: DatasetSource;
  /** What is measured in evaluations and when training is over, by the names of the splits. */
  readonly heldOut: ReadonlyMap<string, DatasetSource>;
  /** Samples whose gradients are computed at once; a step may have several such parts. */
  readonly batch_size: number;
  /** Samples of one step of an evaluation. */
  readonly eval_batch_size: number;
  /** Samples of one training step: as many batches as `accumulate_grad_batches` says. */
  readonly samples_per_step: number;
  /** Whether the loss of a batch is the sum over its samples, not their mean. */
  readonly summed: boolean;
  /** The target that the loss leaves out, and what is measured of classes too. */
  readonly ignored: number | undefined;
  /** Mixes the samples of training batches, where the config says so. */
  readonly mixer: BatchMixer | undefined;
  /** The average of the weights that is measured in their place, where there is one. */
  readonly average: WeightAverage | undefined;
  /** Limits the gradients, where the config says so; part of a traced step. */
  clipGradients(): void;
  /** Whether forward passes and losses are computed in mixed precision. */
  readonly mixed: boolean;
  /**
   * Fresh sums of what this task measures; in training only of what is one number, since nothing
   * shows the others.
   */
  totals(during: 'training' | 'evaluation'): Totals;
}

/**
 * Seeds the generator and builds everything; no sample is read and nothing is computed.
 *
 * @throws ConfigError that points at the part that does not fit.
 */
export function buildTask(loaded: LoadedConfig): Task {
  const { config } = loaded;
  manualSeed(config.seed);
  const { model, source: train, outputs } = checkModel(loaded);
  const [output] = outputs;
  const loss = pointing(loaded, ['loss'], () => buildLoss(config.loss));
  const trained = freeze(loaded, model);
  const optimizer = optimizerOf(loaded, trained);
  const scheduler =
    config.scheduler &&
    pointing(loaded, ['scheduler'], () => buildScheduler(config.scheduler, optimizer));
  const { interval, monitor } = scheduleOptions(config);
  const summed = isSummed(config.loss);
  const classifies = train.classes.length > 0;
  const { dtype, shape } = train.target;
  const target = { dtype, shape: [output.shape[0]!, ...shape] };
  checkLoss(loaded, ['loss'], loss, outputs, target);
  if (classifies) checkClasses(loaded, train, output.shape);
  const mixer = batchMixer(loaded, train, output);
  if (mixer !== undefined) {
    const shares = { dtype: 'float32', shape: output.shape } as const;
    checkLoss(loaded, ['data', 'batch_transforms'], loss, outputs, shares);
  }
  const metrics = metricsOf(loaded, { classes: train.classes, output, target });
  return {
    model,
    loss,
    optimizer,
    schedule: new Schedule(optimizer, scheduler, interval, monitor),
    engine: config.engine,
    train,
    heldOut: heldOutSources(loaded, train),
    batch_size: config.data.batch_size,
    eval_batch_size: evaluationBatch(config),
    samples_per_step: samplesPerStep(config),
    summed,
    ignored: ignoredTarget(config.loss),
    mixer,
    average: config.trainer.ema && new WeightAverage(model, config.trainer.ema),
    clipGradients: () => clipGradients(config.trainer, model),
    totals: (during) =>
      new Totals({
        metrics: metrics().filter(({ metric }) => metric.scalar || during === 'evaluation'),
        summed,
      }),
    mixed: config.precision === 'bfloat16',
  };
}

function optimizerOf(loaded: LoadedConfig, trained: ReturnType<typeof freeze>): AnyOptimizer {
  const { optimizer: spec } = loaded.config;
  const optimizer = pointing(loaded, ['optimizer'], () => buildOptimizer(spec, trained));
  if (optimizer.compilable) return optimizer;
  throw loaded.error(
    ['optimizer'],
    `${spec.type} asks for the loss several times a step, which a run does not; it is for code: ` +
      `optimizer.step(closure)`,
  );
}

/** Samples that one training step takes. */
export function samplesPerStep({ data, trainer }: TrainConfig): number {
  return data.batch_size * trainer.accumulate_grad_batches;
}

/** Samples that one step of an evaluation takes. */
export function evaluationBatch({ data }: TrainConfig): number {
  return data.eval_batch_size ?? data.batch_size;
}

/** Values before norms, so that the norm of what the optimizer gets is within its limit too. */
function clipGradients({ clip_grad_norm, clip_grad_value }: TrainerConfig, model: Module): void {
  if (clip_grad_value !== undefined) clipGradValue_(model.parameters(), clip_grad_value);
  if (clip_grad_norm !== undefined) clipGradNorm_(model.parameters(), clip_grad_norm);
}

/** The loss of a batch must be one number; what is wrong is said of the value at `path`. */
function checkLoss(
  loaded: LoadedConfig,
  path: ConfigPath,
  loss: Module,
  outputs: ModelDescription['outputs'],
  batch: Field,
): void {
  const [predicted, ...others] = outputs.map((output, i) => new Tensor(placeholder(output, i)));
  const target = new Tensor(placeholder(batch, outputs.length));
  const value = pointing(loaded, path, () => lossOfOutput(loss, [predicted!, ...others], target));
  if (value.numel() === 1) return;
  throw loaded.error(
    path,
    `gives ${formatShape(value.shape)}, training needs one number; use reduction: mean`,
  );
}

function checkClasses(loaded: LoadedConfig, { classes }: DatasetSource, output: Shape): void {
  const scores = output[1] ?? 0;
  if (scores >= classes.length) return;
  throw loaded.error(
    ['model'],
    `the data has ${classes.length} classes, but the model gives ${scores} scores a sample`,
  );
}

/**
 * Samples that are measured must look like the training samples; what those taught is not learned
 * from the others.
 */
export function heldOutSources(
  loaded: LoadedConfig,
  train: DatasetSource,
): Map<string, DatasetSource> {
  const { learned } = train;
  return new Map(
    heldOutSplits(loaded.config.data).map(({ name, path, spec }) => {
      const source = datasetAt({ ...loaded, learned }, path, spec);
      const fault = differing(source, train, 'data.train');
      if (fault !== undefined) throw loaded.error(path, fault);
      return [name, source];
    }),
  );
}

/** A compiled pass over one batch: inputs and targets in, sums out. */
export type BatchStep = CompiledStep<[input: Tensor, target: Tensor], undefined>;

/** The fast paths that the config does without; see `engine/switches.ts`. */
export const switchedOff = ({ winograd }: TrainConfig['engine']): string[] =>
  winograd ? [] : ['onednn_winograd'];

/** The model's main output and the loss, in the task's precision. */
export function evaluate(
  { model, loss, mixed }: Pick<Task, 'loss' | 'mixed'> & { model: Pick<Module, 'call'> },
  input: Tensor,
  target: Tensor,
) {
  return autocast(
    () => {
      const output = model.call(input);
      return { output: firstOutput(output), value: lossOfOutput(loss, output, target) };
    },
    { enabled: mixed },
  );
}

/** What a training step does with one batch: forward, backward and update; traced or eager. */
export function takeStep(task: Task, totals: Totals, input: Tensor, target: Tensor): undefined {
  const { optimizer, schedule } = task;
  optimizer.zeroGrad();
  for (const [i, [x, y, share]] of parts(task, input, target).entries()) {
    const [mixed, shares] = task.mixer?.mix(x, y, i) ?? [x, y];
    const { output, value } = evaluate(task, mixed, shares);
    (share === 1 ? value : value.mul(share)).backward();
    totals.add(value, output, y);
  }
  task.clipGradients();
  optimizer.step();
  task.mixer?.afterStep();
  task.average?.afterStep();
  schedule.afterStep();
}

/** `takeStep`, compiled. */
export function trainingStep(
  task: Task,
  totals: Totals,
  onRetrace: (reason: string) => void,
): BatchStep {
  const { model, optimizer, average, engine } = task;
  return compile((input, target) => takeStep(task, totals, input, target), {
    state: [model, optimizer, totals, ...(average ? [average] : [])],
    name: 'training step',
    onRetrace,
    plan: { recompute: engine.recompute },
    off: switchedOff(engine),
  });
}

/** A step's samples by batches, and by what each batch's loss counts in the whole. */
function parts(
  { batch_size, summed }: Task,
  input: Tensor,
  target: Tensor,
): [input: Tensor, target: Tensor, share: number][] {
  const samples = input.shape[0]!;
  if (samples <= batch_size) return [[input, target, 1]];
  return Array.from({ length: Math.ceil(samples / batch_size) }, (_, i) => {
    const start = i * batch_size;
    const size = Math.min(batch_size, samples - start);
    const share = summed ? 1 : size / samples;
    return [narrow(input, 0, start, size), narrow(target, 0, start, size), share];
  });
}

/**
 * Forward only, with the averaged weights where there are some; the model must be in evaluation
 * mode at every call.
 */
export function evaluationStep(
  task: Task,
  totals: Totals,
  onRetrace: (reason: string) => void,
): BatchStep {
  const { average } = task;
  const measured = average === undefined ? task : { ...task, model: average.asModel };
  return compile(
    (input, target) =>
      noGrad(() => {
        const { output, value } = evaluate(measured, input, target);
        totals.add(value, output, target);
        return undefined;
      }),
    {
      state: [task.model, totals, ...(average ? [average] : [])],
      name: 'evaluation step',
      onRetrace,
      off: switchedOff(task.engine),
    },
  );
}
