/** What the native build takes from the system: compilers, build tools, oneDNN, LAPACK. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, logFile, runLogged, SetupError } from './command.mjs';
import { readStamp, writeStamp } from './freshness.mjs';

/** Without a network, or beside another apt-get, give up in reasonable time. */
const APT_OPTIONS = [
  'Acquire::http::Timeout=15',
  'Acquire::Retries=1',
  'DPkg::Lock::Timeout=60',
].flatMap((option) => ['-o', option]);

/**
 * The packages as Debian and Ubuntu call them. `TORCHTS_ONEDNN=0` does without oneDNN, and
 * `TORCHTS_LAPACK=0` without LAPACK.
 */
export const SYSTEM_PACKAGES = [
  { name: 'cmake', present: () => findProgram('cmake') !== undefined },
  { name: 'g++', present: () => findCompiler() !== undefined },
  { name: 'make', present: () => ['make', 'ninja'].some((name) => findProgram(name)) },
  { name: 'libdnnl-dev', present: () => hasOneDnn() || process.env.TORCHTS_ONEDNN === '0' },
  { name: 'liblapack-dev', present: () => hasLapack() || process.env.TORCHTS_LAPACK === '0' },
];

/** What the build does without where it is missing. */
const OPTIONAL = ['libdnnl-dev', 'liblapack-dev'];

/** Those of `SYSTEM_PACKAGES` that are not here, by name. */
export function missingPackages() {
  return SYSTEM_PACKAGES.filter((item) => !item.present()).map((item) => item.name);
}

/** Throws a `SetupError` that says how to install them when cmake or a compiler is missing. */
export function checkBuildTools() {
  const missing = missingPackages().filter((name) => !OPTIONAL.includes(name));
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
 * The step that installs what is missing with apt-get, where that needs no password. It never
 * fails: the native build says what it cannot do without. What was tried once is not tried again.
 *
 * @param {string} root
 * @param {() => boolean} isBuildPending whether the packages are needed now
 * @returns {import('./steps.mjs').Step}
 */
export function systemPackages(root, isBuildPending) {
  const stamp = join(root, '.cache/system-packages');
  return {
    title: 'system packages',
    pending: () => {
      const missing = missingPackages();
      return (
        missing.length > 0 &&
        findProgram('apt-get') !== undefined &&
        isBuildPending() &&
        readStamp(stamp) !== missing.join(' ')
      );
    },
    idle: () => outcome(missingPackages(), 'up to date'),
    run: async (progress) => {
      const missing = missingPackages();
      writeStamp(stamp, missing.join(' '));
      const aptGet = aptGetCommand();
      if (aptGet === undefined) return `skipped, no rights to run: ${installLine(missing)}`;
      await install(missing, (args) => {
        progress(`apt-get ${args.join(' ')}`);
        return runLogged([...aptGet, ...APT_OPTIONS, ...args], {
          cwd: root,
          log: logFile(root, 'apt'),
          append: true,
          env: { DEBIAN_FRONTEND: 'noninteractive' },
          onLine: progress,
          fix: installLine(missing),
        });
      });
      return outcome(missingPackages(), `installed ${missing.join(', ')}`);
    },
  };
}

/**
 * One by one: a system that does not know one of them still gets the others.
 *
 * @param {readonly string[]} packages
 * @param {(args: string[]) => Promise<void>} apt
 */
async function install(packages, apt) {
  let updated = false;
  for (const name of packages) {
    const args = ['install', '-y', '--no-install-recommends', name];
    try {
      await apt(args);
    } catch {
      if (!updated) await apt(['update']).catch(() => {});
      updated = true;
      await apt(args).catch(() => {});
    }
  }
}

/**
 * @param {readonly string[]} missing
 * @param {string} success
 */
function outcome(missing, success) {
  return missing.length === 0 ? success : `going on without ${missing.join(', ')}`;
}

/**
 * How to run apt-get without being asked for a password, or `undefined`.
 *
 * @returns {string[] | undefined}
 */
function aptGetCommand() {
  if (process.getuid?.() === 0) return ['apt-get'];
  const sudo = findProgram('sudo');
  if (sudo === undefined || spawnSync(sudo, ['-n', 'true']).status !== 0) return undefined;
  return [sudo, '-n', 'apt-get'];
}

/** The libraries that kernels are built of and that are here. */
export function foundLibraries() {
  return [...(hasOneDnn() ? ['oneDNN'] : []), ...(hasLapack() ? ['LAPACK'] : [])];
}

/** Whether a compiler or CMake would find oneDNN's headers. */
function hasOneDnn() {
  return includeFolders().some((folder) => existsSync(join(folder, 'oneapi/dnnl/dnnl.hpp')));
}

/** Whether CMake would find LAPACK and BLAS to link with. */
function hasLapack() {
  const folders = libraryFolders();
  return ['lapack', 'blas'].every((name) =>
    folders.some((folder) =>
      ['so', 'a'].some((suffix) => existsSync(join(folder, `lib${name}.${suffix}`))),
    ),
  );
}

function libraryFolders() {
  const roots = ['/usr', '/usr/local', ...prefixes()];
  // Debian's folders of one architecture have its name, such as x86_64-linux-gnu.
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return roots.flatMap((root) =>
    ['lib', 'lib64', `lib/${machine}-linux-gnu`].map((folder) => join(root, folder)),
  );
}

function prefixes() {
  const { CMAKE_PREFIX_PATH, DNNLROOT } = process.env;
  return `${CMAKE_PREFIX_PATH ?? ''};${DNNLROOT ?? ''}`.split(/[:;]/).filter(Boolean);
}

function includeFolders() {
  const { CPATH, CPLUS_INCLUDE_PATH } = process.env;
  const listed = `${CPATH ?? ''}:${CPLUS_INCLUDE_PATH ?? ''}`.split(':').filter(Boolean);
  return [
    '/usr/include',
    '/usr/local/include',
    ...prefixes().map((prefix) => join(prefix, 'include')),
    ...listed,
  ];
}

function findCompiler() {
  const named = process.env.CXX;
  if (named && existsSync(named)) return named;
  return [named ?? 'c++', 'g++', 'clang++'].map(findProgram).find((path) => path !== undefined);
}
