/** What a run measures, by the names that records, summaries and configs use. */

export const METRICS = ['train_loss', 'train_accuracy', 'val_loss', 'val_accuracy'] as const;

export type Metric = (typeof METRICS)[number];

/** Is more of it better, or less? */
export function betterWay(metric: string): 'max' | 'min' {
  return metric.endsWith('accuracy') ? 'max' : 'min';
}

/** What is looked at where a config does not say. */
export function defaultMonitor(data: { readonly val?: unknown }): Metric {
  return data.val === undefined ? 'train_loss' : 'val_loss';
}
