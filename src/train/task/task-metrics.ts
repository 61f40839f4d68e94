/** What a task measures beside its loss: the metrics of its config, checked against its data. */

import type { Spec } from '../../base/registry.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { DEFAULT_METRICS } from '../../config/metrics.ts';
import { pointing } from '../../config/model-check.ts';
import type { ConfigPath } from '../../config/place.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { placeholder } from '../../core/leaf.ts';
import { Tensor } from '../../core/tensor.ts';
import { Trace, tracing } from '../../core/trace.ts';
import {
  buildMetric,
  type Metric,
  type MetricContext,
  metrics,
  type NamedMetric,
} from '../../metrics/index.ts';
import { ignoredTarget } from '../../nn/index.ts';

/** Makes the metrics anew, each with a state of its own. */
export type MetricFactory = () => NamedMetric[];

/**
 * @throws ConfigError that points at a metric which cannot measure `context`, or at the name of one
 *   that is not measured.
 */
export function metricsOf(loaded: LoadedConfig, context: MetricContext): MetricFactory {
  const { metrics: given } = loaded.config;
  const classifies = context.classes.length > 0;
  if (given === undefined && !classifies) checkUnmeasured(loaded);
  const asked = given ?? (classifies ? DEFAULT_METRICS : []);
  const ignored = ignoredTarget(loaded.config.loss);
  const specs = asked.map((spec) => leavingOut(ignored, spec));
  const at = (i: number) => (given === undefined ? ['data'] : ['metrics', i]);
  const make = () =>
    specs.map((spec, i) =>
      pointing(loaded, at(i), () => {
        const named = buildMetric(spec);
        named.metric.prepare(context);
        return named;
      }),
    );
  for (const [i, { metric }] of make().entries()) {
    pointing(loaded, at(i), () => updateOnce(metric, context));
  }
  return make;
}

/** `metric` without the target that the loss leaves out, unless it says itself which. */
function leavingOut(ignore_index: number | undefined, metric: Spec): Spec {
  const takes = 'ignore_index' in (metrics.get(metric.type)?.schema.shape ?? {});
  return takes && ignore_index !== undefined ? { ignore_index, ...metric } : metric;
}

/** Takes a batch in which nothing is computed yet: what does not fit is found before any data. */
function updateOnce(metric: Metric, { output, target }: MetricContext): void {
  const [predicted, wanted] = [output, target].map((type, i) => new Tensor(placeholder(type, i)));
  const trace = new Trace('build');
  try {
    tracing(trace, () => noGrad(() => metric.update(predicted!, wanted!)));
  } finally {
    trace.undo();
  }
}

/** The accuracy, which is measured where a config names no metrics, needs classes. */
function checkUnmeasured(loaded: LoadedConfig): void {
  const { expect = {}, trainer, scheduler } = loaded.config;
  const asked: [ConfigPath, unknown][] = [
    ...Object.keys(expect).map((key): [ConfigPath, unknown] => [['expect', key], key]),
    [['trainer', 'monitor'], trainer.monitor],
    [['trainer', 'early_stopping', 'monitor'], trainer.early_stopping?.monitor],
    [['scheduler', 'monitor'], scheduler?.monitor],
  ];
  for (const [path, name] of asked) {
    if (!/^(?!seconds$).*(?<!_loss)$/.test(String(name ?? 'seconds'))) continue;
    throw loaded.error(path, `${name} is not measured: the targets are numbers, not classes`);
  }
}
