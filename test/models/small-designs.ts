/** The designs of `small_models` in test/fixtures/models/make.py. */

import { models, type nn } from '../../src/index.ts';

const num_classes = 10;

/** By name, the functions that make them and the sides of their images. */
export const SMALL: Readonly<Record<string, { make(): nn.Module; side: number }>> = {
  ConvNeXt: { make: smallConvNeXt, side: 36 },
  EfficientNet: { make: smallEfficientNet, side: 32 },
  MaxVit: { make: smallMaxVit, side: 32 },
  SwinTransformer: { make: () => smallSwin(1), side: 26 },
  SwinTransformerV2: { make: () => smallSwin(2), side: 26 },
  VisionTransformer: { make: smallVisionTransformer, side: 24 },
};

function smallConvNeXt() {
  const stages = [[8, 2] as const, [16, 2] as const];
  const design = { stages, stochastic_depth_prob: 0.5 };
  return new models.ConvNeXt(design, { layer_scale: 1, num_classes });
}

function smallEfficientNet() {
  const stage = (block: 'MBConv' | 'FusedMBConv', expand_ratio: number, stride: number) => ({
    ...{ block, expand_ratio, kernel: 3, stride, layers: 2 },
  });
  const stages = [
    { ...stage('FusedMBConv', 1, 1), inputs: 8, outputs: 8 },
    { ...stage('FusedMBConv', 4, 2), inputs: 8, outputs: 16 },
    { ...stage('MBConv', 4, 2), inputs: 16, outputs: 24 },
  ];
  return new models.EfficientNet({ stages, dropout: 0.2, last_channel: 64 }, { num_classes });
}

function smallMaxVit() {
  const sizes = { stem_channels: 8, block_channels: [8, 16], block_layers: [2, 1], head_dim: 4 };
  const design = { ...sizes, partition_size: 2, stochastic_depth_prob: 0.5 };
  return new models.MaxVit(design, { input_size: 32, num_classes });
}

function smallSwin(version: 1 | 2) {
  const sizes = { embed_dim: 8, depths: [2, 2], num_heads: [2, 4], stochastic_depth_prob: 0.5 };
  const design = { version, patch_size: 2, window_size: 4, ...sizes };
  return new models.SwinTransformer(design, { num_classes });
}

function smallVisionTransformer() {
  const design = { patch_size: 8, num_layers: 2, num_heads: 2, hidden_dim: 16, mlp_dim: 32 };
  const options = { image_size: 24, representation_size: 12, dropout: 0.1, num_classes };
  return new models.VisionTransformer(design, options);
}
