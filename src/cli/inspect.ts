/** What a config's model and data are, for `validate` and `data inspect`. */

import type { Spec } from '../base/registry.ts';
import { type LoadedConfig, loadConfigWithCode } from '../config/load.ts';
import { specInWords } from '../config/spec-in-words.ts';
import { heldOutSplits } from '../config/splits.ts';
import { engine } from '../core/device.ts';
import { type DatasetSource, datasets } from '../data/index.ts';
import { writeContactSheet } from '../data/inspection/contact-sheet.ts';
import { statistics } from '../data/inspection/statistics.ts';
import { textStatistics } from '../data/inspection/text-statistics.ts';
import { classCounts } from '../data/loading/samplers.ts';
import { countParameters } from '../nn/describe.ts';
import { buildCallbacks } from '../train/loop/callbacks.ts';
import { readInitialWeights } from '../train/task/initial-weights.ts';
import { buildTask } from '../train/task/task.ts';
import { modelTable } from '../train/watching/model-table.ts';
import { taskMemory } from './memory.ts';
import type { DatasetReport, ModelReport, SheetRequest } from './services.ts';

export async function inspectModel(loaded: LoadedConfig): Promise<ModelReport> {
  const table = modelTable(loaded);
  // Also the loss, the validation data and the callbacks must fit.
  buildCallbacks(loaded);
  const task = buildTask(loaded);
  const weights = (await readInitialWeights(loaded, task.model))?.report;
  const trained_parameters = countParameters(task.model, { trained: true });
  return { ...table, trained_parameters, weights, memory: taskMemory(task) };
}

export async function inspectData(
  target: string,
  overrides: readonly string[],
  sheet?: SheetRequest,
): Promise<DatasetReport[]> {
  if (datasets.get(target) !== undefined) {
    const spec = specInWords(datasets, target, overrides);
    return [await inspectOne(target, spec, datasets.build(spec), sheet)];
  }
  const { data, seed } = (await loadConfigWithCode(target, { overrides })).config;
  const train = datasets.build(data.train);
  const reports = [await inspectOne('data.train', data.train, train, sheet && { ...sheet, seed })];
  for (const { path, spec } of heldOutSplits(data)) {
    const source = datasets.build(spec, { learned: train.learned });
    reports.push(await inspectOne(path.join('.'), spec, source));
  }
  return reports;
}

/** @param sheet where some of the images are shown. */
async function inspectOne(
  key: string,
  { type }: Spec,
  source: DatasetSource,
  sheet?: SheetRequest & { readonly seed?: number },
): Promise<DatasetReport> {
  const dataset = await source.load();
  const { length, input, target, classes, labels } = dataset;
  const class_counts = labels && classCounts(labels, classes.length);
  if (sheet !== undefined) await writeContactSheet(sheet.file, dataset, engine(), sheet);
  const report = { key, type, length, input, target, classes, class_counts };
  const texts = textStatistics(dataset);
  return { ...report, ...statistics(dataset, engine()), ...(texts && { texts }) };
}
