/** A run's events in words. */

import { isRate } from '../callbacks/training-run.ts';
import { formatChange } from '../config/changes.ts';
import { RECORD_KEYS } from '../config/metrics.ts';
import type { SweepEvent } from '../sweep/sweep.ts';
import type { RunSummary, TrainEvent } from '../train/events.ts';
import { count, counted, decimal, duration, metricValue } from './format.ts';
import { weightsLine } from './weights-lines.ts';

/** What is shown of a run, or of a sweep. */
export type ShownEvent = TrainEvent | SweepEvent;

export type StartEvent = TrainEvent & { event: 'start' };

/** What an event says to a reader; nothing for events that only programs need. */
export function linesOf(event: ShownEvent, start: StartEvent | undefined): string[] {
  switch (event.event) {
    case 'resume':
      return resumeLines(event);
    case 'weights':
      return [`weights of ${weightsLine(event)}`];
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
    case 'arrays': // too much for a line; the run's folder has them
    case 'retrace': // an epoch's smaller last batch; `--json` tells it
      return [];
    case 'trace':
      return [
        `${event.what}; taking the steps after ${event.from_step} again to find where it began ` +
          `(${duration(event.seconds)} at most)`,
      ];
    case 'trial':
      return ['', `trial ${event.trial} of ${event.trials}: ${event.description}${roundOf(event)}`];
    case 'trial_failed':
      return [`trial ${event.trial} failed: ${event.message}`];
    case 'expect':
      return [`expect ${event.ok ? 'met' : 'NOT MET'}: ${event.message}`];
    case 'ended_early':
      return [`training ends after step ${event.step}: ${event.reason}`];
    case 'stopped':
      return [
        event.checkpoint === null
          ? `stopped by ${event.signal} before training began`
          : `stopped by ${event.signal} after step ${event.step}; a checkpoint was written`,
      ];
    case 'end':
      return [endLine(event)];
  }
}

function resumeLines(event: TrainEvent & { event: 'resume' }): string[] {
  const { checkpoint, damaged, changes, weights_changed } = event;
  const lines = damaged.map(({ reason, path }) => `warning: ${reason}; kept as ${path}.damaged`);
  if (damaged.length > 0) lines.push(`going on from ${checkpoint}, which is whole`);
  lines.push(...changes.map((change) => `changed: ${formatChange(change)}`));
  if (weights_changed !== null) {
    lines.push(
      `changed: the contents of ${weights_changed}, with which the run began; it has its own now`,
    );
  }
  return lines;
}

function roundOf({ epochs }: SweepEvent & { event: 'trial' }): string {
  return epochs === null ? '' : `, until epoch ${epochs}`;
}

function startLines(event: StartEvent): string[] {
  const { val_samples, test_samples } = event;
  const val = val_samples === 0 ? '' : `, ${count(val_samples)} validation`;
  const test = test_samples === 0 ? '' : `, ${count(test_samples)} test`;
  const trained =
    event.trained_parameters === event.parameters
      ? ''
      : `, ${count(event.trained_parameters)} of them trained`;
  const lines = [
    `${event.name}: ${count(event.parameters)} parameters${trained}; ` +
      `${count(event.train_samples)} training${val}${test} samples; ` +
      `${counted(event.epochs, 'epoch')}, ${counted(event.total_steps, 'step')}; ` +
      `${event.device}, ${counted(event.threads, 'thread')}`,
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

function metricsLine(event: TrainEvent & { event: 'metrics' }, start: StartEvent | undefined) {
  const further = Object.entries(event)
    .filter(([key]) => !RECORD_KEYS.includes(key) && !isRate(key))
    .map(([key, value]) => `  ${key} ${metricValue(key, value)}`);
  const rates = Object.entries(event)
    .filter(([key]) => event.split === 'train' && isRate(key))
    .map(([key, value]) => `  ${key} ${decimal(value as number)}`);
  return (
    `${position(event, start)}  ${event.split.padEnd(5)}  loss ${decimal(event.loss)}` +
    `${further.join('')}${rates.join('')}  ${count(event.samples_per_second)} samples/s` +
    `  ${duration(event.time)}`
  );
}

function endLine(event: RunSummary): string {
  const metrics = Object.entries(event.metrics)
    .map(([key, value]) => `${key} ${metricValue(key, value)}`)
    .join(', ');
  return `${counted(event.step, 'step')} in ${duration(event.seconds)}: ${metrics}; ${event.directory}`;
}
