/** Which of a config's data sets says how files become inputs. */

import type { LoadedConfig } from '../../config/load.ts';
import { validationSplits } from '../../config/splits.ts';
import type { DatasetSource } from '../../data/index.ts';
import type { Task } from './task.ts';

/** The data that is measured on has the transforms that draw nothing; else the training data. */
export function sampleSource({ config }: LoadedConfig, { heldOut, train }: Task): DatasetSource {
  const [first] = validationSplits(config.data);
  return (first && heldOut.get(first.name)) ?? train;
}
