/** Checks a sweep, each of its trials included, before the first of them trains. */

import { ConfigError, TorchtsError } from '../base/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import { bestMonitors, unknownMetric } from '../config/metrics.ts';
import { checkModel } from '../config/model-check.ts';
import type { ConfigPath } from '../config/place.ts';
import type { SweepConfig } from '../config/sections/sweep.ts';
import { gridPoints, gridSize, overridesOf, type Point, randomPoints } from './space.ts';

/** Loads the config of the sweep with further values. */
export type Load = (overrides: readonly string[]) => Promise<LoadedConfig>;

export interface SweepPlan {
  readonly sweep: SweepConfig;
  readonly points: readonly Point[];
  readonly monitor: string;
  readonly mode: 'min' | 'max';
  /** Epochs that a trial has had after each round; one round with nothing said: to its end. */
  readonly rounds: readonly (number | undefined)[];
}

/** What a trial's own config has no use for. */
const NO_SWEEP = 'sweep=null';
const MOST_TRIALS = 10_000;

/** @throws ConfigError that lists everything that is wrong, with the places in the config. */
export async function planSweep(loaded: LoadedConfig, load: Load): Promise<SweepPlan> {
  const { sweep, trainer, data } = loaded.config;
  if (sweep === undefined) throw new ConfigError('there is no sweep in the config');
  const faults: ConfigError[] = [];
  const fault = (path: ConfigPath, message: string) => {
    faults.push(loaded.error(['sweep', ...path], message));
  };
  const known = loaded.measured;
  const monitor = sweep.monitor ?? trainer.monitor ?? usual(known, bestMonitors(data));
  const unknown = unknownMetric(monitor, known.keys());
  if (unknown !== undefined) fault(['monitor'], unknown);
  if (Object.keys(sweep.parameters).length === 0) fault(['parameters'], 'there is nothing to try');
  checkCount(sweep, fault);
  const isHalving = sweep.method === 'successive_halving';
  if (isHalving && trainer.epochs === undefined) {
    fault(['method'], 'successive_halving counts epochs: give trainer.epochs');
  }
  await checkValues(sweep, load, fault);
  rethrow(faults);
  const points = pointsOf(sweep);
  for (const [i, point] of points.entries()) {
    try {
      checkModel(await trialConfig(load, point));
    } catch (error) {
      if (!(error instanceof TorchtsError)) throw error;
      fault(['parameters'], `trial ${i + 1}: ${error.message}`);
    }
  }
  rethrow(faults);
  const mode = sweep.mode ?? known.get(monitor) ?? 'min';
  const rounds = isHalving ? roundsOf(sweep, trainer.epochs!) : [undefined];
  return { sweep, points, monitor, mode, rounds };
}

/** The config of one trial, for so many epochs. */
export function trialConfig(load: Load, point: Point, epochs?: number): Promise<LoadedConfig> {
  const length = epochs === undefined ? [] : [`trainer.epochs=${epochs}`];
  return load([NO_SWEEP, ...overridesOf(point), ...length]);
}

/** 1, 3, 9, ... epochs, and at last all of them. */
export function roundsOf({ min_epochs, eta }: SweepConfig, epochs: number): number[] {
  const rounds: number[] = [];
  for (let budget = min_epochs; budget < epochs; budget *= eta) rounds.push(budget);
  return [...rounds, epochs];
}

function usual(known: ReadonlyMap<string, unknown>, names: readonly string[]): string {
  return names.find((name) => known.has(name)) ?? 'train_loss';
}

type NoteFault = (path: ConfigPath, message: string) => void;

function checkCount(sweep: SweepConfig, fault: NoteFault): void {
  const { method, trials } = sweep;
  const size = gridSize(sweep);
  const isEndless = size === Number.POSITIVE_INFINITY;
  if (method === 'grid' && isEndless) {
    fault(['method'], 'grid needs values; random draws from a range');
  } else if (method !== 'grid' && trials === undefined && (method === 'random' || isEndless)) {
    fault(['method'], `${method} needs trials: how many draws`);
  } else if ((trials ?? size) > MOST_TRIALS) {
    fault(['parameters'], `makes ${size} trials, more than ${MOST_TRIALS}; give trials`);
  }
}

function pointsOf(sweep: SweepConfig): Point[] {
  const { method, trials } = sweep;
  const isGrid = method === 'grid' || (method === 'successive_halving' && trials === undefined);
  return isGrid ? gridPoints(sweep, trials ?? MOST_TRIALS) : randomPoints(sweep, trials!);
}

/** Each value alone, so that what is wrong with it is said once and at its place. */
async function checkValues(sweep: SweepConfig, load: Load, fault: NoteFault): Promise<void> {
  for (const [key, { values, min, max }] of Object.entries(sweep.parameters)) {
    if (key === 'sweep' || key.startsWith('sweep.')) {
      fault(['parameters', key], 'a sweep cannot try itself');
      continue;
    }
    const tried = values?.map((value, i): [ConfigPath, unknown] => [['values', i], value]);
    const ends: [ConfigPath, unknown][] = [
      [['min'], min],
      [['max'], max],
    ];
    const messages = new Set<string>();
    for (const [path, value] of tried ?? ends) {
      const message = await faultOf(load, { [key]: value });
      // A key that there is not is no fault of each of its values.
      if (message === undefined || messages.has(message)) continue;
      messages.add(message);
      const isKey = message.includes('unknown key') || message.includes('there is no');
      fault(['parameters', key, ...(isKey ? [] : path)], message);
    }
  }
}

async function faultOf(load: Load, point: Point): Promise<string | undefined> {
  try {
    await trialConfig(load, point);
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Without the place, which would be the argument that the value was made to.
    return error.message.split('\n')[0]!.replace(/^command line(?: \S+)?: /, '');
  }
}

function rethrow(faults: readonly ConfigError[]): void {
  if (faults.length > 0) throw new ConfigError(faults.map(({ message }) => message).join('\n'));
}
