/** `optim`: optimizers. Importing it registers every type. */

export { Adam, type AdamOptions, AdamW, type AdamWOptions } from './adam.ts';
export { Optimizer, type OptimizerStateDict, type ParamGroup } from './optimizer.ts';
export { type AnyOptimizer, build, optimizers } from './registry.ts';
export { SGD, type SGDOptions } from './sgd.ts';
