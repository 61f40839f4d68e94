/** The run as callbacks see it. */

import { ArgumentError } from '../../base/errors.ts';
import { numel } from '../../base/shape.ts';
import type { Position, SampleBatch, SampleOptions, TrainingRun } from '../../callbacks/index.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { grad } from '../../core/autograd.ts';
import { engine } from '../../core/device.ts';
import { bufferLeaf } from '../../core/leaf.ts';
import { generatorState, setGeneratorState } from '../../core/random.ts';
import { realize } from '../../core/realize.ts';
import { Tensor } from '../../core/tensor.ts';
import type { Dataset, Field } from '../../data/index.ts';
import type { Module } from '../../nn/index.ts';
import type { AnyOptimizer } from '../../optim/index.ts';
import { evaluate, type Task } from '../task/task.ts';

/** The parts of a trainer that change while it trains. */
interface Present {
  readonly position: Position;
  readonly metrics: Readonly<Record<string, number>>;
  readonly totalSteps: number;
}

export interface RunViewOptions {
  readonly loaded: LoadedConfig;
  readonly task: Task;
  readonly directory: string;
  /** By the names of their splits. */
  readonly datasets: ReadonlyMap<string, Dataset>;
  readonly present: Present;
  readonly log: (name: string, value: number) => void;
  readonly stop: (reason: string) => void;
}

export class RunView implements TrainingRun {
  readonly #options: RunViewOptions;

  constructor(options: RunViewOptions) {
    this.#options = options;
  }

  get config(): Readonly<Record<string, unknown>> {
    return this.#options.loaded.config;
  }

  get directory(): string {
    return this.#options.directory;
  }

  get model(): Module {
    return this.#options.task.model;
  }

  get optimizer(): AnyOptimizer {
    return this.#options.task.optimizer;
  }

  get position(): Position {
    return this.#options.present.position;
  }

  get total_steps(): number {
    return this.#options.present.totalSteps;
  }

  get metrics(): Readonly<Record<string, number>> {
    return this.#options.present.metrics;
  }

  get classes(): readonly string[] {
    return this.#options.task.train.classes;
  }

  stop(reason: string): void {
    this.#options.stop(reason);
  }

  log(name: string, value: number): void {
    this.#options.log(name, value);
  }

  async sampleBatch({ split = 'train', size }: SampleOptions = {}): Promise<SampleBatch> {
    const { datasets, task } = this.#options;
    const dataset = datasets.get(split);
    if (dataset === undefined) throw new ArgumentError(`[sampleBatch] there is no data.${split}`);
    return firstSamples(dataset, Math.min(size ?? task.batch_size, dataset.length));
  }

  async gradients(batch?: SampleBatch): Promise<Map<string, Tensor>> {
    const { task } = this.#options;
    const { inputs, targets } = batch ?? (await this.sampleBatch());
    const named = task.model.namedParameters().filter(([, { requires_grad }]) => requires_grad);
    const parameters = named.map(([, parameter]) => parameter);
    return leavingAsItIs(task.model, async () => {
      const { value } = evaluate(task, inputs, targets);
      const found = grad(value, parameters, { allow_unused: true });
      const pairs = named.flatMap(([name], i): [string, Tensor][] => {
        const gradient = found[i];
        return gradient ? [[name, gradient]] : [];
      });
      await realize(pairs.map(([, gradient]) => gradient.value));
      return new Map(pairs);
    });
  }
}

/** Runs `body`; then the buffers, such as running statistics, and the generator are as before. */
async function leavingAsItIs<T>(model: Module, body: () => Promise<T>): Promise<T> {
  const generator = generatorState();
  const buffers = model.namedBuffers().map(([, buffer]) => ({ buffer, value: buffer.value }));
  try {
    return await body();
  } finally {
    for (const { buffer, value } of buffers) buffer.restore(value);
    setGeneratorState(generator);
  }
}

/** The first samples, in the order of the data set. */
function firstSamples(dataset: Dataset, size: number): SampleBatch {
  const reader = dataset.open(engine());
  try {
    const [inputs, targets] = [dataset.input, dataset.target].map((field) => roomFor(field, size));
    const indices = Int32Array.from({ length: size }, (_, i) => i);
    reader.read({ indices, epoch: 0, inputs: inputs!.buffer(), targets: targets!.buffer() });
    return { inputs: inputs!, targets: targets! };
  } finally {
    reader.dispose();
  }
}

function roomFor({ dtype, shape }: Field, size: number): Tensor {
  const whole = [size, ...shape];
  return new Tensor(bufferLeaf({ dtype, shape: whole }, engine().allocate(dtype, numel(whole))));
}
