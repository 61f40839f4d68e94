/** Callback: what users hang into training. */

import { nearestName } from '../base/errors.ts';
import type { MetricsRecord, TrainingRun } from './training-run.ts';

/** What JSON can hold. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** A hook may be async; training waits for it. */
type Done = void | Promise<void>;

/**
 * The base of all callbacks. A subclass has the hooks it needs; training does nothing for those it
 * has not. The names are Lightning's:
 * https://lightning.ai/docs/pytorch/stable/common/trainer.html#callbacks
 *
 * What a hook throws ends the run. Several callbacks are called in the order of the config.
 */
export abstract class Callback {
  /** Before the first step of every session: also when a run goes on from a checkpoint. */
  onTrainStart?(run: TrainingRun): Done;
  /** Before the first step of an epoch; not when a run goes on in the middle of it. */
  onTrainEpochStart?(run: TrainingRun): Done;
  /** After every step. Training waits for the step first, so it runs ahead no longer. */
  onTrainBatchEnd?(run: TrainingRun): Done;
  /** Before a pass over the validation data. */
  onValidationStart?(run: TrainingRun): Done;
  /** After a pass over the validation data, with what it measured. */
  onValidationEnd?(run: TrainingRun, record: MetricsRecord): Done;
  /** After an epoch, or what was left of it when training ended, and the validation after it. */
  onTrainEpochEnd?(run: TrainingRun): Done;
  /** For every record of the metrics, of any split, after it was written. */
  onRecord?(run: TrainingRun, record: MetricsRecord): Done;
  /** Before a checkpoint is taken, which will be in the folder `path`. */
  onSaveCheckpoint?(run: TrainingRun, path: string): Done;
  /** When training is over and its last checkpoint written; not when a signal stopped it. */
  onTrainEnd?(run: TrainingRun): Done;
  /** When training fails, once what is being written is safe. The error is thrown afterwards. */
  onException?(run: TrainingRun, error: unknown): Done;
  /** At the end of every session, however it ended: the place to close files. */
  teardown?(run: TrainingRun): Done;

  /** What a checkpoint keeps of this callback. */
  stateDict?(): JsonValue;
  /** Goes on from what `stateDict` gave; called before `onTrainStart`. */
  loadStateDict?(state: JsonValue): void;
}

export type HookName = Exclude<keyof Callback, 'stateDict' | 'loadStateDict'>;

const HOOK_NAMES: Readonly<Record<HookName, true>> = {
  onTrainStart: true,
  onTrainEpochStart: true,
  onTrainBatchEnd: true,
  onValidationStart: true,
  onValidationEnd: true,
  onTrainEpochEnd: true,
  onRecord: true,
  onSaveCheckpoint: true,
  onTrainEnd: true,
  onException: true,
  teardown: true,
};

/**
 * A method that looks like a hook and is none, so that nobody would call it: what to say of it.
 */
export function misnamedHook(callback: Callback): string | undefined {
  const known = Object.keys(HOOK_NAMES);
  const found = methodNames(callback).find(
    (name) => /^on[A-Z_]/.test(name) && !known.includes(name),
  );
  if (found === undefined) return undefined;
  const nearest = nearestName(found.replaceAll('_', ''), known);
  const hint = nearest === undefined ? `hooks: ${known.join(', ')}` : `did you mean ${nearest}?`;
  return `there is no hook ${found}; ${hint}`;
}

function methodNames(callback: Callback): string[] {
  const names: string[] = [];
  let object: object = callback;
  while (object !== Callback.prototype && object !== null) {
    names.push(...Object.getOwnPropertyNames(object));
    object = Object.getPrototypeOf(object);
  }
  return names;
}
