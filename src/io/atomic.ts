/**
 * Writing so that a crash, a full disk or a lost machine leaves either the old contents or the new
 * ones, never a part: write under a temporary name in the same folder, flush to disk, rename over
 * the final name, flush the folder. A process that is killed outright may leave a hidden
 * `.NAME.PID-RANDOM.tmp` behind; it is never read, see `removeAbandoned`.
 */

import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileError, TorchtsError } from '../base/errors.ts';

/** Rethrows a failure of the system as a `FileError` that says what was being done. */
export function fileError(doing: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  // JSON.parse, for one, quotes lines of the file.
  const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(
    /\s*\n\s*/g,
    ' ',
  );
  return new FileError(`${doing}: ${reason}`, { cause });
}

/**
 * Replaces the file `path` by `data` (chunks are written one after another). Its folder must
 * exist. Throws a `FileError`; the old file is then untouched.
 */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array | Iterable<Uint8Array>,
): Promise<void> {
  await buildFileAtomic(path, async (handle) => {
    const chunks = typeof data === 'string' || data instanceof Uint8Array ? [data] : data;
    for (const chunk of chunks) await handle.writeFile(chunk);
  });
}

/**
 * Replaces the file `path` by what `build` writes. Its folder must exist. Throws a `FileError`, or
 * what `build` throws on purpose; the old file is then untouched.
 */
export async function buildFileAtomic(
  path: string,
  build: (handle: FileHandle) => Promise<void>,
): Promise<void> {
  const temporary = temporaryName(path);
  const forget = removeAtExit(temporary);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await build(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await fsyncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error instanceof TorchtsError ? error : fileError(`cannot write ${path}`, error);
  } finally {
    forget();
  }
}

const unfinished = new Set<string>();

/** Removes a file if the process ends before what is returned is called. */
function removeAtExit(path: string): () => void {
  if (unfinished.size === 0) process.once('exit', removeUnfinished);
  unfinished.add(path);
  return () => {
    unfinished.delete(path);
    if (unfinished.size === 0) process.off('exit', removeUnfinished);
  };
}

function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { force: true });
}

/** What was not written to for so long (ms) is written by nobody. */
const ABANDONED = 3_600_000;

/** Removes what processes that were killed left of `path`. */
export async function removeAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  const isLeft = (name: string) => name.startsWith(`.${basename(path)}.`) && name.endsWith('.tmp');
  for (const name of (await readdir(folder)).filter(isLeft)) {
    const { mtimeMs } = await lstat(join(folder, name));
    if (Date.now() - mtimeMs > ABANDONED)
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Makes the directory `path` appear complete or not at all: `build` fills a temporary directory,
 * every file in it is flushed, and it is renamed. Throws a `FileError` when `path` exists, unless
 * `replace` is set: then the old directory is moved aside first and deleted last, so a crash
 * between the two renames leaves the old contents under a temporary name, and `path` absent.
 */
export async function writeDirectoryAtomic(
  path: string,
  build: (temporary: string) => Promise<void>,
  { replace = false }: { replace?: boolean } = {},
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    if (!replace && (await exists(path))) throw new FileError(`${path} exists already`);
    await mkdir(temporary);
    await build(temporary);
    await fsyncTree(temporary);
    if (await exists(path)) await exchange(temporary, path);
    else await rename(temporary, path);
    await fsyncDirectory(dirname(path));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw fileError(`cannot write ${path}`, error);
  }
}

/** Puts the directory `temporary` in the place of the existing `path`. */
async function exchange(temporary: string, path: string): Promise<void> {
  const old = temporaryName(path);
  await rename(path, old);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rename(old, path);
    throw error;
  }
  await fsyncDirectory(dirname(path));
  await rm(old, { recursive: true });
}

/** Windows cannot open a directory as a file, and keeps its names in a journal of its own. */
export async function fsyncDirectory(path: string): Promise<void> {
  if (process.platform !== 'win32') await fsyncPath(path);
}

/** Flushes what was written to a file, or the names in a directory, to disk. */
export async function fsyncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function fsyncTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  // Together: the disk confirms many in the time of one.
  await Promise.all(
    entries.map(async (entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) await fsyncTree(path);
      else if (entry.isFile()) await fsyncPath(path);
    }),
  );
  await fsyncDirectory(directory);
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}

function temporaryName(path: string): string {
  const unique = `${process.pid}-${randomBytes(4).toString('hex')}`;
  return join(dirname(path), `.${basename(path)}.${unique}.tmp`);
}
