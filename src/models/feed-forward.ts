/** The feed-forward part of a transformer's block, as torchvision's ViT and Swin have it. */

import { GELU } from '../nn/activation.ts';
import { Sequential } from '../nn/container.ts';
import { Dropout } from '../nn/dropout.ts';
import { normal_, xavierUniform_ } from '../nn/init.ts';
import { Linear } from '../nn/linear.ts';

/**
 * (..., width) -> the same, through `hidden` features.
 * https://pytorch.org/vision/stable/generated/torchvision.ops.MLP.html
 *
 * @param p the chance that a feature is dropped, behind each linear layer.
 */
export function feedForward(width: number, hidden: number, p: number): Sequential {
  return new Sequential([
    linear(width, hidden),
    new GELU(),
    new Dropout({ p }),
    linear(hidden, width),
    new Dropout({ p }),
  ]);
}

function linear(in_features: number, out_features: number): Linear {
  const layer = new Linear({ in_features, out_features });
  xavierUniform_(layer.weight);
  normal_(layer.bias!, { std: 1e-6 });
  return layer;
}
