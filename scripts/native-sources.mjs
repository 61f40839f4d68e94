/** The C++ files of the native engine and their formatter. */

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './setup/command.mjs';

/** Versions of clang-format disagree about the same style; this is the one the tree is kept in. */
const VERSION = 14;

/**
 * @param {string} root
 * @returns {string[]} paths relative to `root`
 */
export function nativeSources(root) {
  return readdirSync(join(root, 'native'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(h|cc)$/.test(path))
    .map((path) => join('native', path))
    .sort();
}

/**
 * The clang-format to use, or why there is none.
 *
 * @returns {{ program: string } | { missing: string }}
 */
export function clangFormat() {
  for (const name of [`clang-format-${VERSION}`, 'clang-format']) {
    const program = findProgram(name);
    if (program === undefined) continue;
    const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
    if (new RegExp(`version ${VERSION}\\.`).test(stdout)) return { program };
  }
  return {
    missing: `clang-format ${VERSION} is not installed (apt-get install clang-format-${VERSION})`,
  };
}
