/** The callbacks of a run: building them, calling their hooks, keeping their states. */

import { ArgumentError, TorchtsError } from '../../base/errors.ts';
import { shortType, userMessage } from '../../base/user-code.ts';
import { warnOnce } from '../../base/warn.ts';
import {
  type Callback,
  type HookName,
  type JsonValue,
  misnamedHook,
  callbacks as registry,
  type TrainingRun,
} from '../../callbacks/index.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { pointing } from '../../config/model-check.ts';

/** What a hook threw, in the name of its callback. */
export class CallbackError extends TorchtsError {
  override readonly name = 'CallbackError';
}

/** A callback under the name that the config and messages have for it. */
export interface NamedCallback {
  readonly type: string;
  readonly callback: Callback;
  /** Not of the config: checkpoints are the same with and without it. */
  readonly internal?: boolean;
}

/** What a checkpoint keeps. */
export interface CallbacksState {
  /** In the order of the config; null for callbacks that keep nothing. */
  readonly states: readonly { readonly type: string; readonly state: JsonValue }[];
  /** What was logged since the last record. */
  readonly logged: Readonly<Record<string, number>>;
  /** Why one of them ended training. */
  readonly stopped: string | null;
}

/** The callbacks of a config. @throws ConfigError that points at the one that cannot be built. */
export function buildCallbacks(loaded: LoadedConfig): NamedCallback[] {
  return loaded.config.callbacks.map((spec, i) =>
    pointing(loaded, ['callbacks', i], () => {
      const callback = registry.build(spec, undefined);
      const misnamed = misnamedHook(callback);
      if (misnamed !== undefined) throw new ArgumentError(misnamed);
      return { type: spec.type, callback };
    }),
  );
}

type HookArguments<Name extends HookName> =
  Parameters<NonNullable<Callback[Name]>> extends [TrainingRun, ...infer More] ? More : never;

export class Callbacks {
  /** Why one of them wants training to end. */
  stopped: string | undefined;

  /** @param run what their hooks get. */
  constructor(
    readonly all: readonly NamedCallback[],
    readonly run: TrainingRun,
  ) {}

  /** Those of the config. */
  get #listed(): readonly NamedCallback[] {
    return this.all.filter(({ internal }) => !internal);
  }

  /** Is there anyone to be told? Who asks before waiting for the engine waits for nothing. */
  has(hook: HookName): boolean {
    return this.all.some(({ callback }) => callback[hook] !== undefined);
  }

  /**
   * Calls a hook of every callback that has it, one after the other.
   * @throws CallbackError that names the callback and the hook that threw.
   */
  async call<Name extends HookName>(hook: Name, ...more: HookArguments<Name>): Promise<void> {
    for (const { type, callback } of this.all) {
      try {
        const method = callback[hook] as ((...args: unknown[]) => unknown) | undefined;
        await method?.call(callback, this.run, ...more);
      } catch (error) {
        throw this.#fault(type, hook, error);
      }
    }
  }

  /**
   * The end of a session, which every callback hears of whatever the others do.
   * @throws what the first `teardown` threw, unless training has failed already.
   */
  async end(failure: { readonly error: unknown } | undefined): Promise<void> {
    const faults: unknown[] = [];
    for (const named of this.all) {
      const alone = new Callbacks([named], this.run);
      if (failure !== undefined) {
        await alone.call('onException', failure.error).catch((fault) => faults.push(fault));
      }
      await alone.call('teardown').catch((fault) => faults.push(fault));
    }
    // What made training fail is told; this is what went wrong besides.
    if (failure === undefined && faults.length > 0) throw faults.shift();
    for (const fault of faults) warnOnce((fault as Error).message);
  }

  /** @throws CallbackError for a state that JSON cannot hold. */
  state(logged: CallbacksState['logged']): CallbacksState {
    const states = this.#listed.map(({ type, callback }) => {
      try {
        const state = callback.stateDict?.() ?? null;
        checkJson(state, 'stateDict()');
        return { type: shortType(type), state };
      } catch (error) {
        throw this.#fault(type, 'stateDict', error);
      }
    });
    return { states, logged, stopped: this.stopped ?? null };
  }

  /**
   * Gives each callback its state again, the nth of a type that of the nth; one that is new in the
   * config begins afresh. A wish to end training holds as long as the same callbacks are there.
   */
  restore({ states, stopped }: CallbacksState): void {
    const left = [...states];
    for (const { type, callback } of this.#listed) {
      const place = left.findIndex((kept) => kept.type === shortType(type));
      const [kept] = place < 0 ? [] : left.splice(place, 1);
      if (kept === undefined || kept.state === null) continue;
      try {
        callback.loadStateDict?.(kept.state);
      } catch (error) {
        throw this.#fault(type, 'loadStateDict', error);
      }
    }
    const before = states.map(({ type }) => type);
    const now = this.#listed.map(({ type }) => shortType(type));
    if (before.join() === now.join()) this.stopped = stopped ?? undefined;
  }

  #fault(type: string, hook: string, error: unknown): CallbackError {
    const { step } = this.run.position;
    const what = userMessage(error) ?? String(error);
    return new CallbackError(
      `callback ${shortType(type)} failed in ${hook} after step ${step}: ${what}`,
    );
  }
}

/** Throws an ArgumentError for what would not come back from JSON as it was. */
function checkJson(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number' && Number.isFinite(value)) return;
  const isPlain =
    typeof value === 'object' &&
    (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype);
  if (!isPlain) throw new ArgumentError(`${path} is no JSON value: ${String(value)}`);
  for (const [key, part] of Object.entries(value)) checkJson(part, `${path}.${key}`);
}
