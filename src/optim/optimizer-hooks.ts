/** What is called around an optimizer's steps and with its state. */

import { HookList } from '../core/hooks.ts';
import type { Closure, Optimizer } from './optimizer.ts';
import type { OptimizerStateDict } from './state-dict.ts';

type StepArguments = readonly [closure?: Closure];

/** Called with the optimizer and the arguments of its step; before the step it may give others. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing
export type StepHook = (optimizer: Optimizer, args: StepArguments) => StepArguments | void;

/** Called with a state dict, which it may change, or give another one for. */
export type OptimizerStateHook = (
  optimizer: Optimizer,
  state_dict: OptimizerStateDict,
  // biome-ignore lint/suspicious/noConfusingVoidType: as of StepHook
) => OptimizerStateDict | void;

/** All hooks of one optimizer. */
export class OptimizerHooks {
  /** How often those of steps changed: they are part of what a compiled step traces. */
  changes = 0;

  readonly stepPre = new HookList<StepHook>(() => this.changes++);
  readonly stepPost = new HookList<StepHook>(() => this.changes++);
  readonly stateDict = new HookList<OptimizerStateHook>();
  readonly loadStateDict = new HookList<OptimizerStateHook>();

  /** What `step` gives, between the hooks. */
  around<T>(optimizer: Optimizer, given: StepArguments, step: (...args: StepArguments) => T): T {
    let args = given;
    for (const hook of this.stepPre) args = hook(optimizer, args) ?? args;
    const result = step(...args);
    for (const hook of this.stepPost) hook(optimizer, args);
    return result;
  }
}

/** A state dict after the hooks. */
export function passed(
  hooks: HookList<OptimizerStateHook>,
  optimizer: Optimizer,
  dict: OptimizerStateDict,
): OptimizerStateDict {
  return [...hooks].reduce((current, hook) => hook(optimizer, current) ?? current, dict);
}
