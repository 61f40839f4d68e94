/** `optim`: optimizers. Importing it registers every type. */

export { Optimizer, type OptimizerStateDict, type ParamGroup } from './optimizer.ts';
export { type AnyOptimizer, build, optimizers } from './registry.ts';
export { SGD, type SGDOptions } from './sgd.ts';
