/** What the native build takes from the system: compilers, build tools, oneDNN. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, SetupError } from './command.mjs';

/** The packages as Debian and Ubuntu call them. `TORCHTS_ONEDNN=0` does without oneDNN. */
export const SYSTEM_PACKAGES = [
  { name: 'cmake', present: () => findProgram('cmake') !== undefined },
  { name: 'g++', present: () => findCompiler() !== undefined },
  { name: 'make', present: () => ['make', 'ninja'].some((name) => findProgram(name)) },
  { name: 'libdnnl-dev', present: () => hasOneDnn() || process.env.TORCHTS_ONEDNN === '0' },
];

/** Those of `SYSTEM_PACKAGES` that are not here, by name. */
export function missingPackages() {
  return SYSTEM_PACKAGES.filter((item) => !item.present()).map((item) => item.name);
}

/** Throws a `SetupError` that says how to install them when cmake or a compiler is missing. */
export function checkBuildTools() {
  const missing = missingPackages().filter((name) => name !== 'libdnnl-dev');
  if (missing.length === 0) return;
  throw new SetupError(
    `the native engine cannot be built without ${missing.join(' and ')}`,
    process.platform === 'darwin'
      ? 'xcode-select --install; brew install cmake'
      : installLine(missingPackages()),
  );
}

/** @param {readonly string[]} packages */
export function installLine(packages) {
  const sudo = process.getuid?.() === 0 ? '' : 'sudo ';
  return `${sudo}apt-get install -y ${packages.join(' ')}`;
}

/**
 * How to run apt-get without being asked for a password, or `undefined`.
 *
 * @returns {string[] | undefined}
 */
export function aptGetCommand() {
  if (process.getuid?.() === 0) return ['apt-get'];
  const sudo = findProgram('sudo');
  if (sudo === undefined || spawnSync(sudo, ['-n', 'true']).status !== 0) return undefined;
  return [sudo, '-n', 'apt-get'];
}

/** Whether a compiler or CMake would find oneDNN's headers. */
export function hasOneDnn() {
  return includeFolders().some((folder) => existsSync(join(folder, 'oneapi/dnnl/dnnl.hpp')));
}

function includeFolders() {
  const { CPATH, CPLUS_INCLUDE_PATH, CMAKE_PREFIX_PATH, DNNLROOT } = process.env;
  const prefixes = `${CMAKE_PREFIX_PATH ?? ''};${DNNLROOT ?? ''}`.split(/[:;]/).filter(Boolean);
  const listed = `${CPATH ?? ''}:${CPLUS_INCLUDE_PATH ?? ''}`.split(':').filter(Boolean);
  return [
    '/usr/include',
    '/usr/local/include',
    ...prefixes.map((prefix) => join(prefix, 'include')),
    ...listed,
  ];
}

function findCompiler() {
  const named = process.env.CXX;
  if (named && existsSync(named)) return named;
  return [named ?? 'c++', 'g++', 'clang++'].map(findProgram).find((path) => path !== undefined);
}
