/**
 * First and second derivatives of what `nn` computes, against finite differences: every function of
 * `nn.functional` stands in one of the tables, and modules that do more than call one of them.
 */

import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import type { Tensor } from '../../src/index.ts';
import {
  func,
  gradcheck,
  gradgradcheck,
  manualSeed,
  nn,
  setEngine,
  tensor,
} from '../../src/index.ts';

setEngine(referenceEngine());
const F = nn.functional;

type Shape = readonly number[];
/** The function, and its inputs: shapes of numbers around zero, or tensors. */
type Case = readonly [fn: (...inputs: Tensor[]) => Tensor | readonly Tensor[], ...Input[]];
type Input = Shape | (() => Tensor);

function leaf(shape: Shape, value: (i: number) => number): Tensor {
  const length = shape.reduce((a, b) => a * b, 1);
  const data = Float64Array.from({ length }, (_, i) => value(i));
  return tensor(data, { shape, requires_grad: true });
}

/** Distinct numbers in (-1.3, 1.3), none of them near a kink of the functions below. */
const around0 = (shape: Shape, first = 0) =>
  leaf(shape, (i) => 1.25 * Math.sin(2.3 * (i + first) + 0.9) + 0.013 * (i % 3));
/** Numbers in (0.1, 0.9). */
const fraction = (shape: Shape) => () => leaf(shape, (i) => 0.5 + 0.37 * Math.sin(1.7 * i + 0.4));
const fixed = (shape: Shape, value: (i: number) => number) => () => leaf(shape, value).detach();
const classes =
  (...values: number[]) =>
  () =>
    tensor(values.map(BigInt), { dtype: 'int64' });

function inputsOf(inputs: readonly Input[]): Tensor[] {
  return inputs.map((input, i) => (typeof input === 'function' ? input() : around0(input, 7 * i)));
}

/** A random function draws the same numbers at every call. */
const seeded =
  (fn: (x: Tensor) => Tensor) =>
  (x: Tensor): Tensor => {
    manualSeed(4);
    return fn(x);
  };

const label = fixed([4], (i) => (i % 2 === 0 ? 1 : -1));
const vectors = [2, 3] as const;
const plain = (fn: (x: Tensor) => Tensor, shape: Shape = [5]): Case => [fn, shape];

const ACTIVATIONS: Readonly<Record<string, Case>> = {
  celu: plain((x) => F.celu(x, 0.7)),
  clamp: plain((x) => F.clamp(x, -0.5, 0.5)),
  elu: plain((x) => F.elu(x, 1.3)),
  gelu: plain((x) => F.gelu(x)),
  glu: plain((x) => F.glu(x), [2, 4]),
  gumbelSoftmax: plain(seeded((x) => F.gumbelSoftmax(x, 0.8))),
  hardshrink: plain((x) => F.hardshrink(x)),
  hardsigmoid: plain((x) => F.hardsigmoid(x)),
  hardswish: plain((x) => F.hardswish(x)),
  hardtanh: plain((x) => F.hardtanh(x)),
  leakyRelu: plain((x) => F.leakyRelu(x, 0.2)),
  logSoftmax: plain((x) => F.logSoftmax(x, 1), [2, 3]),
  logsigmoid: plain((x) => F.logsigmoid(x)),
  mish: plain((x) => F.mish(x)),
  prelu: [(x, w) => F.prelu(x!, w!), [2, 2, 2], fraction([2])],
  relu: plain((x) => F.relu(x)),
  relu6: plain((x) => F.relu6(x)),
  rrelu: plain(seeded((x) => F.rrelu(x, 0.1, 0.4, true))),
  selu: plain((x) => F.selu(x)),
  sigmoid: plain((x) => F.sigmoid(x)),
  silu: plain((x) => F.silu(x)),
  softmax: plain((x) => F.softmax(x, 0), [3, 2]),
  softmin: plain((x) => F.softmin(x, 0), [3]),
  softplus: plain((x) => F.softplus(x, 1.5)),
  softshrink: plain((x) => F.softshrink(x, 0.3)),
  softsign: plain((x) => F.softsign(x)),
  tanh: plain((x) => F.tanh(x)),
  tanhshrink: plain((x) => F.tanhshrink(x)),
  threshold: plain((x) => F.threshold(x, 0.1, 2)),
};

const LOSSES: Readonly<Record<string, Case>> = {
  binaryCrossEntropy: [(x, y) => F.binaryCrossEntropy(x!, y!), fraction([3]), fraction([3])],
  binaryCrossEntropyWithLogits: [
    (x, y) => F.binaryCrossEntropyWithLogits(x!, y!),
    [3],
    fraction([3]),
  ],
  cosineEmbeddingLoss: [
    (a, b, y) => F.cosineEmbeddingLoss(a!, b!, y!, { margin: -0.9 }),
    [2, 3],
    [2, 3],
    fixed([2], (i) => 1 - 2 * i),
  ],
  crossEntropy: [
    (x, y) => F.crossEntropy(x!, y!, { label_smoothing: 0.1 }),
    [3, 4],
    classes(1, 3, 0),
  ],
  ctcLoss: [(x, y) => F.ctcLoss(F.logSoftmax(x!, 2), y!, [3], [2]), [3, 1, 3], classes(1, 2)],
  gaussianNllLoss: [(x, y, v) => F.gaussianNllLoss(x!, y!, v!), [3], [3], fraction([3])],
  hingeEmbeddingLoss: [(x, y) => F.hingeEmbeddingLoss(x!, y!, { margin: 2 }), [4], label],
  huberLoss: [(x, y) => F.huberLoss(x!, y!, { delta: 0.6 }), [4], [4]],
  klDiv: [(x, y) => F.klDiv(x!, y!, { reduction: 'sum' }), [3], fraction([3])],
  l1Loss: [(x, y) => F.l1Loss(x!, y!), [3], [3]],
  linearCrossEntropy: [
    (x, w, y) => F.linearCrossEntropy(x!, w!, y!),
    [2, 2],
    [3, 2],
    classes(2, 0),
  ],
  marginRankingLoss: [
    (a, b, y) => F.marginRankingLoss(a!, b!, y!, { margin: 0.4 }),
    [4],
    [4],
    label,
  ],
  mseLoss: [(x, y) => F.mseLoss(x!, y!), [3], [3]],
  multiMarginLoss: [(x, y) => F.multiMarginLoss(x!, y!, { p: 2 }), [2, 3], classes(2, 0)],
  multilabelMarginLoss: [(x, y) => F.multilabelMarginLoss(x!, y!), [3], classes(1, -1, 0)],
  multilabelSoftMarginLoss: [
    (x, y) => F.multilabelSoftMarginLoss(x!, y!),
    vectors,
    fraction(vectors),
  ],
  nllLoss: [(x, y) => F.nllLoss(x!, y!), [2, 3], classes(2, 1)],
  poissonNllLoss: [
    (x, y) => F.poissonNllLoss(x!, y!, { full: true }),
    [3],
    fixed([3], (i) => i + 2),
  ],
  smoothL1Loss: [(x, y) => F.smoothL1Loss(x!, y!, { beta: 0.6 }), [4], [4]],
  softMarginLoss: [(x, y) => F.softMarginLoss(x!, y!), [4], label],
  tripletMarginLoss: [(a, p, n) => F.tripletMarginLoss(a!, p!, n!), vectors, vectors, vectors],
  tripletMarginWithDistanceLoss: [
    (a, p, n) => F.tripletMarginWithDistanceLoss(a!, p!, n!, { swap: true, margin: 2 }),
    ...[vectors, vectors, vectors],
  ],
};

const grid = () => leaf([1, 2, 2, 2], (i) => 0.7 * Math.sin(1.9 * i + 0.3));

const IMAGES: Readonly<Record<string, Case>> = {
  adaptiveAvgPool1d: plain((x) => F.adaptiveAvgPool1d(x, 2), [1, 1, 5]),
  adaptiveAvgPool2d: plain((x) => F.adaptiveAvgPool2d(x, [2, 1]), [1, 1, 3, 3]),
  adaptiveAvgPool3d: plain((x) => F.adaptiveAvgPool3d(x, [1, 2, 2]), [1, 1, 2, 3, 2]),
  adaptiveMaxPool1d: plain((x) => F.adaptiveMaxPool1d(x, 2) as Tensor, [1, 1, 5]),
  adaptiveMaxPool2d: plain((x) => F.adaptiveMaxPool2d(x, [2, 1]) as Tensor, [1, 1, 3, 3]),
  adaptiveMaxPool3d: plain((x) => F.adaptiveMaxPool3d(x, [1, 2, 2]) as Tensor, [1, 1, 2, 3, 2]),
  affineGrid: plain((x) => F.affineGrid(x, [1, 1, 2, 2]), [1, 2, 3]),
  avgPool1d: plain((x) => F.avgPool1d(x, 2, 1, 1), [1, 1, 4]),
  avgPool2d: plain((x) => F.avgPool2d(x, 2, { ceil_mode: true }), [1, 1, 3, 3]),
  avgPool3d: plain((x) => F.avgPool3d(x, 2, 1, 1, { count_include_pad: false }), [1, 1, 2, 1, 2]),
  channelShuffle: plain((x) => F.channelShuffle(x, 2), [1, 4, 1, 2]),
  conv1d: [(x, w, b) => F.conv1d(x!, w!, b!, 2, 1), [1, 2, 4], [2, 2, 3], [2]],
  conv2d: [(x, w, b) => F.conv2d(x!, w!, b!, { groups: 2 }), [1, 2, 3, 3], [2, 1, 2, 2], [2]],
  conv3d: [(x, w) => F.conv3d(x!, w!), [1, 1, 2, 2, 3], [1, 1, 1, 2, 2]],
  convTbc: [(x, w, b) => F.convTbc(x!, w!, b!), [3, 1, 2], [2, 2, 1], [1]],
  convTranspose1d: [(x, w) => F.convTranspose1d(x!, w!, { stride: 2 }), [1, 2, 3], [2, 1, 2]],
  convTranspose2d: [(x, w) => F.convTranspose2d(x!, w!), [1, 1, 2, 2], [1, 2, 2, 2]],
  convTranspose3d: [(x, w) => F.convTranspose3d(x!, w!), [1, 1, 1, 2, 2], [1, 1, 1, 2, 2]],
  fold: plain((x) => F.fold(x, [3, 2], [2, 2]), [1, 4, 2]),
  fractionalMaxPool2d: plain(
    seeded((x) => F.fractionalMaxPool2d(x, 2, { output_size: 2 }) as Tensor),
    [1, 1, 4, 3],
  ),
  fractionalMaxPool3d: plain(
    seeded((x) => F.fractionalMaxPool3d(x, [1, 2, 2], { output_size: [1, 1, 2] }) as Tensor),
    [1, 1, 2, 2, 4],
  ),
  gridSample: [
    (x, g) => F.gridSample(x!, g!, { mode: 'bilinear', align_corners: false }),
    [1, 1, 3, 3],
    grid,
  ],
  interpolate: plain(
    (x) => F.interpolate(x, { size: [3, 4], mode: 'bicubic', align_corners: true }),
    [1, 1, 2, 3],
  ),
  lpPool1d: plain((x) => F.lpPool1d(x.square().add(0.1), 3, 2), [1, 1, 4]),
  lpPool2d: plain((x) => F.lpPool2d(x, 2, 2, 1), [1, 1, 2, 3]),
  lpPool3d: plain((x) => F.lpPool3d(x, 2, [1, 2, 2]), [1, 1, 2, 2, 2]),
  maxPool1d: plain((x) => F.maxPool1d(x, 2, 1) as Tensor, [1, 1, 4]),
  maxPool2d: plain((x) => F.maxPool2d(x, 2, 1, 1) as Tensor, [1, 1, 3, 2]),
  maxPool3d: plain((x) => F.maxPool3d(x, 2, 1) as Tensor, [1, 1, 2, 2, 3]),
  maxUnpool1d: [(x, i) => F.maxUnpool1d(x!, i!, 2), [1, 1, 2], () => indices([1, 1, 2], [1, 2])],
  maxUnpool2d: [
    (x, i) => F.maxUnpool2d(x!, i!, 2),
    [1, 1, 1, 2],
    () => indices([1, 1, 1, 2], [1, 6]),
  ],
  maxUnpool3d: [
    (x, i) => F.maxUnpool3d(x!, i!, [1, 2, 2]),
    [1, 1, 1, 1, 2],
    () => indices([1, 1, 1, 1, 2], [1, 6]),
  ],
  nativeChannelShuffle: plain((x) => F.nativeChannelShuffle(x, 2), [1, 4, 2]),
  pad: plain((x) => F.pad(x, [1, 2], 'reflect'), [1, 2, 3]),
  pixelShuffle: plain((x) => F.pixelShuffle(x, 2), [1, 4, 1, 2]),
  pixelUnshuffle: plain((x) => F.pixelUnshuffle(x, 2), [1, 1, 2, 2]),
  unfold: plain((x) => F.unfold(x, 2), [1, 1, 2, 3]),
  upsample: plain((x) => F.upsample(x, { scale_factor: 2, mode: 'linear' }), [1, 1, 3]),
  upsampleBilinear: plain((x) => F.upsampleBilinear(x, [3, 3]), [1, 1, 2, 2]),
  upsampleNearest: plain((x) => F.upsampleNearest(x, [3, 4]), [1, 1, 2, 2]),
};

const indices = (shape: Shape, values: number[]) =>
  tensor(values.map(BigInt), { dtype: 'int64', shape });

const projection = {
  ...{ embed_dim_to_check: 2, num_heads: 1, bias_k: null, bias_v: null, add_zero_attn: false },
  ...{ dropout_p: 0, in_proj_bias: null, out_proj_bias: null, training: false },
};

const OTHERS: Readonly<Record<string, Case>> = {
  alphaDropout: plain(seeded((x) => F.alphaDropout(x, 0.4, true))),
  batchNorm: [
    (x, w, b) => F.batchNorm(x!, null, null, { weight: w!, bias: b!, training: true }),
    [3, 2],
    [2],
    [2],
  ],
  bilinear: [(a, b, w, c) => F.bilinear(a!, b!, w!, c!), [1, 2], [1, 3], [2, 2, 3], [2]],
  cosineSimilarity: [(a, b) => F.cosineSimilarity(a!, b!), vectors, vectors],
  dropout: plain(seeded((x) => F.dropout(x, 0.4, true))),
  dropout1d: plain(
    seeded((x) => F.dropout1d(x, 0.4, true)),
    [1, 3, 2],
  ),
  dropout2d: plain(
    seeded((x) => F.dropout2d(x, 0.4, true)),
    [1, 3, 1, 2],
  ),
  dropout3d: plain(
    seeded((x) => F.dropout3d(x, 0.4, true)),
    [1, 3, 1, 1, 2],
  ),
  embedding: [(w, i) => F.embedding(i!, w!), [3, 2], classes(2, 0, 2)],
  embeddingBag: [
    (w, i, s) =>
      F.embeddingBag(i!, w!, {
        offsets: indices([2], [0, 1]),
        mode: 'sum',
        per_sample_weights: s!,
      }),
    [3, 2],
    classes(2, 0, 2),
    [3],
  ],
  featureAlphaDropout: plain(
    seeded((x) => F.featureAlphaDropout(x, 0.4, true)),
    [1, 3, 2],
  ),
  groupNorm: [(x, w, b) => F.groupNorm(x!, 2, w!, b!), [1, 4, 2], [4], [4]],
  instanceNorm: [(x, w) => F.instanceNorm(x!, { weight: w! }), [1, 2, 3], [2]],
  layerNorm: [(x, w, b) => F.layerNorm(x!, [3], w!, b!), [2, 3], [3], [3]],
  linear: [(x, w, b) => F.linear(x!, w!, b!), [2, 3], [2, 3], [2]],
  localResponseNorm: plain((x) => F.localResponseNorm(x, 2, 0.5), [1, 3, 2]),
  multiHeadAttentionForward: [
    (q, k, w, o) => {
      const weights = { in_proj_weight: w!, out_proj_weight: o!, need_weights: false };
      const given = { query: q!, key: k!, value: k!, ...projection, ...weights };
      return F.multiHeadAttentionForward(given as never)[0];
    },
    [2, 1, 2],
    [2, 1, 2],
    [6, 2],
    [2, 2],
  ],
  normalize: plain((x) => F.normalize(x), [2, 3]),
  pairwiseDistance: [(a, b) => F.pairwiseDistance(a!, b!), vectors, vectors],
  pdist: plain((x) => F.pdist(x), [3, 2]),
  rmsNorm: [(x, w) => F.rmsNorm(x!, [3], w!), [2, 3], [3]],
  scaledDotProductAttention: [
    (q, k, v) => F.scaledDotProductAttention(q!, k!, v!),
    [1, 2, 2],
    [1, 3, 2],
    [1, 3, 2],
  ],
  stochasticDepth: plain(
    seeded((x) => F.stochasticDepth(x, 0.4, 'row', true)),
    [4, 2],
  ),
};

/** Has no gradient. */
const WITHOUT = ['oneHot'];

/** By the input and by all weights. */
const recurrent = (layer: nn.AnyModule): Case => {
  const weights = layer.namedParameters();
  return [
    (x, ...values) => {
      const state = new Map(weights.map(([name], i) => [name, values[i]!]));
      const [output, last] = func.functionalCall(layer, state, x!);
      return [output, ...(Array.isArray(last) ? last : [last])];
    },
    [2, 1, 2],
    ...weights.map(([, { shape }]) => shape),
  ];
};
const sizes = { input_size: 2, hidden_size: 1 };

const MODULES: Readonly<Record<string, () => Case>> = {
  RNN: () => recurrent(new nn.RNN(sizes).double()),
  GRU: () => recurrent(new nn.GRU({ ...sizes, bidirectional: true }).double()),
  LSTM: () => recurrent(new nn.LSTM(sizes).double()),
  'LSTM with a projection': () =>
    recurrent(new nn.LSTM({ ...sizes, hidden_size: 2, proj_size: 1 }).double()),
  LSTMCell: () => {
    const cell = new nn.LSTMCell(sizes).double();
    return [(x) => cell.call(x!), [1, 2]];
  },
  MultiheadAttention: () => {
    const layer = new nn.MultiheadAttention({ embed_dim: 2, num_heads: 1 }).double();
    return [(x) => layer.call(x!, x!, x!)[0], [2, 1, 2]];
  },
  AdaptiveLogSoftmaxWithLoss: () => {
    const layer = new nn.AdaptiveLogSoftmaxWithLoss({
      ...{ in_features: 2, n_classes: 4, cutoffs: [2] },
    }).double();
    return [(x) => layer.call(x!, tensor([3n, 1n], { dtype: 'int64' }))[0], [2, 2]];
  },
  'weight norm': () => {
    const layer = nn.utils.parametrizations.weightNorm(
      new nn.Linear({ in_features: 2, out_features: 2 }),
    );
    return [(x) => layer.call(x!), [2, 2]];
  },
};

function check([fn, ...inputs]: Case): void {
  gradcheck(fn, inputsOf(inputs));
  gradgradcheck(fn, inputsOf(inputs));
}

describe.each([
  ['activations', ACTIVATIONS],
  ['losses', LOSSES],
  ['images', IMAGES],
  ['others', OTHERS],
])('%s', (_, table) => {
  test.each(Object.entries(table))('%s', (_name, entry) => check(entry));
});

describe('modules', () => {
  test.each(Object.entries(MODULES))('%s', (_, make) => {
    manualSeed(2);
    check(make());
  });
});

test('every function is in a table', () => {
  const tables = { ...ACTIVATIONS, ...LOSSES, ...IMAGES, ...OTHERS };
  const listed = [...Object.keys(tables), ...WITHOUT];
  expect(listed.sort()).toEqual(Object.keys(F).sort());
});
