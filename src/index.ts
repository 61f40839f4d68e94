/** torchts: PyTorch for TypeScript. `import { tensor, nn, optim, compile } from 'torchts'`. */

import './ops/methods.ts';

/** What the schemas of one's own types are written with; the copy that torchts itself has. */
export { z } from 'zod';

export { DTYPES, type DType, type HostArray } from './base/dtype.ts';
export * as errors from './base/errors.ts';
export { type FloatInfo, finfo } from './base/finfo.ts';
export type { Shape } from './base/shape.ts';
export {
  Callback,
  type JsonValue,
  type MetricsRecord,
  type SampleBatch,
  type TrainingRun,
} from './callbacks/index.ts';
export { type AutocastOptions, autocast, isAutocastEnabled } from './core/autocast.ts';
export { type GradOptions, grad } from './core/autograd.ts';
export { type CompiledStep, type CompileOptions, compile, type Stateful } from './core/compile.ts';
export {
  areDeterministicAlgorithmsEnabled,
  useDeterministicAlgorithms,
} from './core/determinism.ts';
export { engine, setEngine, withEngine } from './core/device.ts';
export { enableGrad, isGradEnabled, noGrad, setGradEnabled } from './core/grad-mode.ts';
export {
  type Differentiable,
  type GradcheckOptions,
  gradcheck,
  gradgradcheck,
} from './core/gradcheck.ts';
export { generatorState, manualSeed, setGeneratorState } from './core/random.ts';
export { realize } from './core/realize.ts';
export { hostScalar } from './core/scalar.ts';
export { Tensor } from './core/tensor.ts';
export type { Dataset, MapDataset } from './data/index.ts';
export * as data from './data/index.ts';
export { SummaryWriter, type SummaryWriterOptions } from './io/tensorboard/summary-writer.ts';
export { load, save } from './io/tensors.ts';
export * as metrics from './metrics/index.ts';
export * as models from './models/index.ts';
export * as func from './nn/func.ts';
export { cosineSimilarity, rmsNorm } from './nn/functional/index.ts';
export * as nn from './nn/index.ts';
export { Module, Parameter } from './nn/index.ts';
export * as onnx from './onnx/index.ts';
export * from './ops/aliases.ts';
export * from './ops/arithmetic.ts';
export * as autograd from './ops/autograd.ts';
export { i0 } from './ops/bessel.ts';
export * from './ops/bitwise.ts';
export {
  indexAdd,
  indexCopy,
  indexFill,
  indexReduce,
  indexSelect,
  put,
  take,
  takeAlongDim,
} from './ops/choosing.ts';
export * from './ops/comparison.ts';
export { inner, kron, tensordot } from './ops/contraction.ts';
export * from './ops/copies.ts';
export { corrcoef, cov } from './ops/covariance.ts';
export * from './ops/creation.ts';
export {
  blockDiag,
  diag,
  diagEmbed,
  diagflat,
  diagonal,
  diagonalScatter,
  trace,
  tril,
  trilIndices,
  triu,
  triuIndices,
} from './ops/diagonals.ts';
export { cumulativeTrapezoid, diff, gradient, trapezoid, trapz } from './ops/differences.ts';
export {
  adjoint,
  broadcastShapes,
  broadcastTensors,
  clone,
  detach,
  moveaxis,
  movedim,
  numel,
  positive,
  ravel,
  t,
  unflatten,
} from './ops/dimensions.ts';
export { rand, randint, randintLike, randLike, randn, randnLike } from './ops/draws.ts';
export { einsum } from './ops/einsum.ts';
export * from './ops/extremes.ts';
export { frexp, nextafter } from './ops/float-parts.ts';
export { histc, histogram, histogramdd } from './ops/histograms.ts';
export * from './ops/host-data.ts';
export { gather, scatter, scatterAdd, scatterReduce } from './ops/indexing.ts';
export * from './ops/joining.ts';
export * as linalg from './ops/linalg/index.ts';
export * from './ops/linalg/torch.ts';
export * as masked from './ops/masked.ts';
export {
  argwhere,
  maskedFill,
  maskedScatter,
  maskedSelect,
  nonzero,
  oneHot,
  where,
} from './ops/masking.ts';
export { matmul } from './ops/matmul.ts';
export {
  broadcastTo,
  expand,
  flatten,
  permute,
  reshape,
  squeeze,
  swapaxes,
  swapdims,
  transpose,
  unsqueeze,
} from './ops/movement.ts';
export { cdist, dist, frobeniusNorm, norm, normExceptDim, renorm } from './ops/norms.ts';
export { constantPadNd } from './ops/padding.ts';
export * from './ops/periodic-windows.ts';
export { nonzeroStatic, unravelIndex } from './ops/places.ts';
export * from './ops/pointwise.ts';
export * from './ops/products.ts';
export { nanquantile, quantile } from './ops/quantile.ts';
export { bernoulli, binomial, multinomial, normal, randperm } from './ops/random.ts';
export * from './ops/ranges.ts';
export {
  angle,
  conj,
  conjPhysical,
  isreal,
  real,
  resolveConj,
  resolveNeg,
} from './ops/real-parts.ts';
export {
  amax,
  amin,
  argmax,
  argmin,
  logsumexp,
  mean,
  prod,
  std,
  stdMean,
  sum,
  variance as var_,
  varMean,
} from './ops/reduction.ts';
export * from './ops/repetition.ts';
export { cummax, cummin, cumprod, cumsum, logcumsumexp } from './ops/scanning.ts';
export { bucketize, isin, searchsorted } from './ops/searching.ts';
export { type SegmentReduction, segmentReduce } from './ops/segments.ts';
export * as signal from './ops/signal.ts';
export { Slice, type SliceRange } from './ops/slice-range.ts';
export { flip, narrow, select, selectScatter, slice, sliceScatter } from './ops/slicing.ts';
export { logSoftmax, softmax } from './ops/softmax.ts';
export * from './ops/sorting.ts';
export * as special from './ops/special.ts';
export * from './ops/splitting.ts';
export { index, indexPut, type Subscript } from './ops/subscript.ts';
export type { TensorOptions } from './ops/tensor-options.ts';
export {
  acos,
  acosh,
  asin,
  asinh,
  atan,
  atanh,
  cosh,
  digamma,
  erfc,
  erfinv,
  exp2,
  lgamma,
  log2,
  log10,
  mvlgamma,
  polygamma,
  sinh,
  tan,
} from './ops/transcendental.ts';
export { cartesianProd, combinations, meshgrid, unfold } from './ops/unfolding.ts';
export { bincount, unique, uniqueConsecutive } from './ops/unique.ts';
export { cross } from './ops/vectors.ts';
export * as amp from './optim/amp.ts';
export * as optim from './optim/index.ts';
