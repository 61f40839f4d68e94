/** What a config's model and data are, for `validate` and `data inspect`. */

import type { Spec } from '../base/registry.ts';
import { type LoadedConfig, loadConfigWithCode } from '../config/load.ts';
import { checkModel } from '../config/model-check.ts';
import { heldOutSplits } from '../config/splits.ts';
import { datasets, ImageDataset } from '../data/index.ts';
import type { LayerDescription } from '../nn/index.ts';
import { buildTask } from '../train/task.ts';
import { taskMemory } from './memory.ts';
import type { DatasetReport, ModelReport } from './services.ts';

export async function inspectModel(loaded: LoadedConfig): Promise<ModelReport> {
  const { layers, input_shape } = checkModel(loaded);
  // Also the loss and the validation data must fit.
  const task = buildTask(loaded);
  const whole = layers.at(-1)!;
  return {
    layers: layers.map((layer) => ({ ...layer, path: stateKey(loaded.config.model, layer.path) })),
    input_shape,
    parameters: whole.parameters,
    flops: whole.flops,
    memory: taskMemory(task),
  };
}

/** The layer's key in the model's state dict: names where given, else indices. */
function stateKey(model: Spec, path: LayerDescription['path']): string {
  const keys: (string | number)[] = [];
  let spec: unknown = model;
  for (let i = 0; i < path.length; i++) {
    const part = path[i]!;
    spec = (spec as Record<string | number, unknown>)[part];
    // The name of a list or a map of parts is not in their keys.
    const child = CONTAINERS.includes(part) ? path[++i] : undefined;
    if (child === undefined) keys.push(part);
    else {
      spec = (spec as Record<string | number, unknown>)[child];
      keys.push((spec as { name?: string }).name ?? child);
    }
  }
  return keys.join('.');
}

const CONTAINERS: readonly (string | number)[] = ['layers', 'nodes'];

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
