/** Compares what a run reached with the bounds that its config expects. */

import type { Expectations } from '../config/schema.ts';
import type { TrainEvent } from './events.ts';

export type ExpectEvent = TrainEvent & { event: 'expect' };

/** One event for each bounded key. A metric that was never measured does not meet its bounds. */
export function checkExpectations(
  expected: Expectations,
  measured: Readonly<Record<string, number>>,
): ExpectEvent[] {
  return Object.entries(expected).flatMap(([key, bounds]) => {
    if (bounds === undefined) return [];
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = bounds;
    const value = measured[key] ?? Number.NaN;
    const ok = value >= min && value <= max;
    const message = `${key} is ${shown(value)}, expected ${inWords(bounds)}`;
    return [{ event: 'expect' as const, key, value, ok, message }];
  });
}

function shown(value: number): string {
  return Number.isNaN(value) ? 'not a number' : String(Number(value.toPrecision(5)));
}

function inWords({ min, max }: { min?: number; max?: number }): string {
  if (min !== undefined && max !== undefined) return `${min} to ${max}`;
  return min === undefined ? `at most ${max}` : `at least ${min}`;
}
