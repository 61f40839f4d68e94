/** Weights from wherever they are: a file of any kind that is read, or a checkpoint of a run. */

import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FileError } from '../../base/errors.ts';
import { resolveRoot } from '../../data/paths.ts';
import { asBytes } from '../../io/host-tensor.ts';
import { readContents, type WeightsContents, type WeightsKind } from '../../io/weights.ts';
import { type HostTensors, isCheckpoint, readModelWeights } from './checkpoint.ts';

/** A file's tensors and what it is; of a checkpoint, `path` has the name of the file in it. */
export interface StoredContents extends Omit<WeightsContents, 'kind'> {
  readonly kind: WeightsKind | 'checkpoint';
}

/**
 * Reads the weights in `path`, which is looked for as the folders of data are.
 *
 * @param ema takes the average of the weights where a checkpoint has one.
 * @throws FileError for what is not there or holds none.
 */
export async function readWeightsFile(path: string, { ema = true } = {}): Promise<HostTensors> {
  return (await readStored(path, { ema })).tensors;
}

/** As `readWeightsFile`, with what was found out on the way. */
export async function readStored(path: string, { ema = true } = {}): Promise<StoredContents> {
  const found = resolveRoot(path, 'the file of weights');
  if (!statSync(found).isDirectory()) return readContents(found);
  if (isCheckpoint(found)) {
    const { file, weights } = await readModelWeights(found, !ema);
    const place = { path: [basename(file)], beside: [], metadata: {} };
    return { kind: 'checkpoint', tensors: weights, ...place };
  }
  const hint = existsSync(join(found, 'checkpoints'))
    ? `that of a run; its best weights are in ${join(path, 'checkpoints', 'best')}`
    : 'and no checkpoint; name a file, or the folder of a checkpoint';
  throw new FileError(`${path} is a folder, ${hint}`);
}

/** A checksum of what was read, whatever kind of file it was read from. */
export function weightsChecksum(weights: HostTensors): string {
  const hash = createHash('sha256');
  for (const name of [...weights.keys()].sort()) {
    const { dtype, shape, data } = weights.get(name)!;
    hash.update(JSON.stringify([name, dtype, shape]));
    hash.update(asBytes(data));
  }
  return hash.digest('hex');
}
