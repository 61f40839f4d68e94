/** Layers and losses as functions: `torch.nn.functional`'s names in camelCase. */

export { clamp } from '../../ops/arithmetic.ts';
export { scaledDotProductAttention } from '../../ops/attention.ts';
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
} from '../../ops/avg-pooling.ts';
export { conv1d, conv2d, conv3d, convTbc } from '../../ops/conv.ts';
export { convTranspose1d, convTranspose2d, convTranspose3d } from '../../ops/conv-transpose.ts';
export { embedding } from '../../ops/embedding.ts';
export { fold, unfold } from '../../ops/folding.ts';
export { gelu } from '../../ops/gelu.ts';
export {
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  fractionalMaxPool2d,
  fractionalMaxPool3d,
} from '../../ops/irregular-pooling.ts';
export { layerNorm } from '../../ops/layer-norm.ts';
export { lpPool1d, lpPool2d, lpPool3d } from '../../ops/lp-pooling.ts';
export { oneHot } from '../../ops/masking.ts';
export { linear } from '../../ops/matmul.ts';
export { pad } from '../../ops/padding.ts';
export { sigmoid, tanh } from '../../ops/pointwise.ts';
export { maxPool1d, maxPool2d, maxPool3d } from '../../ops/pooling.ts';
export { maxUnpool1d, maxUnpool2d, maxUnpool3d } from '../../ops/unpooling.ts';
export {
  celu,
  elu,
  glu,
  logsigmoid,
  mish,
  selu,
  silu,
  softplus,
  softsign,
  tanhshrink,
} from './activation.ts';
export { batchNorm } from './batch-norm.ts';
export { bilinear } from './bilinear.ts';
export { binaryCrossEntropy, binaryCrossEntropyWithLogits } from './binary-losses.ts';
export {
  multilabelMarginLoss,
  multilabelSoftMarginLoss,
  multiMarginLoss,
} from './class-margin-losses.ts';
export { crossEntropy, linearCrossEntropy, nllLoss } from './classification-losses.ts';
export { ctcLoss, type Lengths } from './ctc-loss.ts';
export { cosineSimilarity, normalize, pairwiseDistance, pdist } from './distance.ts';
export {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  stochasticDepth,
} from './dropout.ts';
export { type BagMode, embeddingBag } from './embedding-bag.ts';
export { affineGrid, type GridMode, type GridPadding, gridSample } from './grid-sample.ts';
export {
  type InterpolateMode,
  interpolate,
  upsample,
  upsampleBilinear,
  upsampleNearest,
} from './interpolate.ts';
export type { LossReduction } from './loss.ts';
export {
  cosineEmbeddingLoss,
  type DistanceFunction,
  hingeEmbeddingLoss,
  marginRankingLoss,
  softMarginLoss,
  tripletMarginLoss,
  tripletMarginWithDistanceLoss,
} from './margin-losses.ts';
export { multiHeadAttentionForward } from './multi-head-attention.ts';
export {
  groupNorm,
  instanceNorm,
  localResponseNorm,
  rmsNorm,
} from './normalization.ts';
export {
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  prelu,
  relu,
  relu6,
  rrelu,
  softshrink,
  threshold,
} from './piecewise.ts';
export {
  gaussianNllLoss,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
  poissonNllLoss,
  smoothL1Loss,
} from './regression-losses.ts';
export { channelShuffle, nativeChannelShuffle, pixelShuffle, pixelUnshuffle } from './shuffle.ts';
export { gumbelSoftmax, logSoftmax, softmax, softmin } from './softmax.ts';
