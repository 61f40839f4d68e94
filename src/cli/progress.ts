/** Shows a run's events: a progress bar on a terminal, lines elsewhere, JSON, or only the end. */

import { SingleBar } from 'cli-progress';
import type { RunSummary, TrainEvent } from '../train/events.ts';
import { count, decimal, duration, percent } from './format.ts';
import type { Io } from './io.ts';

export interface Reporter {
  /** Shows one event, now or merged with later ones. */
  event(event: TrainEvent): void;
  /** Leaves the terminal as it was found; called also when the run failed. */
  close?(): void;
}

export type ReportMode = 'auto' | 'json' | 'quiet';

export function createReporter(mode: ReportMode, io: Io): Reporter {
  if (mode === 'json') return new JsonReporter(io);
  if (mode === 'quiet') return new QuietReporter(io);
  return io.stdout.isTTY ? new BarReporter(io) : new LineReporter(io);
}

class JsonReporter implements Reporter {
  constructor(readonly io: Io) {}

  event(event: TrainEvent): void {
    this.io.stdout.write(`${JSON.stringify(event)}\n`);
  }
}

class QuietReporter implements Reporter {
  constructor(readonly io: Io) {}

  event(event: TrainEvent): void {
    if (event.event === 'end' || event.event === 'stopped' || isUnmet(event)) {
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
  #held: TrainEvent | undefined;

  constructor(readonly io: Io) {}

  event(event: TrainEvent): void {
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

  #print(event: TrainEvent): void {
    if (event.event === 'metrics' || event.event === 'progress') {
      this.#last = this.io.now();
      this.#held = undefined;
    }
    for (const line of linesOf(event, this.#start)) this.io.stdout.write(`${line}\n`);
  }
}

class BarReporter implements Reporter {
  readonly #bar: SingleBar;
  #start: StartEvent | undefined;
  #step = 0;
  #shown: BarFields = { at: '-', loss: '-', lr: '-', rate: '-', left: '-' };

  constructor(readonly io: Io) {
    this.#bar = new SingleBar({
      stream: io.stdout,
      format: ' {bar} {percentage}%  epoch {at}  loss {loss}  lr {lr}  {rate}/s  {left} left',
      barsize: 24,
      clearOnComplete: true,
      hideCursor: false,
      // Signals are the train command's: the bar must not end the process.
      gracefulExit: false,
    });
  }

  event(event: TrainEvent): void {
    if (event.event === 'progress') {
      this.#update(event);
      return;
    }
    // The bar shows the training loss already.
    if (event.event === 'metrics' && event.split === 'train') return;
    const lines = linesOf(event, this.#start);
    if (lines.length === 0) return;
    this.#bar.stop();
    if (event.event === 'start') {
      this.#start = event;
      this.#step = event.start_step;
    }
    for (const line of lines) this.io.stdout.write(`${line}\n`);
    if (event.event === 'end' || event.event === 'stopped') this.#start = undefined;
    if (this.#start !== undefined) {
      this.#bar.start(this.#start.total_steps, this.#step, this.#shown);
    }
  }

  close(): void {
    this.#bar.stop();
  }

  #update(event: TrainEvent & { event: 'progress' }): void {
    this.#step = event.step;
    this.#shown = {
      at: `${event.epoch}/${this.#start?.epochs ?? '?'}`,
      loss: decimal(event.loss),
      lr: decimal(event.lr),
      rate: count(event.samples_per_second),
      left: duration(event.seconds_left),
    };
    this.#bar.update(event.step, this.#shown);
  }
}

type BarFields = Record<'at' | 'loss' | 'lr' | 'rate' | 'left', string>;

type StartEvent = TrainEvent & { event: 'start' };

function isUnmet(event: TrainEvent): boolean {
  return event.event === 'expect' && !event.ok;
}

/** What an event says to a reader; nothing for events that only programs need. */
function linesOf(event: TrainEvent, start: StartEvent | undefined): string[] {
  switch (event.event) {
    case 'start':
      return startLines(event);
    case 'progress':
      return [
        `${position(event, start)}  loss ${decimal(event.loss)}  ` +
          `${count(event.samples_per_second)} samples/s  ${duration(event.seconds_left)} left`,
      ];
    case 'metrics':
      return [metricsLine(event, start)];
    case 'checkpoint':
    case 'retrace': // an epoch's smaller last batch; `--json` tells it
      return [];
    case 'expect':
      return [`expect ${event.ok ? 'met' : 'NOT MET'}: ${event.message}`];
    case 'stopped':
      return [`stopped by ${event.signal} after step ${event.step}; a checkpoint was written`];
    case 'end':
      return [endLine(event)];
  }
}

function startLines(event: StartEvent): string[] {
  const val = event.val_samples === 0 ? '' : `, ${count(event.val_samples)} validation`;
  const lines = [
    `${event.name}: ${count(event.parameters)} parameters; ` +
      `${count(event.train_samples)} training${val} samples; ` +
      `${plural(event.epochs, 'epoch')}, ${plural(event.total_steps, 'step')}; ` +
      `${event.device}, ${plural(event.threads, 'thread')}`,
    `writing ${event.directory}`,
  ];
  if (event.start_step > 0) lines.push(`resumed after step ${count(event.start_step)}`);
  return lines;
}

function position(
  event: { readonly epoch: number; readonly step: number },
  start: StartEvent | undefined,
): string {
  if (start === undefined) return `epoch ${event.epoch}  step ${event.step}`;
  const step = String(event.step).padStart(String(start.total_steps).length);
  return `epoch ${event.epoch}/${start.epochs}  step ${step}/${start.total_steps}`;
}

/** Keys of a record that have a place of their own in its line, or none. */
const RECORD_KEYS = new Set('event step epoch split loss lr samples_per_second time'.split(' '));

function metricsLine(event: TrainEvent & { event: 'metrics' }, start: StartEvent | undefined) {
  const further = Object.entries(event)
    .filter(([key]) => !RECORD_KEYS.has(key))
    .map(([key, value]) => `  ${key} ${metricValue(key, value)}`);
  const rate = event.split === 'train' ? `  lr ${decimal(event.lr)}` : '';
  return (
    `${position(event, start)}  ${event.split.padEnd(5)}  loss ${decimal(event.loss)}` +
    `${further.join('')}${rate}  ${count(event.samples_per_second)} samples/s` +
    `  ${duration(event.time)}`
  );
}

function metricValue(key: string, value: string | number): string {
  if (typeof value === 'string') return value;
  return key.endsWith('accuracy') ? percent(value) : decimal(value);
}

function endLine(event: RunSummary): string {
  const metrics = Object.entries(event.metrics)
    .map(([key, value]) => `${key} ${metricValue(key, value)}`)
    .join(', ');
  return `${plural(event.step, 'step')} in ${duration(event.seconds)}: ${metrics}; ${event.directory}`;
}

function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}
