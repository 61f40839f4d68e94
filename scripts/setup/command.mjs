/**
 * Running a command of the set-up: quiet when it succeeds, the telling lines shown when it fails.
 */

import { spawn } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  statSync,
  writeSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

const SHOWN_LINES = 30;
const STOP_PATIENCE_MS = 3000;

/** A failure of the set-up, with what the user can do about it. */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';

  /**
   * @param {string} message
   * @param {string} fix one line
   */
  constructor(message, fix) {
    super(message);
    this.fix = fix;
  }
}

/**
 * Where the output of a command is kept.
 *
 * @param {string} root
 * @param {string} name
 */
export function logFile(root, name) {
  return join(root, `.cache/setup-${name}.log`);
}

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;
let stopping = false;

/**
 * Runs a command to its end, its output kept in `log`.
 *
 * @param {readonly string[]} command the program and its arguments
 * @param {object} options
 * @param {string} options.cwd
 * @param {string} options.log the file that receives all output; `append` keeps what it holds
 * @param {boolean} [options.append]
 * @param {NodeJS.ProcessEnv} [options.env]
 * @param {(line: string) => void} [options.onLine]
 * @param {string} options.fix what to do when the command fails
 * @returns {Promise<void>} rejects with a `SetupError` that quotes the output
 */
export async function runLogged(command, { cwd, log, append, env, onLine, fix }) {
  mkdirSync(dirname(log), { recursive: true });
  const file = openSync(log, append ? 'a' : 'w');
  const [program = '', ...args] = command;
  const shown = new Excerpt();
  writeSync(file, `$ ${command.join(' ')}\n`);
  try {
    const failure = await new Promise((resolve) => {
      // Its own process group, so that stopping the set-up stops compilers started by make too.
      const child = spawn(program, args, {
        cwd,
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      running = child;
      for (const stream of [child.stdout, child.stderr]) {
        forEachLine(stream, (line) => {
          writeSync(file, `${line}\n`);
          shown.add(line);
          if (line.trim() !== '') onLine?.(line.trim());
        });
      }
      child.on('error', (error) => resolve(error.message));
      child.on('close', (code, signal) => {
        // A command that we stopped ourselves did not fail: the process is about to exit.
        if (!stopping) resolve(code === 0 ? undefined : (signal ?? code));
      });
    });
    if (failure === undefined) return;
    throw new SetupError(`${shown}${program} failed (${failure}); all output: ${log}`, fix);
  } finally {
    running = undefined;
    closeSync(file);
  }
}

/** What of a long output explains a failure: from the first error on, or else its end. */
class Excerpt {
  /** @type {string[]} */
  #lines = [];
  #errorSeen = false;

  /** @param {string} line */
  add(line) {
    if (!this.#errorSeen && /\berror\b/i.test(line)) {
      this.#errorSeen = true;
      this.#lines = [];
    }
    if (this.#errorSeen && this.#lines.length === SHOWN_LINES) return;
    this.#lines.push(line);
    if (this.#lines.length > SHOWN_LINES) this.#lines.shift();
  }

  toString() {
    return this.#lines.map((line) => `    ${line}\n`).join('');
  }
}

/** Stops the running command and everything it started; resolves when it is gone. */
export async function stopRunning() {
  const child = running;
  if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  stopping = true;
  const group = -child.pid;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  kill(group, 'SIGTERM');
  const patience = setTimeout(() => kill(group, 'SIGKILL'), STOP_PATIENCE_MS);
  await gone;
  clearTimeout(patience);
}

/**
 * @param {number} group a process group, negative
 * @param {NodeJS.Signals} signal
 */
function kill(group, signal) {
  try {
    process.kill(group, signal);
  } catch {
    // It ended in this very moment.
  }
}

/**
 * @param {import('node:stream').Readable} stream
 * @param {(line: string) => void} onLine
 */
function forEachLine(stream, onLine) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (/** @type {string} */ chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}

/**
 * The full path of a program on PATH, or `undefined`.
 *
 * @param {string} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    if (directory === '') continue;
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // Not in this directory.
    }
  }
  return undefined;
}
