/** What whoever has a model's weights must know beside them, as the metadata of a file. */

import type { Spec } from '../../base/registry.ts';
import { version } from '../../base/version.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { DatasetSource } from '../../data/index.ts';
import { wholeModel } from '../../nn/index.ts';

/**
 * Texts by their keys; lists and specs as JSON, left out where there are none:
 *
 * - `torchts` its version, `name` of the config, `model` as the config has it
 * - `classes` in the order of the outputs, or `outputs`: what the numbers are that are predicted
 * - `vocabulary`: what the numbers of the input stand for, where they are tokens
 * - `transforms` of a sample, in order, by torchvision's or scikit-learn's names
 * - `mean`, `std` of `Normalize` among them; `columns` of tables
 *
 * @param source the data set that says how files become samples.
 */
export function modelMetadata(
  { config }: LoadedConfig,
  { classes, vocabulary, encoder }: DatasetSource,
): Record<string, string> {
  const { transforms = [], columns } = encoder?.preparation ?? {};
  const normalize = transforms.findLast(({ type }) => type === 'Normalize') as
    | (Spec & { mean: unknown; std: unknown })
    | undefined;
  const values = {
    model: wholeModel(config.model).spec,
    classes: classes.length > 0 ? classes : undefined,
    outputs: encoder?.outputs,
    vocabulary,
    columns,
    transforms: transforms.length > 0 ? transforms : undefined,
    mean: normalize?.mean,
    std: normalize?.std,
  };
  const texts = Object.entries(values).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, JSON.stringify(value)]],
  );
  return { torchts: version(), name: config.name, ...Object.fromEntries(texts) };
}
