/** `model.weights`: what a run begins with, where that is not PyTorch's initialisation. */

import { join } from 'node:path';
import { z } from 'zod';
import { FileError, TorchtsError } from '../../base/errors.ts';
import { INTERPRETED } from '../../base/registry.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { ConfigPath } from '../../config/place.ts';
import { fromHost } from '../../io/tensors.ts';
import {
  isWholeMatch,
  type Module,
  matchState,
  type StateMatch,
  wholeModel,
} from '../../nn/index.ts';
import { readWeightsFile, weightsChecksum } from '../checkpoint/weights-file.ts';
import { WEIGHTS_FILE } from '../run/run-directory.ts';
import { readJson } from '../run/run-files.ts';
import { refusal } from '../weights/refusal.ts';
import type { Task } from './task.ts';

/** What was taken from a file of weights, and what was not. */
export interface WeightsReport extends Omit<StateMatch, 'values' | 'pairs'> {
  readonly file: string;
  /** Whether the average of a checkpoint was asked for. */
  readonly ema: boolean;
  /** Of the contents that were read. */
  readonly sha256: string;
  /** Keys of the model that got their values, and all that it has. */
  readonly taken: number;
  readonly keys: number;
}

interface ReadWeights {
  /** By the model's keys. */
  readonly values: StateMatch['values'];
  readonly report: WeightsReport;
}

/**
 * Gives a task that was just built the weights that its config names.
 *
 * @returns what was taken; nothing where the config names none.
 * @throws ConfigError at `model.weights` for what cannot be read, or does not fit.
 */
export async function loadInitialWeights(
  loaded: LoadedConfig,
  { model, average }: Pick<Task, 'model' | 'average'>,
): Promise<WeightsReport | undefined> {
  const read = await readInitialWeights(loaded, model);
  if (read === undefined) return undefined;
  model.loadPreparedState(read.values, { strict: false });
  average?.goOn(0);
  return read.report;
}

/** What `loadInitialWeights` would take; throws as it does. Nothing is changed. */
export async function readInitialWeights(
  loaded: LoadedConfig,
  model: Module,
): Promise<ReadWeights | undefined> {
  const { weights } = wholeModel(loaded.config.model);
  if (weights === undefined) return undefined;
  const { file, strict, ema, ...options } = weights;
  const path = ['model', 'weights'];
  const stored = await blaming(loaded, path, () => readWeightsFile(file, { ema }));
  const tensors = new Map([...stored].map(([key, host]) => [key, fromHost(host)]));
  const match = await blaming(loaded, path, async () => matchState(model, tensors, options));
  if (match.values.size === 0 || (strict && !isWholeMatch(match))) {
    throw loaded.error(path, refusal(file, match));
  }
  const { values, pairs: _, ...rest } = match;
  return {
    values,
    report: {
      file,
      ema,
      sha256: weightsChecksum(stored),
      taken: values.size,
      keys: model.stateDict().size,
      ...rest,
    },
  };
}

/** What a run keeps of its beginning, as far as it is read again. */
const kept = z.looseObject({ file: z.string(), ema: z.boolean(), sha256: z.string() });

/**
 * The file of weights that a run in the folder `run` began with, if it has other contents now.
 * Where it is gone there is nothing to say: a run that goes on has its own.
 */
export async function changedWeights(run: string): Promise<string | undefined> {
  const { data } = kept.safeParse(await readJson(join(run, WEIGHTS_FILE)), INTERPRETED);
  if (data === undefined) return undefined;
  const now = await readWeightsFile(data.file, data).catch((error) => {
    if (error instanceof FileError) return undefined;
    throw error;
  });
  return now !== undefined && weightsChecksum(now) !== data.sha256 ? data.file : undefined;
}

async function blaming<T>(
  loaded: LoadedConfig,
  path: ConfigPath,
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof TorchtsError ? loaded.error(path, error.message) : error;
  }
}
