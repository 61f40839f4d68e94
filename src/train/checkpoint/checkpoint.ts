/**
 * A checkpoint on disk: a folder of `model.safetensors` (the model's state dict, readable by
 * PyTorch), `state.safetensors` (the optimizer's tensors and unfinished sums) and `state.json`
 * (everything else, and the other files' checksums). It holds no times and no paths, so equal runs
 * write equal bytes.
 */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../../base/errors.ts';
import type { Position } from '../../callbacks/index.ts';
import type { GeneratorState } from '../../core/random.ts';
import { fileError, writeDirectoryAtomic } from '../../io/atomic.ts';
import type { HostTensor } from '../../io/host-tensor.ts';
import { encodeSafetensors, parseSafetensors } from '../../io/safetensors.ts';
import type { CallbacksState } from '../loop/callbacks.ts';
import type { EarlyStoppingState } from '../loop/early-stopping.ts';

const VERSION = 1;

/** A file of a checkpoint that is missing, or is not what was written. */
export class DamagedError extends FileError {}

/** A checkpoint that was passed over. */
export interface Damaged {
  readonly path: string;
  /** Names the file and what is wrong with it. */
  readonly reason: string;
}

export const MODEL_FILE = 'model.safetensors';
/** The average of the weights, under the same keys, where the config asks for one. */
export const AVERAGE_FILE = 'ema.safetensors';
export const STATE_FILE = 'state.safetensors';
const JSON_FILE = 'state.json';

export type HostTensors = Map<string, HostTensor>;

export type { Position };

export interface Best {
  readonly metric: string;
  readonly value: number;
  readonly step: number;
}

/** What the order of the samples depends on. */
export interface SampleOrder {
  readonly samples: number;
  /** Of one step. */
  readonly batch_size: number;
  readonly shuffle: boolean;
  readonly drop_last: boolean;
  readonly seed: number;
  /** A checksum of the samples of the epoch, in order; missing in older checkpoints. */
  readonly order?: number;
}

/** What a run must remember beside its tensors. */
export interface RunState extends Position {
  readonly generator: GeneratorState;
  readonly data: SampleOrder;
  readonly optimizer: {
    readonly type: string;
    /** As PyTorch's, with the parameters' names in place of their numbers. */
    readonly param_groups: readonly Record<string, unknown>[];
  };
  /** What a schedule of the learning rate remembers beside the position. */
  readonly scheduler: Readonly<Record<string, unknown>> | null;
  readonly early_stopping: EarlyStoppingState;
  readonly callbacks: CallbacksState;
  /** The best validation so far. */
  readonly best: Best | null;
  /** The last value of each metric. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Lines of `metrics.jsonl` written so far, and the step of the last one of the training loss. */
  readonly records: number;
  readonly recorded_at: number;
  /** The step after which an epoch, or all of training, was last evaluated and closed. */
  readonly closed_at: number;
}

export interface Checkpoint {
  readonly state: RunState;
  readonly model: HostTensors;
  readonly average?: HostTensors | undefined;
  /** `optimizer.PARAMETER.NAME` and `metrics.NAME`. */
  readonly tensors: HostTensors;
}

/** Writes the folder `path`, complete or not at all. Throws a `FileError`. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await writeDirectoryAtomic(
    path,
    async (folder) => {
      const { model, average, tensors } = checkpoint;
      const files: Record<string, string> = {};
      const write = async (name: string, contents: HostTensors) => {
        files[name] = await writeTensors(join(folder, name), contents);
      };
      await write(MODEL_FILE, model);
      if (average !== undefined) await write(AVERAGE_FILE, average);
      await write(STATE_FILE, tensors);
      await writeFile(join(folder, JSON_FILE), encodeState(checkpoint.state, files));
    },
    { replace: true },
  );
}

/**
 * Reads a checkpoint whole. Throws a `FileError` that names the file: a `DamagedError` where it is
 * missing or broken.
 */
export async function readCheckpoint(folder: string): Promise<Checkpoint> {
  const { state, files } = await readState(join(folder, JSON_FILE));
  const read = (name: string) => readTensors(join(folder, name), files[name]);
  const [model, average, tensors] = await Promise.all([
    read(MODEL_FILE),
    AVERAGE_FILE in files ? read(AVERAGE_FILE) : undefined,
    read(STATE_FILE),
  ]);
  return { state, model, average, tensors };
}

/** Is `folder` one that `writeCheckpoint` wrote? */
export function isCheckpoint(folder: string): boolean {
  return existsSync(join(folder, JSON_FILE));
}

/** The weights alone, for those who do not go on training. */
export interface StoredWeights {
  readonly state: RunState;
  /** Where they stand. */
  readonly file: string;
  readonly weights: HostTensors;
}

/**
 * The weights that were measured: the average where there is one, unless `trained` ones are asked
 * for. Throws as `readCheckpoint`.
 */
export async function readModelWeights(folder: string, trained = false): Promise<StoredWeights> {
  const { state, files } = await readState(join(folder, JSON_FILE));
  const name = AVERAGE_FILE in files && !trained ? AVERAGE_FILE : MODEL_FILE;
  const file = join(folder, name);
  return { state, file, weights: await readTensors(file, files[name]) };
}

/** SHA-256 by file name. */
type Checksums = Readonly<Record<string, string>>;

/** Returns the file's checksum. */
async function writeTensors(path: string, tensors: HostTensors): Promise<string> {
  const hash = createHash('sha256');
  const chunks = [...encodeSafetensors(tensors, { format: 'pt' })];
  for (const chunk of chunks) hash.update(chunk);
  await writeFile(path, chunks);
  return hash.digest('hex');
}

async function readTensors(path: string, checksum: string | undefined): Promise<HostTensors> {
  const bytes = await readWhole(path);
  if (createHash('sha256').update(bytes).digest('hex') !== checksum) throw damaged(path);
  return (await parseSafetensors(path, bytes)).tensors;
}

/** The state with a checksum of its own as the last key. */
function encodeState(state: RunState, files: Checksums): string {
  const body = { version: VERSION, ...state, files };
  const sha256 = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return `${JSON.stringify({ ...body, sha256 }, null, 2)}\n`;
}

async function readState(path: string): Promise<{ state: RunState; files: Checksums }> {
  const text = (await readWhole(path)).toString('utf8');
  let parsed: RunState & { version: number; files: Checksums; sha256: string };
  try {
    parsed = JSON.parse(text);
  } catch {
    throw damaged(path);
  }
  if (typeof parsed !== 'object' || parsed === null) throw damaged(path);
  const { version, files, sha256: _, ...state } = parsed;
  if (version > VERSION) {
    throw new FileError(`${path} has version ${version}; this torchts reads up to ${VERSION}`);
  }
  // Encoding it again must give the same text: any other byte is a fault.
  if (encodeState(state, files) !== text) throw damaged(path);
  return { state, files };
}

async function readWhole(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new DamagedError(`cannot read ${path}: there is no such file`);
    throw fileError('cannot read the checkpoint', error);
  }
}

function damaged(path: string): DamagedError {
  return new DamagedError(
    `${path} is damaged: its contents do not have the checksum they were written with`,
  );
}
