/**
 * The four steps between a fresh checkout and a command that runs. Each knows whether it is needed,
 * from stamps alone, and does its work. An installed npm package has no `src/` and no lock file:
 * there only the native engine is built.
 */

import { existsSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { findProgram, logFile, runLogged, SetupError } from './command.mjs';
import { fingerprint, modified, readStamp, writeStamp } from './freshness.mjs';
import {
  checkBuildTools,
  foundLibraries,
  installLine,
  SYSTEM_PACKAGES,
  systemPackages,
} from './system.mjs';

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {() => boolean} pending true when `run` has something to do
 * @property {() => string} [idle] what to say when there is nothing to do, for `up to date`
 * @property {(progress: (detail: string) => void) => Promise<string>} run gives the outcome in a
 *   few words; throws a `SetupError`
 */

/** Memory one compiler process may take at its worst, in bytes. */
const COMPILER_MEMORY = 1.5e9;

/**
 * @param {string} root the checkout or the installed package
 * @returns {Step[]} in the order they must run
 */
export function allSteps(root) {
  const system = systemPackages(root, () => nativeEngine(root).pending());
  return isCheckout(root)
    ? [npmPackages(root), system, ...buildSteps(root)]
    : [system, ...buildSteps(root)];
}

/**
 * Only what compiles; npm's packages are taken to be there.
 *
 * @param {string} root
 * @returns {Step[]}
 */
export function buildSteps(root) {
  return isCheckout(root) ? [nativeEngine(root), typescript(root)] : [nativeEngine(root)];
}

/** @param {string} root */
function isCheckout(root) {
  return existsSync(join(root, 'src'));
}

/**
 * @param {string} root
 * @returns {Step}
 */
function npmPackages(root) {
  return {
    title: 'npm packages',
    pending: () => {
      const installed = modified(join(root, 'node_modules/.package-lock.json'));
      return (
        installed === undefined || installed < (modified(join(root, 'package-lock.json')) ?? 0)
      );
    },
    run: async (progress) => {
      await runLogged(['npm', 'ci', '--include=dev', '--no-audit', '--no-fund'], {
        cwd: root,
        log: logFile(root, 'npm'),
        onLine: progress,
        fix: 'see the error above (often it is the network), then run: npm ci',
      });
      return 'done';
    },
  };
}

/**
 * @param {string} root
 * @returns {Step}
 */
function nativeEngine(root) {
  const build = join(root, 'build');
  const stamp = join(build, '.setup-stamp');
  const sources = () => `${root}\n${fingerprint(root, ['native'])}`;
  return {
    title: 'native engine',
    pending: () => {
      const built = existsSync(join(build, 'torchts.node')) ? readStamp(stamp) : undefined;
      const [libraries = '', ...rest] = (built ?? '').split('\n');
      // Built with a library, it may go; built without, it may come.
      const isNew = (/** @type {string} */ name) => !libraries.split(' ').includes(name);
      return foundLibraries().some(isNew) || rest.join('\n') !== sources();
    },
    run: async (progress) => {
      checkBuildTools();
      const libraries = foundLibraries();
      const now = `${libraries.join(' ')}\n${sources()}`;
      forgetOtherPlace(root, build);
      const log = logFile(root, 'native');
      const fix = `${installLine(SYSTEM_PACKAGES.map((item) => item.name))}; then: npm run build`;
      const configure = ['cmake', '-S', 'native', '-B', 'build', '-DCMAKE_BUILD_TYPE=Release'];
      configure.push(`-DTORCHTS_NODE_MODULES=${nodeModules(root)}`);
      if (findProgram('make') === undefined) configure.push('-G', 'Ninja');
      progress('cmake');
      await runLogged(configure, { cwd: root, log, fix });
      await runLogged(['cmake', '--build', 'build', '-j', String(compilerCount())], {
        cwd: root,
        log,
        append: true,
        onLine: (line) => {
          const detail = buildProgress(line);
          if (detail !== undefined) progress(detail);
        },
        fix,
      });
      writeStamp(stamp, now);
      const without = {
        oneDNN: 'portable kernels only, slower',
        LAPACK: 'most of linalg cannot be computed',
      };
      const notes = Object.entries(without)
        .filter(([name]) => !libraries.includes(name))
        .map(([name, consequence]) => `${name} is not available: ${consequence}`);
      return ['done', ...notes].join('; ');
    },
  };
}

/**
 * The folder npm installed our dependencies to: our own, or that of a package above us.
 *
 * @param {string} root
 */
function nodeModules(root) {
  for (let folder = root; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules');
    if (existsSync(join(candidate, 'node-addon-api'))) return candidate;
    if (dirname(folder) === folder) {
      throw new SetupError('node-addon-api is not installed', 'npm ci');
    }
  }
}

/**
 * A CMake cache made in another place (the folder was moved or copied) cannot be used here.
 *
 * @param {string} root
 * @param {string} build
 */
function forgetOtherPlace(root, build) {
  const cache = join(build, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home !== join(root, 'native')) rmSync(build, { recursive: true });
}

/** As many compilers at once as there are cores, and memory for. */
function compilerCount() {
  const memory = Math.min(totalmem(), process.constrainedMemory?.() || Number.POSITIVE_INFINITY);
  return Math.max(1, Math.min(availableParallelism(), Math.floor(memory / COMPILER_MEMORY)));
}

/**
 * `[ 45%] Building CXX object CMakeFiles/x.dir/cpu/gemm.cc.o` -> `45% gemm.cc`.
 *
 * @param {string} line
 */
function buildProgress(line) {
  const match = /^\[\s*(\d+%|\d+\/\d+)\] (.*)$/.exec(line);
  if (match === null) return undefined;
  const file = match[2]?.split(/[\s/]/).pop() ?? '';
  return `${match[1]} ${file.replace(/\.o(bj)?$/, '')}`;
}

/**
 * @param {string} root
 * @returns {Step}
 */
function typescript(root) {
  const dist = join(root, 'dist');
  const stamp = join(dist, '.setup-stamp');
  const contents = () =>
    fingerprint(root, ['src', 'scripts/compile.mjs', 'tsconfig.json', 'tsconfig.build.json']);
  return {
    title: 'TypeScript',
    pending: () => readStamp(stamp) !== contents(),
    run: async (progress) => {
      const now = contents();
      // Without this, the output of a source that is gone would stay.
      if (lostFile(readStamp(stamp), now)) rmSync(dist, { recursive: true, force: true });
      checkCompiler(root);
      await runLogged([process.execPath, join(root, 'scripts/compile.mjs')], {
        cwd: root,
        log: logFile(root, 'typescript'),
        onLine: progress,
        fix: 'correct the errors above, then: npm run build',
      });
      writeStamp(stamp, now);
      return 'done';
    },
  };
}

/** @param {string} root */
function checkCompiler(root) {
  for (const name of ['typescript', 'rolldown']) {
    if (existsSync(join(root, 'node_modules', name))) continue;
    throw new SetupError(
      `${name}, which compiles torchts, is not installed`,
      'npm ci --include=dev',
    );
  }
}

/**
 * @param {string | undefined} before
 * @param {string} now
 */
function lostFile(before, now) {
  if (before === undefined) return true;
  const names = (/** @type {string} */ text) => text.split('\n').map((line) => line.split(' ')[0]);
  const present = new Set(names(now));
  return names(before).some((name) => !present.has(name));
}
