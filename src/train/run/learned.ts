/** What a run's training samples taught, such as a vocabulary: learned once, kept in its folder. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FileError } from '../../base/errors.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { readWhole } from '../../io/source.ts';
import { LEARNED_FILE } from './run-directory.ts';

const MOST_BYTES = 2 ** 28;

/**
 * The config with what the run in `run` learned, so that its data sets do not learn it again from
 * files that may have changed or be gone. As it is, where the run learned nothing.
 *
 * @throws FileError when what it learned cannot be read.
 */
export function withLearned(loaded: LoadedConfig, run: string | undefined): LoadedConfig {
  const path = run && join(run, LEARNED_FILE);
  if (path === undefined || !existsSync(path)) return loaded;
  const text = new TextDecoder().decode(readWhole(path, MOST_BYTES));
  try {
    return { ...loaded, learned: JSON.parse(text) };
  } catch (error) {
    throw new FileError(`${path} is damaged: ${(error as Error).message}`);
  }
}

/** `withLearned` of the run that the folder of a checkpoint is in. */
export function withLearnedBy(loaded: LoadedConfig, checkpoint: string): LoadedConfig {
  return withLearned(loaded, dirname(dirname(checkpoint)));
}
