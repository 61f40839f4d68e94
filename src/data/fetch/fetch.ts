/** Fetching CIFAR-10 into the cache folder, from wherever it can be had. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FileError } from '../../base/errors.ts';
import { fileError, writeDirectoryAtomic } from '../../io/atomic.ts';
import { CIFAR10_CLASSES, CIFAR10_FILES, CIFAR10_FOLDER } from '../images/cifar10-format.ts';
import { cacheFolder } from '../paths.ts';
import { CIFAR10_SOURCES, type FetchProgress, type SourceName } from './cifar10-sources.ts';

export interface FetchOptions {
  readonly onProgress?: (progress: FetchProgress) => void;
  /** Ask only this source; otherwise each is tried in turn. */
  readonly source?: SourceName;
  /** Stops the fetch; what was fetched so far is removed. */
  readonly signal?: AbortSignal;
}

/** SHA-1 of the official archive's files. */
const CIFAR10_SHA1: Readonly<Record<string, string>> = {
  'data_batch_1.bin': 'aadd24acce27caa71bf4b10992e9e7b2d74c2540',
  'data_batch_2.bin': 'c0ba65cce70568cd57b4e03e9ac8d2a5367c1795',
  'data_batch_3.bin': '1dd00a74ab1d17a6e7d73e185b69dbf31242f295',
  'data_batch_4.bin': 'aab85764eb3584312d3c7f65fd2fd016e36a258e',
  'data_batch_5.bin': '26e2849e66a845b7f1e4614ae70f4889ae604628',
  'test_batch.bin': '67eb016db431130d61cd03c7ad570b013799c88c',
};

/**
 * Puts the complete set into `CACHE/cifar-10-batches-bin` and returns that path; at once when it
 * is there and intact. Whatever the source, every file is compared with the official SHA-1, and
 * the folder appears whole or not at all. Throws a `FileError` saying why each source failed.
 */
export async function fetchCifar10(options: FetchOptions = {}): Promise<string> {
  const { onProgress, source, signal } = options;
  const folder = join(cacheFolder(), CIFAR10_FOLDER);
  onProgress?.({ step: 'checking the cache', done: 0, total: undefined });
  if ((await cifar10Fault(folder)) === undefined) return folder;

  await createCache();
  const names = source === undefined ? SOURCE_NAMES : [source];
  const failures: string[] = [];
  for (const name of names) {
    try {
      await fetchFrom(name, folder, { onProgress, signal });
      return folder;
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new FileError(`CIFAR-10 could not be fetched:\n  ${failures.join('\n  ')}`);
}

const SOURCE_NAMES = Object.keys(CIFAR10_SOURCES) as SourceName[];

async function createCache(): Promise<void> {
  try {
    await mkdir(cacheFolder(), { recursive: true });
  } catch (error) {
    throw fileError(`cannot create ${cacheFolder()}`, error);
  }
}

async function fetchFrom(
  name: SourceName,
  folder: string,
  context: Pick<FetchOptions, 'onProgress' | 'signal'>,
): Promise<void> {
  // Beside the target: the system's temporary folder may be too small for 300 MB.
  const scratch = await mkdtemp(join(cacheFolder(), 'fetching-'));
  try {
    await writeDirectoryAtomic(
      folder,
      async (target) => {
        await CIFAR10_SOURCES[name](target, { ...context, scratch });
        await writeFile(join(target, 'batches.meta.txt'), `${CIFAR10_CLASSES.join('\n')}\n`);
        context.onProgress?.({ step: 'checking the files', done: 0, total: undefined });
        const fault = await cifar10Fault(target);
        if (fault !== undefined) throw new FileError(fault);
      },
      { replace: true },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Why `folder` does not hold the official files, or `undefined` when it does. */
async function cifar10Fault(folder: string): Promise<string | undefined> {
  for (const { name } of CIFAR10_FILES) {
    const hash = createHash('sha1');
    try {
      await pipeline(createReadStream(join(folder, name)), hash);
    } catch (error) {
      return `cannot read ${name}: ${(error as Error).message}`;
    }
    const sum = hash.digest('hex');
    const expected = CIFAR10_SHA1[name];
    if (sum !== expected) return `${name} has SHA-1 ${sum}, expected ${expected}`;
  }
  return undefined;
}
