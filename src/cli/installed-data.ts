/** Which data sets are on this machine, for `data list` and `doctor`. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { TorchtsError } from '../base/errors.ts';
import { CIFAR10_FOLDER, expectedFiles, RECORD_BYTES } from '../data/images/cifar10-format.ts';
import { cacheFolder, resolveRoot } from '../data/paths.ts';

export interface InstalledData {
  /** The name after `type:`. */
  readonly type: string;
  readonly description: string;
  /** What to write as `root:`. */
  readonly root: string;
  readonly folder: string;
  /** Samples by split; 0 when the set is not whole. */
  readonly train: number;
  readonly test: number;
  /** What is wrong with it, or `undefined` when it can be used. */
  readonly missing: string | undefined;
  /** The command that gets it, when it is missing. */
  readonly fix: string | undefined;
}

const SUBSET_ROOT = 'datasets/cifar10-subset';

export function installedData(): InstalledData[] {
  const fetched = join(cacheFolder(), CIFAR10_FOLDER);
  return [
    {
      ...cifar10At(fetched),
      description: 'complete',
      root: 'datasets',
      fix: 'torchts data fetch cifar10',
    },
    { ...cifar10At(SUBSET_ROOT), description: 'subset', root: SUBSET_ROOT, fix: undefined },
  ];
}

function cifar10At(root: string) {
  const at = { type: 'CIFAR10', folder: root, train: 0, test: 0 };
  try {
    const folder = resolveRoot(root);
    const samples = { train: 0, test: 0 };
    for (const { name, split, records } of expectedFiles(folder)) {
      const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size;
      if (size !== records * RECORD_BYTES) {
        const missing = `${name} ${size === undefined ? 'is missing' : `has ${size} bytes`}`;
        return { ...at, folder, missing };
      }
      samples[split] += records;
    }
    return { ...at, ...samples, folder, missing: undefined };
  } catch (error) {
    if (!(error instanceof TorchtsError)) throw error;
    return { ...at, missing: 'not fetched' };
  }
}
