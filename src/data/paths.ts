/** Where data is looked for. */

import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { FileError } from '../base/errors.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';

/**
 * The folder a spec calls `root`: relative to the current directory or, where that has no such
 * folder, to the torchts package, so that `datasets/...` works from anywhere. Throws a `FileError`
 * when neither exists: a mistyped root must not turn into some other data.
 *
 * @param what it is, for the message.
 */
export function resolveRoot(root: string, what = 'data root'): string {
  const candidates = isAbsolute(root) ? [root] : [resolve(root), join(PACKAGE_ROOT, root)];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found === undefined) {
    throw new FileError(`${what} ${root} does not exist; looked for ${candidates.join(' and ')}`);
  }
  return found;
}

/** As `resolveRoot`; throws a `FileError` where it is a file. */
export function resolveFolder(root: string): string {
  const found = resolveRoot(root);
  if (statSync(found).isDirectory()) return found;
  throw new FileError(`data root ${found} is a file, not a folder`);
}

/**
 * Where fetched data is kept: `$TORCHTS_CACHE`, else `$XDG_CACHE_HOME/torchts`, else
 * `~/.cache/torchts`. Need not exist.
 */
export function cacheFolder(): string {
  const { TORCHTS_CACHE, XDG_CACHE_HOME } = process.env;
  if (TORCHTS_CACHE) return resolve(TORCHTS_CACHE);
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'torchts');
}
