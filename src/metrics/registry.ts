/** Metrics by torchmetrics' names; each family's file registers its own. */

import { z } from 'zod';
import { adoptClass } from '../base/adopt.ts';
import { Registry, type Spec } from '../base/registry.ts';
import { Metric } from './metric.ts';

export const metrics = new Registry<Metric>('metric', {
  name: z
    .string()
    .regex(/^[a-z_]\w*$/i, 'expected a word of letters, digits and underscores')
    .optional()
    .describe('Its name in records, after that of the split: `val_NAME`.'),
});

metrics.adopt(adoptClass(Metric, 'metrics.Metric', (type, options) => new type(options)));

/** A metric and the name it goes by. */
export interface NamedMetric {
  readonly name: string;
  readonly metric: Metric;
}

/** From the object a config would hold. */
export function buildMetric(spec: Spec): NamedMetric {
  const metric = metrics.build(spec);
  return { name: (spec.name as string | undefined) ?? metric.name, metric };
}
