/** `nn`: modules, losses, initialisers, functions. Importing it registers every type. */

export { LogSoftmax, ReLU, Sigmoid, Softmax, Tanh } from './activation.ts';
export { Sequential } from './container.ts';
export { Conv2d } from './conv.ts';
export { describe, type LayerDescription, type ModelDescription } from './describe.ts';
export { Dropout } from './dropout.ts';
export * as functional from './functional/index.ts';
export * as init from './init.ts';
export { Linear } from './linear.ts';
export { CrossEntropyLoss, L1Loss, MSELoss, NLLLoss } from './loss.ts';
export { Buffer, type LoadResult, Module, Parameter } from './module.ts';
export { MaxPool2d } from './pooling.ts';
export { type BuildContext, BuildError, build, buildLoss, losses, modules } from './registry.ts';
export { Flatten, Identity } from './shape.ts';
export * as utils from './utils/index.ts';
