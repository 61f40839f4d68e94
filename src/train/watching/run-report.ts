/** Writes `report.html` into the folder of a run. */

import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FileError, TorchtsError } from '../../base/errors.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { setThreads } from '../../core/device.ts';
import type { Dataset } from '../../data/index.ts';
import { writeFileAtomic } from '../../io/atomic.ts';
import type { Predictions, ReportData, ReportModel } from '../../report/data.ts';
import { renderReport } from '../../report/report.ts';
import { restoreWeights } from '../checkpoint/snapshot.ts';
import { openLoader } from '../loop/batches.ts';
import type { ReportRequest } from '../request.ts';
import { withLearned } from '../run/learned.ts';
import { readJson, readRecords } from '../run/run-files.ts';
import { readRunInfo } from '../run/run-list.ts';
import { buildTask, type Task } from '../task/task.ts';
import { modelTable } from './model-table.ts';
import { canPredict, predict } from './predictions.ts';

const FILE = 'report.html';

/** What is there in a process that trained; without it only the folder is asked. */
export interface ReportParts {
  readonly loaded: LoadedConfig;
  /** To compute predictions with: the model gets the weights of the best checkpoint. */
  readonly task?: Task | undefined;
  readonly samples?: { readonly split: string; readonly dataset: Dataset } | undefined;
}

/**
 * Writes the report of the run in `run` and returns its path.
 *
 * @throws FileError where the folder is not a run's or cannot be written, or the best checkpoint
 *   does not fit the model.
 */
export async function writeReport(run: string, parts?: ReportParts): Promise<string> {
  const data = await reportData(run, parts);
  const path = join(run, FILE);
  await writeFileAtomic(path, renderReport(data));
  return path;
}

/**
 * The same from the config of a run, whose data is read anew.
 *
 * @throws ConfigError where the config no longer fits; otherwise as `writeReport`.
 */
export async function rebuildReport(request: ReportRequest): Promise<string> {
  const { run, threads } = request;
  if (threads !== undefined) setThreads(threads);
  const loaded = withLearned(request.loaded, run);
  const task = buildTask(loaded);
  const [first] = canPredict(task) ? task.heldOut : [];
  const samples = first && { split: first[0], dataset: await first[1].load() };
  return writeReport(run, { loaded, task, samples });
}

async function reportData(run: string, parts: ReportParts | undefined): Promise<ReportData> {
  const [info, { records }, config, environment, files] = await Promise.all([
    readRunInfo(run),
    readRecords(run),
    readFile(join(run, 'config.yaml'), 'utf8').catch((error) => {
      throw new FileError(`${run} is not the folder of a run: ${error.message}`, { cause: error });
    }),
    readJson(join(run, 'env.json')),
    filesOf(run),
  ]);
  const { name, state, message, started, seconds, step, total_steps, best, metrics } = info;
  return {
    ...{ name, state, message, started, seconds, step, total_steps, best, metrics },
    directory: run,
    records,
    config,
    environment: isObject(environment) ? environment : {},
    model: parts === undefined ? null : modelOf(parts.loaded),
    predictions: await predictions(run, parts),
    files,
  };
}

/** Nothing where the config has changed so that it no longer describes a model. */
function modelOf(loaded: LoadedConfig): ReportModel | null {
  try {
    return modelTable(loaded);
  } catch (error) {
    if (error instanceof TorchtsError) return null;
    throw error;
  }
}

async function predictions(
  run: string,
  { loaded, task, samples }: Partial<ReportParts> = {},
): Promise<Predictions | null> {
  if (loaded === undefined || task === undefined || samples === undefined) return null;
  if (!canPredict(task)) return null;
  const folder = await realpath(join(run, 'checkpoints', 'best')).catch(() => undefined);
  if (folder === undefined) return null;
  await restoreWeights(task, folder);
  const loader = openLoader(loaded, samples.dataset, 'evaluation');
  try {
    const checkpoint = `checkpoints/${basename(folder)}`;
    return { split: samples.split, checkpoint, ...(await predict(task, loader)) };
  } finally {
    loader.dispose();
  }
}

const MOST_FILES = 200;

/** The files of a run that someone may want to open. */
async function filesOf(run: string): Promise<ReportData['files']> {
  const entries = await readdir(run, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.') && entry.name !== FILE)
    .map((entry) => join(entry.parentPath, entry.name).slice(run.length + 1))
    .sort();
  return Promise.all(
    paths.slice(0, MOST_FILES).map(async (path) => {
      const { size } = await stat(join(run, path)).catch(() => ({ size: 0 }));
      return { path: path.replaceAll('\\', '/'), bytes: size };
    }),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
