/** Fetching a data set into the cache folder, from wherever it can be had. */

import { mkdir, mkdtemp, readdir, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError } from '../../base/errors.ts';
import { fileError, removeAbandoned, writeDirectoryAtomic } from '../../io/atomic.ts';
import { takeLock } from '../../io/lock.ts';
import {
  fetchedFolder,
  glaringFault,
  type KnownSet,
  type KnownSource,
  placeOf,
} from '../known-sets.ts';
import { cacheFolder } from '../paths.ts';
import { type DownloadOptions, digestOf, partialFolder } from './download.ts';
import { fetchFrom } from './sources.ts';

export interface FetchOptions extends Omit<DownloadOptions, 'sum'> {
  /** Ask only this one of the set's sources; otherwise each is tried in turn. */
  readonly source?: string | undefined;
}

/**
 * Puts the complete set into its folder in the cache and returns that path; at once when it is
 * there and intact. Whatever the source, every file is compared with what is known of it, and the
 * folder appears whole or not at all. Throws a `FileError` saying why each source failed, or that
 * another process fetches the set.
 */
export async function fetchDataset(set: KnownSet, options: FetchOptions = {}): Promise<string> {
  const { source, ...rest } = options;
  const folder = fetchedFolder(set);
  const sources = sourcesOf(set, source);
  rest.onProgress?.({ step: 'checking the cache', done: 0, total: undefined });
  if ((await faultOf(folder, set)) === undefined) return folder;

  const created = await createCache(dirname(folder));
  const unlock = await takeLock(
    join(cacheFolder(), `.fetch-${set.name}.lock`),
    (pid) => `${set.title} is being fetched by process ${pid}; wait for its end`,
  );
  try {
    await removeLeft(set, folder);
    const failures: string[] = [];
    for (const [name, from] of sources) {
      try {
        await fetchInto(folder, set, from, rest);
        return folder;
      } catch (error) {
        rest.signal?.throwIfAborted();
        failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw new FileError(`${set.title} could not be fetched:\n  ${failures.join('\n  ')}`);
  } finally {
    await unlock();
    // Goes when no half of a file is in it.
    await rmdir(partialFolder()).catch(() => undefined);
    if (created !== undefined) await removeEmpty(dirname(folder), created);
  }
}

function sourcesOf({ name, sources }: KnownSet, wanted: string | undefined) {
  const all = Object.entries(sources);
  const chosen = wanted === undefined ? all : all.filter(([source]) => source === wanted);
  if (chosen.length > 0) return chosen;
  const known = Object.keys(sources).join(', ');
  throw new FileError(`${name} cannot be had from a source "${wanted}"; its sources: ${known}`);
}

/** The outermost folder that had to be made, if any. */
async function createCache(folder: string): Promise<string | undefined> {
  try {
    return await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileError(`cannot create ${folder}`, error);
  }
}

/** `folder` and those around it up to `outermost`, as far as nothing is in them. */
async function removeEmpty(folder: string, outermost: string): Promise<void> {
  for (let at = folder; at.startsWith(outermost); at = dirname(at)) {
    try {
      await rmdir(at);
    } catch {
      return;
    }
  }
}

/** What `mkdtemp` adds to a prefix. */
const UNIQUE = 6;

const scratchPrefix = ({ name }: KnownSet) => `fetching-${name}-`;

/** Removes what fetches of this set left that were killed; the lock says that none goes on. */
async function removeLeft(set: KnownSet, folder: string): Promise<void> {
  const isLeft = (name: string) => name.slice(0, -UNIQUE) === scratchPrefix(set);
  for (const name of (await readdir(cacheFolder())).filter(isLeft)) {
    await rm(join(cacheFolder(), name), { recursive: true, force: true });
  }
  await removeAbandoned(folder);
}

async function fetchInto(
  folder: string,
  set: KnownSet,
  source: KnownSource,
  options: Omit<FetchOptions, 'source'>,
): Promise<void> {
  // Beside the target: the system's temporary folder may be too small for 300 MB.
  const scratch = await mkdtemp(join(cacheFolder(), scratchPrefix(set)));
  try {
    await writeDirectoryAtomic(
      folder,
      async (target) => {
        await fetchFrom(source, { ...options, set, target, scratch });
        options.onProgress?.({ step: 'checking the files', done: 0, total: undefined });
        const fault = await faultOf(target, set);
        if (fault !== undefined) throw new FileError(fault);
      },
      { replace: true },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Why `folder` does not hold the set's files, or `undefined` when it does. */
async function faultOf(folder: string, set: KnownSet): Promise<string | undefined> {
  const glaring = glaringFault(folder, set);
  if (glaring !== undefined) return glaring;
  for (const file of set.files) {
    const path = placeOf(folder, file)!;
    const sum = path.endsWith('.gz') ? file.packed?.sum : file.sum;
    if (sum === undefined) continue;
    const name = basename(path);
    try {
      const found = await digestOf(path, sum.algorithm);
      if (found !== sum.digest) {
        return `${name} has ${sum.algorithm} ${found}, expected ${sum.digest}`;
      }
    } catch (error) {
      return `cannot read ${name}: ${(error as Error).message}`;
    }
  }
  return undefined;
}
