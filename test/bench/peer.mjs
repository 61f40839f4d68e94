/** PyTorch as a process that stays alive and times what it is asked to. */

import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const PYTHON = process.env.PYTHON ?? 'python3';
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
/** Compiled code lives on between runs, so that only the first one waits for the compiler. */
const ENVIRONMENT = {
  ...process.env,
  TORCHINDUCTOR_CACHE_DIR: join(FOLDER, '../../.cache/torchinductor'),
};

/** PyTorch's version, or undefined where the interpreter has none. */
export function torchVersion() {
  const script = 'import torch; print(torch.__version__)';
  const { status, stdout } = spawnSync(PYTHON, ['-c', script], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** The command line of a script beside this file. */
export function torchCommand(script, ...args) {
  return [PYTHON, join(FOLDER, script), ...args];
}

export class Peer {
  #process;
  #lines;
  #errors = '';

  /** Of a script beside this file: each line it reads is a request, each it writes an answer. */
  constructor(variant, script, ...scriptArgs) {
    const [command, ...args] = torchCommand(script, ...scriptArgs);
    this.variant = variant;
    this.#process = spawn(command, args, { env: ENVIRONMENT, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#process.stderr.setEncoding('utf8').on('data', (text) => {
      this.#errors += text;
    });
    this.#process.stdin.on('error', () => undefined); // it ended: the missing answer says so
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  /** What it says once it is ready. Throws when it cannot run, with its last words. */
  async ready() {
    return this.#answer();
  }

  async ask(request) {
    this.#process.stdin.write(`${request}\n`);
    return this.#answer();
  }

  async #answer() {
    const { value, done } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    const last = this.#errors.trim().split('\n').at(-1);
    throw new Error(`PyTorch (${this.variant}) ended: ${last}`);
  }

  close() {
    this.#process.stdin.end();
  }
}
