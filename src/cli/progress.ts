/** Shows a run's events: a progress bar on a terminal, lines elsewhere, JSON, or only the end. */

import { linesOf, type ShownEvent, type StartEvent } from './event-lines.ts';
import type { Io } from './io.ts';
import type { Reporter } from './reporter.ts';

export type ReportMode = 'auto' | 'json' | 'quiet';

export async function createReporter(mode: ReportMode, io: Io): Promise<Reporter> {
  if (mode === 'json') return new JsonReporter(io);
  if (mode === 'quiet') return new QuietReporter(io);
  if (!io.stdout.isTTY) return new LineReporter(io);
  return new (await import('./progress-bar.ts')).BarReporter(io);
}

class JsonReporter implements Reporter {
  constructor(readonly io: Io) {}

  event(event: ShownEvent): void {
    this.io.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

class QuietReporter implements Reporter {
  constructor(readonly io: Io) {}

  event(event: ShownEvent): void {
    const isResult = event.event === 'end' || event.event === 'stopped';
    if (isResult || isUnmet(event) || isWarning(event)) {
      for (const line of linesOf(event, undefined)) this.io.stdout.write(`${line}\n`);
    }
  }
}

/** Training losses come at most this often (ms); validation and the last one always. */
const LINE_INTERVAL = 500;
/** Without anything else to say, a sign of life (ms). */
const SILENCE = 30_000;

class LineReporter implements Reporter {
  #start: StartEvent | undefined;
  #last = Number.NEGATIVE_INFINITY;
  /** The newest training record that was too soon to print. */
  #held: ShownEvent | undefined;

  constructor(readonly io: Io) {}

  event(event: ShownEvent): void {
    if (event.event === 'start') this.#begin(event);
    const age = this.io.now() - this.#last;
    if (event.event === 'progress') {
      if (age >= SILENCE) this.#print(event);
    } else if (event.event === 'metrics' && event.split === 'train' && age < LINE_INTERVAL) {
      this.#held = event;
    } else {
      if (this.#held !== undefined && event.event !== 'metrics') this.#print(this.#held);
      this.#print(event);
    }
  }

  #begin(start: StartEvent): void {
    this.#start = start;
    this.#last = this.io.now();
  }

  #print(event: ShownEvent): void {
    if (event.event === 'metrics' || event.event === 'progress') {
      this.#last = this.io.now();
      this.#held = undefined;
    }
    for (const line of linesOf(event, this.#start)) this.io.stdout.write(`${line}\n`);
  }
}

function isWarning(event: ShownEvent): boolean {
  return event.event === 'resume' && event.damaged.length > 0;
}

function isUnmet(event: ShownEvent): boolean {
  return event.event === 'expect' && !event.ok;
}
