/** `optim`: optimizers. Importing it registers every type. */

export { Adadelta, type AdadeltaOptions } from './adadelta.ts';
export { Adafactor, type AdafactorOptions } from './adafactor.ts';
export { Adagrad, type AdagradOptions } from './adagrad.ts';
export { Adam, type AdamOptions, AdamW, type AdamWOptions } from './adam.ts';
export { Adamax, type AdamaxOptions } from './adamax.ts';
export { ASGD, type ASGDOptions } from './asgd.ts';
export { LBFGS, type LBFGSOptions } from './lbfgs.ts';
export * as lrScheduler from './lr-scheduler/index.ts';
export { buildScheduler, type ScheduleOptions, schedulers } from './lr-scheduler/scheduler.ts';
export { Muon, type MuonOptions } from './muon.ts';
export { NAdam, type NAdamOptions } from './nadam.ts';
export { type Closure, type InitialState, Optimizer, type UpdateBatch } from './optimizer.ts';
export type { OptimizerStateHook, StepHook } from './optimizer-hooks.ts';
export { type Rate, rateOf } from './options.ts';
export type { GivenGroup, GroupOptions, ParamGroup, Params } from './param-groups.ts';
export { RAdam, type RAdamOptions } from './radam.ts';
export { type AnyOptimizer, build, optimizers } from './registry.ts';
export { RMSprop, type RMSpropOptions } from './rmsprop.ts';
export { Rprop, type RpropOptions } from './rprop.ts';
export { SGD, type SGDOptions } from './sgd.ts';
export type { OptimizerStateDict } from './state-dict.ts';
export * as swaUtils from './swa-utils.ts';
