/** `optim`: optimizers. Importing it registers every type. */

export { Adam, type AdamOptions, AdamW, type AdamWOptions } from './adam.ts';
export { type Closure, Optimizer } from './optimizer.ts';
export type { Rate } from './options.ts';
export type { GivenGroup, GroupOptions, ParamGroup, Params } from './param-groups.ts';
export { type AnyOptimizer, build, optimizers } from './registry.ts';
export { SGD, type SGDOptions } from './sgd.ts';
export type { OptimizerStateDict } from './state-dict.ts';
