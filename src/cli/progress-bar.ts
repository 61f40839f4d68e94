/** A run's events on a terminal: a bar for the steps, lines above it for the rest. */

import { SingleBar } from 'cli-progress';
import type { TrainEvent } from '../train/events.ts';
import { linesOf, type ShownEvent, type StartEvent } from './event-lines.ts';
import { count, decimal, duration } from './format.ts';
import type { Io } from './io.ts';
import type { Reporter } from './reporter.ts';

export class BarReporter implements Reporter {
  readonly #bar: SingleBar;
  #start: StartEvent | undefined;
  #step = 0;
  #shown: BarFields = { at: '-', loss: '-', lr: '-', rate: '-', left: '-' };

  constructor(readonly io: Io) {
    this.#bar = new SingleBar({
      stream: io.stdout,
      format: ' {bar} {percentage}%  epoch {at}  loss {loss}  lr {lr}  {rate}/s  {left} left',
      // What is cut off at the edge of a narrow terminal should be no number.
      barsize: Math.max(4, Math.min(24, (io.stdout.columns ?? 80) - 66)),
      clearOnComplete: true,
      hideCursor: false,
      // Signals are the train command's: the bar must not end the process.
      gracefulExit: false,
    });
  }

  event(event: ShownEvent): void {
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
    if (['end', 'stopped', 'trial_failed'].includes(event.event)) this.#start = undefined;
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
