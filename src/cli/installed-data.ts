/** Which data sets are on this machine, for `data list` and `doctor`. */

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { TorchtsError } from '../base/errors.ts';
import { CIFAR10_LAYOUT, expectedFiles, recordBytes } from '../data/images/cifar-format.ts';
import { KNOWN_SETS } from '../data/known-set-table.ts';
import { fetchCommand, fetchedFolder, glaringFault } from '../data/known-sets.ts';
import { resolveRoot } from '../data/paths.ts';

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
  /** How `data fetch` calls it. */
  readonly name: string | undefined;
}

const SUBSET_ROOT = 'datasets/cifar10-subset';

/** Those that can be fetched, and what is shipped. */
export function installedData(): InstalledData[] {
  const fetched = KNOWN_SETS.map((set): InstalledData => {
    const folder = fetchedFolder(set);
    const missing = glaringFault(folder, set);
    const samples = missing === undefined ? set.samples : { train: 0, test: 0 };
    const fix = fetchCommand(set);
    const description = set.description ?? 'complete';
    const { name, type } = set;
    return { type, description, root: 'datasets', folder, ...samples, missing, fix, name };
  });
  return [...fetched, shippedSubset()];
}

function shippedSubset(): InstalledData {
  const at = {
    type: 'CIFAR10',
    description: 'subset',
    root: SUBSET_ROOT,
    folder: SUBSET_ROOT,
    train: 0,
    test: 0,
    fix: undefined,
    name: undefined,
  };
  try {
    const folder = resolveRoot(SUBSET_ROOT);
    const samples = { train: 0, test: 0 };
    for (const { name, split, records } of expectedFiles(folder, CIFAR10_LAYOUT)) {
      const size = statSync(join(folder, name), { throwIfNoEntry: false })?.size;
      if (size !== records * recordBytes(CIFAR10_LAYOUT)) {
        const missing = `${name} ${size === undefined ? 'is missing' : `has ${size} bytes`}`;
        return { ...at, folder, missing };
      }
      samples[split] += records;
    }
    return { ...at, ...samples, folder, missing: undefined };
  } catch (error) {
    if (!(error instanceof TorchtsError)) throw error;
    return { ...at, missing: 'not shipped with this copy' };
  }
}
