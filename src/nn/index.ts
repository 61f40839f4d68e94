/** `nn`: modules, losses, initialisers, functions. Importing it registers every type. */

export { BuildError } from '../base/build-error.ts';
export * from './activation.ts';
export { AdaptiveLogSoftmaxWithLoss } from './adaptive-softmax.ts';
export { MultiheadAttention } from './attention.ts';
export {
  BatchNorm1d,
  BatchNorm2d,
  BatchNorm3d,
  InstanceNorm1d,
  InstanceNorm2d,
  InstanceNorm3d,
  SyncBatchNorm,
} from './batch-norm.ts';
export { ModuleDict, ModuleList, Sequential } from './container.ts';
export {
  Conv1d,
  Conv2d,
  Conv3d,
  type ConvOptions,
  ConvTranspose1d,
  ConvTranspose2d,
  ConvTranspose3d,
  type ConvTransposeOptions,
} from './conv.ts';
export { describe, type LayerDescription, type ModelDescription } from './describe.ts';
export { Bilinear, CosineSimilarity, PairwiseDistance } from './distance.ts';
export {
  AlphaDropout,
  Dropout,
  Dropout1d,
  Dropout2d,
  Dropout3d,
  FeatureAlphaDropout,
} from './dropout.ts';
export { Embedding, EmbeddingBag } from './embedding.ts';
export * as functional from './functional/index.ts';
export { Graph, type GraphNode, type GraphOptions } from './graph.ts';
export * as init from './init.ts';
export * from './joining.ts';
export { LayerNorm } from './layer-norm.ts';
export { Linear } from './linear.ts';
export * from './loss.ts';
export * from './masks.ts';
export {
  isWholeMatch,
  loadMatching,
  type MatchOptions,
  type Mismatch,
  matchState,
  misfits,
  renamedKeys,
  type StateMatch,
} from './match-state.ts';
export { type WeightsOptions, type WholeModel, wholeModel } from './model-options.ts';
export {
  type AnyModule,
  Buffer,
  firstOutput,
  type ListOptions,
  type LoadResult,
  Module,
  Parameter,
  tensorOutputs,
} from './module.ts';
export type {
  BackwardHook,
  BackwardPreHook,
  ForwardHook,
  ForwardPreHook,
  Gradients,
  LoadStateDictPostHook,
  StateDictHook,
} from './module-hooks.ts';
export {
  type AllOutputsLoss,
  ignoredTarget,
  isSummed,
  lossOfOutput,
  MultiOutputLoss,
} from './multi-output-loss.ts';
export * from './normalization.ts';
export * from './padding.ts';
export { ParameterDict, ParameterList } from './parameter-containers.ts';
export * from './pooling.ts';
export * from './positional-encoding.ts';
export {
  GRU,
  type GruOptions,
  LSTM,
  type RecurrentOptions,
  RNN,
  type RnnOptions,
} from './recurrent.ts';
export {
  type CellOptions,
  GRUCell,
  LSTMCell,
  RNNCell,
  type RnnCellOptions,
} from './recurrent-cells.ts';
export { type BuildContext, build, buildLoss, losses, modules } from './registry.ts';
export * from './resampling.ts';
export { Flatten, Identity, Permute } from './shape.ts';
export {
  generateSquareSubsequentMask,
  Transformer,
  TransformerDecoder,
  TransformerEncoder,
  type TransformerOptions,
} from './transformer.ts';
export {
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from './transformer-layer.ts';
export * from './unpooling.ts';
export * as utils from './utils/index.ts';
export {
  Conv2dNormActivation,
  type Conv2dNormActivationOptions,
  LayerNorm2d,
  SqueezeExcitation,
  type SqueezeExcitationOptions,
  StochasticDepth,
} from './vision-blocks.ts';
