/** Layers with arguments and the shapes of samples, for `layers.test.ts`. */

import type { DType } from '../../src/base/dtype.ts';

interface LayerCase {
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly shape: readonly number[];
  readonly dtype?: DType;
}

const conv = { in_channels: 4, out_channels: 6, kernel_size: 3 };
const recurrent = { input_size: 5, hidden_size: 4 };
const LINE = [4, 11];
const IMAGE = [4, 9, 11];
const VOLUME = [4, 5, 7, 6];

const on = (shape: readonly number[], ...specs: readonly Readonly<Record<string, unknown>>[]) =>
  specs.map((spec): LayerCase => ({ spec, shape }));

const pooled = (shape: readonly number[]) =>
  on(
    shape,
    { kernel_size: 2 },
    { kernel_size: 3, stride: 2, padding: 1 },
    { kernel_size: 3, stride: 2, padding: 1, ceil_mode: true },
    { kernel_size: 2, stride: 3, ceil_mode: true },
  );
const averaged = (shape: readonly number[]) => [
  ...pooled(shape),
  ...on(
    shape,
    { kernel_size: 3, stride: 2, padding: 1, count_include_pad: false },
    { kernel_size: 3, stride: 2, padding: 1, ceil_mode: true, count_include_pad: false },
  ),
];

export const LAYERS: Readonly<Record<string, readonly LayerCase[]>> = {
  Linear: [
    ...on(
      [3],
      { in_features: 3, out_features: 5 },
      { in_features: 3, out_features: 5, bias: false },
    ),
    ...on([2, 3], { in_features: 3, out_features: 5 }),
  ],
  Conv1d: on(
    LINE,
    conv,
    { ...conv, stride: 2, padding: 1, dilation: 2, groups: 2, bias: false },
    { ...conv, padding: 2, padding_mode: 'circular' },
  ),
  Conv2d: on(
    IMAGE,
    conv,
    { ...conv, bias: false },
    { ...conv, stride: 2, padding: 1, groups: 2 },
    { ...conv, kernel_size: [3, 2], stride: [1, 2], padding: [0, 1], dilation: [2, 1] },
    { ...conv, padding: 'same', kernel_size: 4 },
    { ...conv, padding: 2, padding_mode: 'reflect' },
    { ...conv, padding: 2, padding_mode: 'replicate' },
    { ...conv, padding: 2, padding_mode: 'circular' },
    { ...conv, out_channels: 4, groups: 4 },
  ),
  Conv3d: on(VOLUME, conv, { ...conv, stride: 2, padding: 1, groups: 2 }),
  ConvTranspose1d: on(LINE, conv, { ...conv, stride: 2, padding: 1, output_padding: 1 }),
  ConvTranspose2d: on(
    IMAGE,
    conv,
    { ...conv, stride: 2, padding: 1, output_padding: 1 },
    { ...conv, stride: 2, groups: 2, bias: false },
    { ...conv, dilation: 2, padding: 2 },
  ),
  ConvTranspose3d: on(VOLUME, { ...conv, stride: 2, padding: 1, output_padding: 1 }),
  MaxPool1d: pooled(LINE),
  MaxPool2d: [...pooled(IMAGE), ...on(IMAGE, { kernel_size: 3, dilation: 2, stride: 1 })],
  MaxPool3d: pooled(VOLUME),
  AvgPool1d: averaged(LINE),
  AvgPool2d: [...averaged(IMAGE), ...on(IMAGE, { kernel_size: [3, 2], divisor_override: 5 })],
  AvgPool3d: averaged(VOLUME),
  AdaptiveAvgPool1d: on(LINE, { output_size: 1 }, { output_size: 4 }),
  AdaptiveAvgPool2d: [
    ...on(IMAGE, { output_size: 1 }, { output_size: [3, 4] }, { output_size: 20 }),
    ...on([4, 1, 1], { output_size: 3 }),
  ],
  AdaptiveAvgPool3d: on(VOLUME, { output_size: 1 }, { output_size: 2 }),
  AdaptiveMaxPool1d: on(LINE, { output_size: 4 }),
  AdaptiveMaxPool2d: on(IMAGE, { output_size: [3, 4] }),
  AdaptiveMaxPool3d: on(VOLUME, { output_size: 2 }),
  LPPool1d: on(LINE, { norm_type: 2, kernel_size: 3 }),
  LPPool2d: on(IMAGE, { norm_type: 2, kernel_size: 3, stride: 2 }),
  BatchNorm1d: [
    ...on(LINE, { num_features: 4 }),
    ...on([4], { num_features: 4, affine: false }),
    ...on(LINE, { num_features: 4, track_running_stats: false }),
  ],
  BatchNorm2d: on(IMAGE, { num_features: 4 }, { num_features: 4, affine: false }),
  BatchNorm3d: on(VOLUME, { num_features: 4 }),
  InstanceNorm1d: on(LINE, { num_features: 4 }),
  InstanceNorm2d: on(
    IMAGE,
    { num_features: 4, affine: true },
    { num_features: 4, track_running_stats: true },
  ),
  InstanceNorm3d: on(VOLUME, { num_features: 4 }),
  GroupNorm: on(IMAGE, { num_groups: 2, num_channels: 4 }),
  LayerNorm: [
    ...on(LINE, { normalized_shape: 11 }, { normalized_shape: [4, 11], bias: false }),
    ...on(LINE, { normalized_shape: 11, elementwise_affine: false }),
  ],
  RMSNorm: on(LINE, { normalized_shape: 11 }),
  LocalResponseNorm: on(IMAGE, { size: 3 }),
  ReLU: on(LINE, {}),
  ReLU6: on(LINE, {}),
  LeakyReLU: on(LINE, {}),
  PReLU: on(LINE, { num_parameters: 4 }),
  RReLU: on(LINE, {}),
  ELU: on(LINE, {}),
  CELU: on(LINE, {}),
  SELU: on(LINE, {}),
  GELU: on(LINE, {}, { approximate: 'tanh' }),
  GLU: on(IMAGE, { dim: 1 }),
  SiLU: on(LINE, {}),
  Mish: on(LINE, {}),
  Softplus: on(LINE, {}, { beta: 3 }),
  Softsign: on(LINE, {}),
  Softshrink: on(LINE, {}),
  Hardshrink: on(LINE, {}),
  Hardtanh: on(LINE, {}),
  Hardsigmoid: on(LINE, {}),
  Hardswish: on(LINE, {}),
  Tanh: on(LINE, {}),
  Tanhshrink: on(LINE, {}),
  Sigmoid: on(LINE, {}),
  LogSigmoid: on(LINE, {}),
  Threshold: on(LINE, { threshold: 0.1, value: 20 }),
  Softmax: on(LINE, { dim: 1 }, { dim: -1 }),
  Softmin: on(LINE, { dim: 1 }),
  LogSoftmax: on(LINE, { dim: 1 }),
  Softmax2d: on(IMAGE, {}),
  Dropout: on(LINE, {}),
  Dropout2d: on(IMAGE, {}),
  AlphaDropout: on(LINE, {}),
  Identity: on(LINE, {}),
  Flatten: on(IMAGE, {}, { start_dim: 2 }, { start_dim: 0, end_dim: 1 }),
  Unflatten: on(LINE, { dim: 1, unflattened_size: [2, 2] }),
  Upsample: [
    ...on(LINE, { scale_factor: 2 }, { size: 7, mode: 'linear' }),
    ...on(
      IMAGE,
      { scale_factor: 2 },
      { scale_factor: 1.5, mode: 'nearest-exact' },
      { scale_factor: 2, mode: 'bilinear' },
      { size: [5, 20], mode: 'bilinear', align_corners: true },
      { scale_factor: 2, mode: 'bicubic' },
      { size: [3, 4], mode: 'area' },
    ),
    ...on(VOLUME, { scale_factor: 2, mode: 'trilinear' }),
  ],
  PixelShuffle: on(IMAGE, { upscale_factor: 2 }),
  PixelUnshuffle: on([4, 6, 8], { downscale_factor: 2 }),
  ChannelShuffle: on(IMAGE, { groups: 2 }),
  Unfold: on(IMAGE, { kernel_size: [2, 3], stride: 2, padding: 1 }),
  Fold: on([16, 12], { output_size: [4, 5], kernel_size: 2 }),
  ZeroPad2d: on(IMAGE, { padding: [1, 2, 0, 1] }),
  ConstantPad1d: on(LINE, { padding: [1, 2], value: 0.5 }),
  ConstantPad2d: on(IMAGE, { padding: [-1, 2, 0, 1], value: 3 }),
  ReflectionPad1d: on(LINE, { padding: [1, 2] }),
  ReflectionPad2d: on(IMAGE, { padding: [1, 2, 0, 1] }),
  ReplicationPad2d: on(IMAGE, { padding: [1, 2, 0, 1] }),
  CircularPad2d: on(IMAGE, { padding: [1, 2, 0, 1] }),
  Embedding: [
    { spec: { num_embeddings: 7, embedding_dim: 3, padding_idx: 1 }, shape: [6], dtype: 'int64' },
  ],
  EmbeddingBag: [{ spec: { num_embeddings: 7, embedding_dim: 3 }, shape: [6], dtype: 'int64' }],
  LSTM: on(
    [6, 5],
    { ...recurrent, batch_first: true },
    { ...recurrent, batch_first: true, num_layers: 2, bidirectional: true },
    { ...recurrent, batch_first: true, bias: false },
    { ...recurrent, batch_first: true, proj_size: 2 },
    // The first dimension is time, of which there may then be more.
  ),
  GRU: on(
    [6, 5],
    { ...recurrent, batch_first: true },
    { ...recurrent, batch_first: true, num_layers: 2, bidirectional: true },
  ),
  RNN: on(
    [6, 5],
    { ...recurrent, batch_first: true, num_layers: 2 },
    { ...recurrent, batch_first: true, nonlinearity: 'relu', bidirectional: true, bias: false },
  ),
  TransformerEncoderLayer: on(
    [5, 8],
    { d_model: 8, nhead: 2, dim_feedforward: 12, batch_first: true },
    {
      d_model: 8,
      nhead: 2,
      dim_feedforward: 12,
      batch_first: true,
      norm_first: true,
      activation: 'gelu',
    },
  ),
};
