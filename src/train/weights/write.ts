/** Weights as a file of their own. */

import { existsSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../../base/errors.ts';
import { writeSafetensors } from '../../io/safetensors.ts';
import { writeTorch } from '../../io/torch/write.ts';
import type { HostTensors } from '../checkpoint/checkpoint.ts';
import type { WeightsFormat } from './formats.ts';

/**
 * To be called before anything is computed that could then not be written.
 *
 * @param force whether a file that is there may be replaced.
 * @throws ConfigError when it may not, or there is no folder for it.
 */
export function checkWritable(file: string, force: boolean): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw new ConfigError(`${file} is a folder; name a file in it`);
  if (found !== undefined && !force) {
    throw new ConfigError(`${file} is there already; --force replaces it`);
  }
  if (existsSync(dirname(file))) return;
  throw new ConfigError(`cannot write ${file}: there is no folder ${dirname(file)}`);
}

/**
 * Writes the file, whole or not at all; returns its size in bytes.
 *
 * @param metadata what safetensors keeps beside the tensors; a file of `torch.save` has none.
 * @throws FileError when it cannot be written.
 */
export async function writeWeights(
  file: string,
  format: WeightsFormat,
  tensors: HostTensors,
  metadata: Readonly<Record<string, string>>,
): Promise<number> {
  if (format === 'pt') await writeTorch(file, tensors);
  // Readers of other projects refuse a file that does not say whose tensors these are.
  else await writeSafetensors(file, tensors, { ...metadata, format: 'pt' });
  return (await stat(file)).size;
}
