/** What no key of a config shows alone: keys that do not fit each other. */

import type { Spec } from '../base/registry.ts';
import type { ScheduleOptions } from '../optim/index.ts';
import {
  defaultMonitor,
  type MetricSource,
  measuredOf,
  nameFaults,
  unknownMetric,
} from './metrics.ts';
import type { ConfigPath } from './place.ts';
import { type DataSets, TEST } from './splits.ts';

/** The parts of a config that are looked at here. */
interface Parts {
  readonly data: DataSets;
  readonly metrics?: readonly Spec[] | undefined;
  readonly scheduler?: Spec | undefined;
  readonly trainer: {
    readonly monitor?: string | undefined;
    readonly early_stopping?: { readonly monitor?: string | undefined } | undefined;
  };
  readonly expect?: object | undefined;
}

interface Contradiction {
  readonly path: ConfigPath;
  readonly message: string;
  /** What is at fault of what stands at `path`; its value unless given. */
  readonly aim?: 'key' | 'value';
}

export function contradictions(config: Parts, source: MetricSource): Contradiction[] {
  return [
    ...scheduleFaults(config),
    ...nameFaults(config, source),
    ...unmeasured(config, [...measuredOf(config, source).keys()]),
  ];
}

/** Names of metrics that the config does not measure. */
function unmeasured(config: Parts, measured: readonly string[]): Contradiction[] {
  const { data, scheduler, trainer, expect = {} } = config;
  const known = measured.filter((name) => !name.startsWith(`${TEST}_`));
  const asked: [ConfigPath, name: unknown, known: readonly string[]][] = [
    ...Object.keys(expect).map((key): [ConfigPath, string, string[]] => [
      ['expect', key],
      key,
      [...measured, 'seconds'],
    ]),
    [['trainer', 'monitor'], trainer.monitor, known],
    [['trainer', 'early_stopping', 'monitor'], trainer.early_stopping?.monitor, known],
    [['scheduler', 'monitor'], scheduler?.monitor, known],
  ];
  return asked.flatMap(([path, name, known]) => {
    if (typeof name !== 'string') return [];
    const split = ['train', 'val', TEST].find((prefix) => name.startsWith(`${prefix}_`));
    if (split === TEST && path[0] !== 'expect') {
      return [{ path, message: 'data.test is measured once, when training is over' }];
    }
    if (split === 'train' && path.join() === 'trainer,monitor') {
      return [{ path, message: `best is chosen among evaluations, not by ${name}` }];
    }
    const aim = path[0] === 'expect' ? 'key' : 'value';
    if (split !== undefined && split !== 'train' && !(split in data)) {
      return [{ path, message: `there is no data.${split} to measure it on`, aim }];
    }
    const message = unknownMetric(name, known);
    return message === undefined ? [] : [{ path, message, aim }];
  });
}

/**
 * Schedules that follow steps unless told otherwise: PyTorch documents them as stepped per batch.
 */
const BY_STEP = ['OneCycleLR', 'CyclicLR'];
const BY_METRIC = 'ReduceLROnPlateau';

/** A schedule's `interval` and `monitor`, filled in. */
export function scheduleOptions({ scheduler, data }: Pick<Parts, 'scheduler' | 'data'>): {
  interval: 'step' | 'epoch';
  monitor: string;
} {
  const { type = '', interval, monitor } = (scheduler ?? {}) as Partial<Spec> & ScheduleOptions;
  return {
    interval: interval ?? (BY_STEP.includes(type) ? 'step' : 'epoch'),
    monitor: monitor ?? defaultMonitor(data),
  };
}

function scheduleFaults(config: Parts): Contradiction[] {
  const { scheduler } = config;
  if (scheduler === undefined) return [];
  const fault = (key: string, message: string) => ({ path: ['scheduler', key], message });
  if (scheduler.type !== BY_METRIC) {
    if (scheduler.monitor === undefined) return [];
    return [fault('monitor', `only ${BY_METRIC} looks at a metric`)];
  }
  const { interval } = scheduleOptions(config);
  const faults: Contradiction[] = [];
  if (interval === 'step') {
    const message = `${BY_METRIC} needs a metric, which only an epoch has: use epoch`;
    faults.push(fault('interval', message));
  }
  return faults;
}
