/** One `torchts train` in a process of its own, which may be killed at a chosen moment. */

import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const COMMAND = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/**
 * When a process is killed: so many milliseconds after it was started, or after the `nth` time that
 * something happens. Whichever moment is chosen, a process that ends before it is not killed.
 *
 * @typedef {{ what: 'start' | 'record' | 'evaluation' | 'checkpoint' | 'writing', nth: number,
 *   delay: number }} Moment
 */

/** @typedef {{ killed: boolean, code: number | null, directory: string | undefined }} Outcome */

/**
 * Trains with `args` until the end or until `moment`.
 *
 * @param {readonly string[]} args
 * @param {Moment} [moment]
 * @returns {Promise<Outcome>} rejects when it fails by itself.
 */
export async function session(args, moment) {
  const child = spawn(process.execPath, [COMMAND, 'train', ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal }));
  });
  const countdown = new Countdown(moment, () => child.kill('SIGKILL'));
  /** @type {import('node:fs').FSWatcher | undefined} */
  let watcher;
  /** @type {string | undefined} */
  let directory;
  let perEpoch = 0;
  onLines(child.stdout, (line) => {
    const event = JSON.parse(line);
    if (event.event === 'start') {
      directory = event.directory;
      perEpoch = Math.ceil(event.total_steps / event.epochs);
      watcher = watch(join(event.directory, 'checkpoints'), (_, name) => {
        if (name?.startsWith('.step-')) countdown.seen('writing');
      });
    }
    if (event.event === 'checkpoint') countdown.seen('checkpoint');
    if (event.event !== 'metrics') return;
    countdown.seen('record');
    // The last record of an epoch's training comes right before its evaluation.
    if (event.split === 'train' && event.step % perEpoch === 0) countdown.seen('evaluation');
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  countdown.seen('start');
  const { code, signal } = await closed;
  watcher?.close();
  countdown.cancel();
  if (signal === null && code !== 0) throw new Error(`torchts ${args.join(' ')}: ${errors}`);
  return { killed: signal === 'SIGKILL', code, directory };
}

class Countdown {
  #left;
  #cancelled = false;

  /**
   * @param {Moment | undefined} moment
   * @param {() => void} act
   */
  constructor(moment, act) {
    this.moment = moment;
    this.act = act;
    this.#left = moment?.nth ?? 0;
  }

  /** @param {Moment['what']} what */
  async seen(what) {
    if (what !== this.moment?.what || --this.#left !== 0) return;
    if (this.moment.delay > 0) await sleep(this.moment.delay);
    if (!this.#cancelled) this.act();
  }

  cancel() {
    this.#cancelled = true;
  }
}

/**
 * @param {import('node:stream').Readable} stream
 * @param {(line: string) => void} take
 */
function onLines(stream, take) {
  let rest = '';
  stream.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}
