/** Between the tensors of a run and those of a checkpoint. */

import { join } from 'node:path';
import { isFloating } from '../../base/dtype.ts';
import { FileError, TorchtsError } from '../../base/errors.ts';
import { setGeneratorState } from '../../core/random.ts';
import { Tensor } from '../../core/tensor.ts';
import type { HostTensor } from '../../io/host-tensor.ts';
import { fromHost } from '../../io/tensors.ts';
import type { Module } from '../../nn/index.ts';
import type { AnyOptimizer, OptimizerStateDict } from '../../optim/index.ts';
import type { Totals } from '../loop/totals.ts';
import type { Task } from '../task/task.ts';
import {
  AVERAGE_FILE,
  type Checkpoint,
  type HostTensors,
  MODEL_FILE,
  type RunState,
  readModelWeights,
  STATE_FILE,
} from './checkpoint.ts';

/** A checkpoint that is whole, but not of what the config describes. */
export class MisfitError extends FileError {
  constructor(
    message: string,
    /** The key of the config whose part it does not fit. */
    readonly part: 'model' | 'optimizer',
  ) {
    super(message);
  }
}

/** The first tensor that holds a NaN or an infinity. */
export function firstNonFinite(tensors: HostTensors): string | undefined {
  for (const [name, { dtype, data }] of tensors) {
    if (!isFloating(dtype)) continue;
    for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return name;
  }
  return undefined;
}

const PREFIX = 'optimizer.';

/** The optimizer's parameters in its order, each with its name in the model. */
function namedIn(model: Module, { param_groups }: AnyOptimizer): [string, Tensor][] {
  const names = new Map<Tensor, string>(
    model.namedParameters().map(([name, parameter]) => [parameter, name]),
  );
  return param_groups.flatMap(({ params }) =>
    (params as Tensor[]).map((parameter): [string, Tensor] => [names.get(parameter)!, parameter]),
  );
}

/** `optimizer.PARAMETER.NAME` for each tensor that the optimizer keeps for a parameter. */
export function optimizerTensors(model: Module, optimizer: AnyOptimizer): Map<string, Tensor> {
  const { state } = optimizer.stateDict();
  const found = new Map<string, Tensor>();
  for (const [i, [parameter]] of namedIn(model, optimizer).entries()) {
    for (const [name, kept] of Object.entries(state[i] ?? {})) {
      if (kept instanceof Tensor) found.set(`${PREFIX}${parameter}.${name}`, kept);
    }
  }
  return found;
}

/** `metrics.NAME` for each of the sums. */
export function totalsTensors(totals: Totals): Map<string, Tensor> {
  return new Map([...totals.named()].map(([name, sum]) => [`metrics.${name}`, sum]));
}

/** The optimizer's options, with its parameters by name. */
export function optimizerState(
  type: string,
  model: Module,
  optimizer: AnyOptimizer,
): RunState['optimizer'] {
  const names = namedIn(model, optimizer).map(([name]) => name);
  const groups = optimizer.stateDict().param_groups;
  const param_groups = groups.map(({ params, param_names: _, ...options }) => ({
    ...options,
    params: (params as number[]).map((i) => names[i]!),
  }));
  return { type, param_groups };
}

/**
 * Copies the contents of `file` into a model.
 *
 * @throws MisfitError that names every key and shape that does not fit.
 */
export function restoreModel(model: Module, file: string, stored: HostTensors): void {
  const values = new Map([...stored].map(([name, host]) => [name, fromHost(host)]));
  try {
    model.loadStateDict(values);
  } catch (error) {
    if (!(error instanceof TorchtsError)) throw error;
    const message = `${file} does not fit the model of the config: ${error.message}`;
    throw new MisfitError(message, 'model');
  }
}

/**
 * Brings a task that was just built, and the generator, to where a checkpoint left them.
 *
 * @throws MisfitError that names what does not fit.
 */
export function restoreTask(
  { model, average, mixer, optimizer, schedule }: Task,
  totals: Totals,
  folder: string,
  { state, model: weights, average: averaged, tensors }: Checkpoint,
): void {
  restoreModel(model, join(folder, MODEL_FILE), weights);
  mixer?.goOn(state.step);
  const averageFile = join(folder, AVERAGE_FILE);
  average?.goOn(
    state.step,
    averaged && ((own) => restoreTensors(own, averageFile, averaged, 'model')),
  );
  const file = join(folder, STATE_FILE);
  const split = splitTensors(tensors);
  restoreOptimizer(model, optimizer, file, split.optimizer);
  restoreTotals(totals, file, split.others);
  setGeneratorState(state.generator);
  schedule.restore(state, state.scheduler ?? null);
}

/** Gives a task what `readModelWeights` reads, as the weights that its evaluations measure. */
export async function restoreWeights(
  { model, average }: Task,
  folder: string,
  trained = false,
): Promise<RunState> {
  const { state, file, weights } = await readModelWeights(folder, trained);
  restoreModel(model, file, weights);
  average?.goOn(state.step);
  return state;
}

/** The tensors of a checkpoint that are an optimizer's, and the others. */
function splitTensors(tensors: HostTensors): {
  optimizer: HostTensors;
  others: HostTensors;
} {
  const entries = [...tensors];
  return {
    optimizer: new Map(entries.filter(([name]) => name.startsWith(PREFIX))),
    others: new Map(entries.filter(([name]) => !name.startsWith(PREFIX))),
  };
}

/**
 * Gives an optimizer the state in `file`; its options stay as they are.
 *
 * @throws MisfitError that names what does not fit.
 */
function restoreOptimizer(
  model: Module,
  optimizer: AnyOptimizer,
  file: string,
  stored: HostTensors,
): void {
  const parameters = namedIn(model, optimizer);
  const { param_groups } = optimizer.stateDict();
  const state: OptimizerStateDict['state'] = {};
  const faults: string[] = [];
  for (const [key, host] of stored) {
    const end = key.lastIndexOf('.');
    const [owner, name] = [key.slice(PREFIX.length, end), key.slice(end + 1)];
    const position = parameters.findIndex(([path]) => path === owner);
    const kept = position >= 0 && optimizer.keeps(parameters[position]![1], name);
    if (!kept) faults.push(`${key} is unexpected`);
    else state[position] = { ...state[position], [name]: fromHost(host) };
  }
  if (faults.length > 0) throw misfit(file, faults.join('; '), 'optimizer');
  try {
    optimizer.loadStateDict({ state, param_groups });
  } catch (error) {
    if (!(error instanceof TorchtsError)) throw error;
    throw misfit(file, error.message, 'optimizer');
  }
}

/** The sums of metrics that are new in the config, or have other arguments, start over. */
function restoreTotals(totals: Totals, file: string, stored: HostTensors): void {
  const own = totalsTensors(totals);
  const metricOf = (name: string) => name.slice(0, name.lastIndexOf('.'));
  const stateOf = (tensors: ReadonlyMap<string, HostTensor | Tensor>, metric: string) =>
    [...tensors]
      .filter(([name]) => metricOf(name) === metric)
      .map(([name, { dtype, shape }]) => `${name} ${dtype} ${shape.join()}`)
      .sort()
      .join();
  // The loss and the number of samples, which every config has, are of no metric.
  const goesOn = (name: string) => {
    const metric = metricOf(name);
    return metric === 'metrics' || stateOf(own, metric) === stateOf(stored, metric);
  };
  const kept = <T>(tensors: ReadonlyMap<string, T>) =>
    new Map([...tensors].filter(([name]) => goesOn(name)));
  restoreTensors(kept(own), file, kept(stored));
}

/** Copies the contents of `file` into tensors; throws as `restoreModel`. */
function restoreTensors(
  own: ReadonlyMap<string, Tensor>,
  file: string,
  stored: HostTensors,
  part: MisfitError['part'] = 'optimizer',
): void {
  const describe = ({ dtype, shape }: HostTensor | Tensor) => `${dtype} [${shape.join(', ')}]`;
  const faults = [...own].flatMap(([name, target]) => {
    const host = stored.get(name);
    if (host === undefined) return [`${name} is missing`];
    if (describe(host) === describe(target)) return [];
    return [`${name} is ${describe(host)}, needs ${describe(target)}`];
  });
  faults.push(...[...stored.keys()].filter((n) => !own.has(n)).map((n) => `${n} is unexpected`));
  if (faults.length > 0) {
    throw misfit(file, faults.join('; '), part);
  }
  for (const [name, target] of own) target.copy_(fromHost(stored.get(name)!));
}

function misfit(file: string, faults: string, part: MisfitError['part']): MisfitError {
  return new MisfitError(`${file} does not fit the config: ${faults}`, part);
}
