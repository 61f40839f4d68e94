/** What is measured where the steps run. */

import './class-metrics.ts';
import './confusion.ts';
import './regression.ts';
import './text.ts';

export {
  Metric,
  type MetricContext,
  type MetricInput,
  type MetricState,
  type MetricValue,
} from './metric.ts';
export { buildMetric, metrics, type NamedMetric } from './registry.ts';
