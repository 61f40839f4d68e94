/** Checks a config's model against its data, without reading any of it. */

import type { Shape } from '../base/shape.ts';
import { userMessage } from '../base/user-code.ts';
import { type DatasetSource, datasets } from '../data/index.ts';
import { BuildError, describe, type ModelDescription } from '../nn/index.ts';
import type { LoadedConfig } from './load.ts';
import type { ConfigPath } from './place.ts';

export interface CheckedModel extends ModelDescription {
  /** Where the training samples come from; nothing has been read yet. */
  readonly source: DatasetSource;
  /** A training batch: `batch_size` and the sample's shape. */
  readonly input_shape: Shape;
}

/**
 * Builds the model for the samples of `data.train` and follows a batch through every layer.
 *
 * @throws ConfigError that points at the layer whose shapes do not fit, or at the data set.
 */
export function checkModel(loaded: LoadedConfig): CheckedModel {
  const { data, model } = loaded.config;
  const source = pointing(loaded, ['data', 'train'], () => datasets.build(data.train));
  const input_shape = [data.batch_size, ...source.input.shape];
  const description = pointing(loaded, ['model'], () =>
    describe(model, input_shape, source.input.dtype),
  );
  return { ...description, source, input_shape };
}

/**
 * Runs `body`; what it finds wrong is said of the value at `path`, or of a part of it.
 *
 * @throws ConfigError in place of a TorchtsError, or of what a user's own code throws.
 */
export function pointing<T>(loaded: LoadedConfig, path: ConfigPath, body: () => T): T {
  try {
    return body();
  } catch (error) {
    const message = error instanceof BuildError ? error.message : userMessage(error);
    if (message === undefined) throw error;
    const part = error instanceof BuildError ? error.path : [];
    throw loaded.error([...path, ...part], message);
  }
}
