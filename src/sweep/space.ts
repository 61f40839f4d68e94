/** The points of a sweep: what each trial has for the keys that are tried. */

import { philox4x32 } from '../base/philox.ts';
import type { SweepConfig } from '../config/sections/sweep.ts';

/** Values by the paths of their keys. */
export type Point = Readonly<Record<string, unknown>>;

type Parameter = SweepConfig['parameters'][string];

/** As overrides of the command line; JSON is YAML. */
export function overridesOf(point: Point): string[] {
  return Object.entries(point).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
}

/** As people read it: `optimizer.lr 0.1, data.batch_size 32`. */
export function describePoint(point: Point): string {
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return Object.entries(point)
    .map(([key, value]) => `${key} ${text(value)}`)
    .join(', ');
}

/** How many points a grid has; infinitely many where a parameter is a range. */
export function gridSize({ parameters }: Pick<SweepConfig, 'parameters'>): number {
  return Object.values(parameters).reduce(
    (product, { values }) => product * (values?.length ?? Number.POSITIVE_INFINITY),
    1,
  );
}

/** Every combination, the last parameter changing fastest; at most `most` of them. */
export function gridPoints({ parameters }: Pick<SweepConfig, 'parameters'>, most: number): Point[] {
  const entries = Object.entries(parameters);
  const size = Math.min(most, gridSize({ parameters }));
  return Array.from({ length: size }, (_, i) => {
    let rest = i;
    const chosen = entries.toReversed().map(([key, { values = [] }]): [string, unknown] => {
      const value = values[rest % values.length];
      rest = Math.floor(rest / values.length);
      return [key, value];
    });
    return Object.fromEntries(chosen.reverse());
  });
}

/**
 * Draws that follow from the seed, each from its own counter: the first ones are the same whatever
 * their number is.
 */
export function randomPoints({ parameters, seed }: SweepConfig, trials: number): Point[] {
  const entries = Object.entries(parameters);
  return Array.from({ length: trials }, (_, trial) =>
    Object.fromEntries(
      entries.map(([key, parameter], i) => {
        const [word] = philox4x32([trial, i, 0, 0], [seed, 0]);
        return [key, draw(parameter, word / 2 ** 32)];
      }),
    ),
  );
}

/** @param at in [0, 1). */
function draw({ values, min = 0, max = 0, log, integer }: Parameter, at: number): unknown {
  if (values !== undefined) return values[Math.floor(at * values.length)];
  // Every integer gets a share of the same width.
  const [low, high] = integer ? [Math.ceil(min), Math.floor(max) + 1] : [min, max];
  const value = log
    ? Math.exp(Math.log(low) + at * (Math.log(high) - Math.log(low)))
    : low + at * (high - low);
  if (integer) return Math.min(high - 1, Math.floor(value));
  // As many digits as anyone would write.
  return Number(value.toPrecision(6));
}
