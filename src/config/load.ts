/** A config file, checked: what `torchts train` and `torchts validate` start from. */

import YAML from 'yaml';
import type { ConfigError } from '../base/errors.ts';
import { faultsOf } from './faults.ts';
import { parseInWords } from './messages.ts';
import { type Measured, measuredOf } from './metrics.ts';
import { applyOverride } from './overrides.ts';
import { type ConfigPath, configError } from './place.ts';
import { registries as allRegistries } from './registries.ts';
import { configSchema, type Registries, type TrainConfig } from './schema.ts';
import { readConfig, stem } from './source.ts';
import { locate, type ObjectTree, toValue, withKey } from './tree.ts';
import { importUserCode } from './user-code.ts';

export interface LoadOptions {
  /** `key=value` arguments, applied in order over the file and what it extends. */
  readonly overrides?: readonly string[];
  /** Where names come from; the ones torchts ships unless given. */
  readonly registries?: Registries;
}

export interface LoadedConfig {
  readonly config: TrainConfig;
  /** What its runs measure. */
  readonly measured: Measured;
  /** The file it was read from. */
  readonly file: string;
  /** The resolved config as YAML, which loads to an equal config: a run's `config.yaml`. */
  readonly text: string;
  /** What the training samples of the run that is looked at taught; see `DatasetSource`. */
  readonly learned?: unknown;
  /** Where a value stands; `file` is undefined for one given on the command line. */
  locate(path: ConfigPath): { file: string | undefined; line: number; column: number };
  /** An error about the value at `path`, in the form of the loader's own. */
  error(path: ConfigPath, message: string): ConfigError;
}

/**
 * Reads `file`, the files it extends, and the overrides, and checks the result. Names torchts' own
 * types only; `loadConfigWithCode` also those of a user's files.
 *
 * @throws ConfigError that lists every fault, one a line, with the text it stands in.
 */
export function loadConfig(file: string, options: LoadOptions = {}): LoadedConfig {
  return checked(readTree(file, options), file, options);
}

/**
 * As `loadConfig`, after importing the files that the config names as `type: ./file.ts#Export`: so
 * it runs their code.
 */
export async function loadConfigWithCode(
  file: string,
  options: LoadOptions = {},
): Promise<LoadedConfig> {
  return checked(await importUserCode(readTree(file, options)), file, options);
}

function readTree(file: string, { overrides = [] }: LoadOptions): ObjectTree {
  return withDefaultName(overrides.reduce(applyOverride, readConfig(file)), file);
}

function checked(
  tree: ObjectTree,
  file: string,
  { registries = allRegistries }: LoadOptions,
): LoadedConfig {
  const result = parseInWords(configSchema(registries), toValue(tree));
  if (result.issues !== undefined) throw configError(faultsOf(result.issues, tree));
  return {
    config: result.data,
    measured: measuredOf(result.data, registries.metrics),
    file,
    text: YAML.stringify(result.data, { aliasDuplicateObjects: false, lineWidth: 100 }),
    locate(path) {
      const { source, line, column } = locate(tree, path);
      return { file: source.file, line, column };
    },
    error: (path, message) => configError([{ place: locate(tree, path), path, message }]),
  };
}

function withDefaultName(tree: ObjectTree, file: string): ObjectTree {
  if (tree.entries.has('name')) return tree;
  const { place } = tree;
  return withKey(tree, 'name', {
    key: place,
    tree: { kind: 'scalar', place, value: stem(file) },
  });
}
