/**
 * Makes a fresh checkout, or a freshly installed package, ready to run: the steps that are needed,
 * in order, under a lock, with progress on standard error. When nothing is needed it returns within
 * milliseconds and has written nothing, so it may stand before every command and on a read-only
 * file system.
 */

import { join } from 'node:path';
import { SetupError, stopRunning } from './command.mjs';
import { withLock } from './lock.mjs';
import { Progress } from './progress.mjs';

/** @typedef {import('./steps.mjs').Step} Step */

/**
 * @param {string} root where `.cache/` for the lock and the logs is made
 * @param {readonly Step[]} steps
 * @returns {Promise<boolean>} whether there was anything to do
 */
export async function setUp(root, steps) {
  if (!isNeeded(steps)) return false;
  const stopped = exitOnSignal();
  try {
    const lock = join(root, '.cache/setup.lock');
    const onWait = (/** @type {string} */ holder) =>
      say(`waiting for ${holder}, which is setting up (${lock})`);
    await withLock(lock, { onWait }, () => runSteps(steps));
  } catch (error) {
    throw explain(error, root);
  } finally {
    stopped.forget();
  }
  return true;
}

/** @param {readonly Step[]} steps */
function isNeeded(steps) {
  return steps.some((step) => step.pending());
}

/** @param {readonly Step[]} steps */
async function runSteps(steps) {
  // Whoever held the lock before may have done all of it.
  if (!isNeeded(steps)) return;
  say('setting up (only now; the next start is immediate)');
  for (const [index, step] of steps.entries()) {
    const title = `[${index + 1}/${steps.length}] ${step.title}`;
    if (!step.pending()) {
      process.stderr.write(`${title}: ${step.idle?.() ?? 'up to date'}\n`);
      continue;
    }
    const progress = new Progress(title);
    try {
      progress.end(await step.run((detail) => progress.update(detail)));
    } catch (error) {
      progress.end('failed');
      throw error;
    }
  }
}

/** A signal ends the set-up, with everything it started and its lock, by the shell's exit code. */
function exitOnSignal() {
  const codes = /** @type {const} */ ({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 });
  const handlers = Object.entries(codes).map(([signal, code]) => {
    const handler = async () => {
      process.stderr.write(`\ntorchts: set-up stopped by ${signal}\n`);
      await stopRunning();
      process.exit(code);
    };
    process.on(signal, handler);
    return { signal, handler };
  });
  return {
    forget: () => {
      for (const { signal, handler } of handlers) process.off(signal, handler);
    },
  };
}

/**
 * @param {unknown} error
 * @param {string} root
 */
function explain(error, root) {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EACCES' && code !== 'EROFS' && code !== 'EPERM' && code !== 'ENOSPC') return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new SetupError(
    `torchts is not set up, and ${root} cannot be written: ${reason}`,
    'run `node scripts/setup.mjs` there once, as a user who may write and with room on the disk',
  );
}

/** @param {string} text */
function say(text) {
  process.stderr.write(`torchts: ${text}\n`);
}

/**
 * Prints what stopped the set-up and the one line that helps.
 *
 * @param {unknown} error rethrown unless it is a `SetupError`
 */
export function reportFailure(error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\ntorchts: set-up failed. To fix it: ${error.fix}\n`);
}
