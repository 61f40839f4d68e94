/**
 * Knowing at once whether something was built from the files as they are now. A stamp holds the
 * name, size and modification time of every source; nothing is hashed, because this check runs
 * before every command.
 */

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * One line a file below `paths` (files or folders, relative to `root`), in a fixed order. Differs
 * whenever a file is added, removed or rewritten. Hidden files and missing paths are left out.
 *
 * @param {string} root
 * @param {readonly string[]} paths
 * @returns {string}
 */
export function fingerprint(root, paths) {
  /** @type {string[]} */
  const lines = [];
  for (const path of paths) describe(root, path, lines);
  return `${lines.join('\n')}\n`;
}

/**
 * @param {string} root
 * @param {string} path
 * @param {string[]} lines
 */
function describe(root, path, lines) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) {
    lines.push(`${path} ${stat.size} ${stat.mtimeMs}`);
    return;
  }
  for (const name of readdirSync(join(root, path)).sort()) {
    if (!name.startsWith('.')) describe(root, `${path}/${name}`, lines);
  }
}

/**
 * The contents of a stamp, or `undefined` when it was never written.
 *
 * @param {string} path
 * @returns {string | undefined}
 */
export function readStamp(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * @param {string} path
 * @param {string} contents
 */
export function writeStamp(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

/**
 * Modification time in milliseconds, or `undefined` when there is no such file.
 *
 * @param {string} path
 * @returns {number | undefined}
 */
export function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
