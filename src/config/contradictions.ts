/** What no key of a config shows alone: keys that do not fit each other. */

import { nearestName } from '../base/errors.ts';
import type { Spec } from '../base/registry.ts';
import type { ScheduleOptions } from '../optim/index.ts';
import { defaultMonitor, METRICS } from './metrics.ts';
import type { ConfigPath } from './place.ts';

/** The parts of a config that are looked at here. */
interface Parts {
  readonly data: { readonly val?: unknown };
  readonly scheduler?: Spec | undefined;
  readonly trainer: { readonly early_stopping?: { readonly monitor?: string } | undefined };
  readonly expect?: object | undefined;
}

interface Contradiction {
  readonly path: (string | number)[];
  readonly message: string;
}

export function contradictions(config: Parts): Contradiction[] {
  const { scheduler, trainer, expect = {} } = config;
  const measured = [
    ...Object.keys(expect).map((key): [ConfigPath, string] => [['expect', key], key]),
    [['trainer', 'early_stopping', 'monitor'], trainer.early_stopping?.monitor] as const,
    [['scheduler', 'monitor'], scheduler?.monitor] as const,
  ];
  const unmeasured = measured.flatMap(([path, metric]) => {
    const isThere = config.data.val !== undefined || !String(metric).startsWith('val_');
    return isThere ? [] : [{ path: [...path], message: 'there is no data.val to measure it on' }];
  });
  return [...scheduleFaults(config), ...unmeasured];
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
  const { interval, monitor } = scheduleOptions(config);
  const faults: Contradiction[] = [];
  if (interval === 'step') {
    const message = `${BY_METRIC} needs a metric, which only an epoch has: use epoch`;
    faults.push(fault('interval', message));
  }
  if (!(METRICS as readonly string[]).includes(monitor)) {
    const nearest = nearestName(monitor, METRICS);
    const hint =
      nearest === undefined ? `known: ${METRICS.join(', ')}` : `did you mean "${nearest}"?`;
    faults.push(fault('monitor', `there is no metric "${monitor}"; ${hint}`));
  }
  return faults;
}
