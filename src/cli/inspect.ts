/** What a config's model and data are, for `validate` and `data inspect`. */

import type { Spec } from '../base/registry.ts';
import { type LoadedConfig, loadConfigWithCode } from '../config/load.ts';
import { heldOutSplits } from '../config/splits.ts';
import { datasets, ImageDataset } from '../data/index.ts';
import { buildCallbacks } from '../train/loop/callbacks.ts';
import { buildTask } from '../train/task/task.ts';
import { modelTable } from '../train/watching/model-table.ts';
import { taskMemory } from './memory.ts';
import type { DatasetReport, ModelReport } from './services.ts';

export async function inspectModel(loaded: LoadedConfig): Promise<ModelReport> {
  const table = modelTable(loaded);
  // Also the loss, the validation data and the callbacks must fit.
  buildCallbacks(loaded);
  return { ...table, memory: taskMemory(buildTask(loaded)) };
}

export async function inspectData(
  target: string,
  overrides: readonly string[],
): Promise<DatasetReport[]> {
  if (datasets.get(target) !== undefined) return [await inspectOne(target, { type: target })];
  const { data } = (await loadConfigWithCode(target, { overrides })).config;
  const reports = [await inspectOne('data.train', data.train)];
  for (const { path, spec } of heldOutSplits(data)) {
    reports.push(await inspectOne(path.join('.'), spec));
  }
  return reports;
}

async function inspectOne(key: string, spec: Spec): Promise<DatasetReport> {
  const dataset = await datasets.build(spec).load();
  const { length, input, target, classes } = dataset;
  const class_counts = dataset instanceof ImageDataset ? countClasses(dataset) : undefined;
  return { key, type: spec.type, length, input, target, classes, class_counts };
}

function countClasses({ classes, labels }: ImageDataset): number[] {
  const counts = new Array<number>(classes.length).fill(0);
  for (const label of labels) counts[label]!++;
  return counts;
}
