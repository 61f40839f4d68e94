/** Checks a config's model against its data, without reading any of it. */

import { BuildError, buildError } from '../base/build-error.ts';
import { ConfigError } from '../base/errors.ts';
import type { Spec } from '../base/registry.ts';
import type { Shape } from '../base/shape.ts';
import { type DatasetSource, datasets } from '../data/index.ts';
import { describe, type ModelDescription, wholeModel } from '../nn/index.ts';
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
  const source = datasetAt(loaded, ['data', 'train'], data.train);
  const input_shape = [data.batch_size, ...source.input.shape];
  const description = pointing(loaded, ['model'], () =>
    describe(wholeModel(model).spec, input_shape, source.input.dtype, source.vocabulary?.length),
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
    throw pointed(loaded, path, error);
  }
}

function pointed(loaded: LoadedConfig, path: ConfigPath, error: unknown): unknown {
  const fault = buildError(error, []);
  if (!(fault instanceof BuildError)) return error;
  return loaded.error([...path, ...fault.path], fault.message);
}

/**
 * The data set of the spec at `path`; what is wrong with its samples, once they are read, is said
 * of the spec too, while a fault of a file speaks for itself.
 *
 * @throws ConfigError as `pointing`.
 */
export function datasetAt(loaded: LoadedConfig, path: ConfigPath, spec: Spec): DatasetSource {
  const { learned } = loaded;
  const source = pointing(loaded, path, () => datasets.build(spec, { learned }));
  const { makeCaches } = source;
  const pointingAt = async <T>(reading: Promise<T>) => {
    try {
      return await reading;
    } catch (error) {
      const isAtFault = error instanceof BuildError || error instanceof ConfigError;
      throw isAtFault ? pointed(loaded, path, error) : error;
    }
  };
  return {
    ...source,
    load: () => pointingAt(source.load()),
    makeCaches: makeCaches && ((options) => pointingAt(makeCaches(options))),
  };
}
