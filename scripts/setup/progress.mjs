/**
 * What a person sees while something long runs: one line that keeps changing on a terminal, a line
 * every few seconds elsewhere (a log file, CI). All on standard error: standard output belongs to
 * the command that is being set up.
 */

const LOG_EVERY_MS = 10_000;

export class Progress {
  /** @param {string} title such as `[2/4] native engine` */
  constructor(title) {
    this.title = title;
    this.started = performance.now();
    this.terminal = process.stderr.isTTY === true;
    this.lastShown = this.started;
    process.stderr.write(`${title} ...${this.terminal ? '' : '\n'}`);
  }

  /** @param {string} detail what is happening now, in a few words */
  update(detail) {
    const now = performance.now();
    if (this.terminal) {
      const width = (process.stderr.columns ?? 80) - 1;
      this.#overwrite(`${this.title} ... ${detail} (${this.#elapsed()})`.slice(0, width));
    } else if (now - this.lastShown >= LOG_EVERY_MS) {
      this.lastShown = now;
      process.stderr.write(`      ${detail} (${this.#elapsed()})\n`);
    }
  }

  /** @param {string} outcome such as `done` */
  end(outcome) {
    const line = `${this.title}: ${outcome} (${this.#elapsed()})\n`;
    if (this.terminal) this.#overwrite(line);
    else process.stderr.write(line);
  }

  /** @param {string} text */
  #overwrite(text) {
    process.stderr.write(`\r\x1b[K${text}`);
  }

  #elapsed() {
    return `${((performance.now() - this.started) / 1000).toFixed(1)} s`;
  }
}
