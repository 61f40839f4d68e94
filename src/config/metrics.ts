/** What a run measures, by the names that records, summaries and configs use: `val_accuracy`. */

import { nearestName } from '../base/errors.ts';
import type { Spec } from '../base/registry.ts';
import { userMessage } from '../base/user-code.ts';
import { isRate } from '../callbacks/training-run.ts';
import type { ConfigPath } from './place.ts';
import type { SpecSource } from './sections/values.ts';
import { type DataSets, splitNames, validationSplits } from './splits.ts';

/** What is known of a metric before there is anything to measure. */
interface KnownMetric {
  readonly name: string;
  readonly higher_is_better: boolean;
  /** Whether it is one number, which can be compared. */
  readonly scalar: boolean;
}

/** Where the names in `metrics:` come from. */
export interface MetricSource extends SpecSource {
  build(spec: Spec): unknown;
}

/** The parts of a config that say what is measured. */
interface Measuring {
  readonly data: DataSets;
  readonly metrics?: readonly Spec[] | undefined;
}

/** Which way each measured number gets better. */
export type Measured = ReadonlyMap<string, 'min' | 'max'>;

/** What is measured where a config does not say, if targets are classes. */
export const DEFAULT_METRICS: readonly Spec[] = [{ type: 'Accuracy' }];

/** Keys that every record has; a metric cannot be called so. */
export const RECORD_KEYS: readonly string[] = [
  ...['event', 'step', 'epoch', 'split', 'loss', 'lr', 'samples', 'samples_per_second', 'time'],
];

/** Every number that records of `config` may have, after the name of their split. */
export function measuredOf(config: Measuring, source: MetricSource): Measured {
  const metrics = knownMetrics(config, source).filter(({ scalar }) => scalar);
  const ways = metrics.map(({ name, higher_is_better }): [string, 'min' | 'max'] => [
    name,
    higher_is_better ? 'max' : 'min',
  ]);
  const all: [string, 'min' | 'max'][] = [['loss', 'min'], ...ways];
  return new Map(
    splitNames(config.data).flatMap((split) =>
      all.map(([name, way]): [string, 'min' | 'max'] => [`${split}_${name}`, way]),
    ),
  );
}

function knownMetrics({ metrics = DEFAULT_METRICS }: Measuring, source: MetricSource) {
  return metrics.flatMap((spec) => {
    try {
      const metric = source.build(spec) as KnownMetric;
      return [{ ...pick(metric), name: (spec.name as string | undefined) ?? metric.name }];
    } catch (error) {
      // What is wrong with it is said where it is built for the task.
      if (userMessage(error) !== undefined) return [];
      throw error;
    }
  });
}

const pick = ({ higher_is_better, scalar }: KnownMetric) => ({ higher_is_better, scalar });

/** Metrics that share a name with each other, or with something else in a record. */
export function nameFaults(
  config: Measuring,
  source: MetricSource,
): { path: ConfigPath; message: string }[] {
  const names = knownMetrics(config, source).map(({ name }) => name);
  return names.flatMap((name, i) => {
    const path = ['metrics', i];
    if (RECORD_KEYS.includes(name) || isRate(name)) {
      return [{ path, message: `a record has another "${name}" already; give it another name` }];
    }
    if (names.indexOf(name) === i) return [];
    return [
      { path, message: `there is another metric "${name}" already; give one of them a name` },
    ];
  });
}

/** What is looked at where a config does not say. */
export function defaultMonitor(data: DataSets): string {
  return `${validationSplits(data)[0]?.name ?? 'train'}_loss`;
}

/** What `best` is chosen by where a config does not say: the first of these that is measured. */
export function bestMonitors(data: DataSets): string[] {
  return validationSplits(data)
    .slice(0, 1)
    .flatMap(({ name }) => [`${name}_accuracy`, `${name}_loss`]);
}

/** What is wrong with the name of something measured; nothing where it is one of `known`. */
export function unknownMetric(name: string, known: Iterable<string>): string | undefined {
  const names = [...known];
  if (names.includes(name)) return undefined;
  const nearest = nearestName(name, names) ?? names.find((known) => isLonger(known, name));
  const hint = nearest === undefined ? `known: ${names.join(', ')}` : `did you mean "${nearest}"?`;
  return `there is no metric "${name}"; ${hint}`;
}

/** Is it the same metric with its split, or with the name of one of several sets? */
function isLonger(known: string, name: string): boolean {
  const [split, ...metric] = name.split('_');
  return (
    known.endsWith(`_${name}`) ||
    (known.startsWith(`${split}_`) && known.endsWith(`_${metric.join('_')}`))
  );
}
