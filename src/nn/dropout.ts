/** Dropout layers. `inplace` is taken as in PyTorch and changes nothing. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
} from './functional/dropout.ts';
import { registerLayers } from './layer-of.ts';
import { Module } from './module.ts';
import { argumentsText } from './module-text.ts';
import { modules, schemas } from './registry.ts';

const options = strict({
  p: schemas.probability.default(0.5),
  inplace: z.boolean().default(false),
});

abstract class DropoutLayer extends Module {
  static readonly schema = options;
  readonly p: number;
  readonly inplace: boolean;

  constructor(given: z.input<typeof options> = {}) {
    super();
    const { p, inplace } = parseOptions(new.target.name, options, given);
    this.p = p;
    this.inplace = inplace;
  }

  override extraRepr(): string {
    return argumentsText({ p: this.p, inplace: this.inplace });
  }
}

/**
 * Zeros elements with probability `p` in training and scales the others by 1 / (1 - p).
 * https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html
 */
export class Dropout extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return dropout(input, this.p, this.training);
  }
}

/**
 * Whole channels of (N, C, L). https://pytorch.org/docs/stable/generated/torch.nn.Dropout1d.html
 */
export class Dropout1d extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return dropout1d(input, this.p, this.training);
  }
}

/** Of (N, C, H, W). https://pytorch.org/docs/stable/generated/torch.nn.Dropout2d.html */
export class Dropout2d extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return dropout2d(input, this.p, this.training);
  }
}

/** Of (N, C, D, H, W). https://pytorch.org/docs/stable/generated/torch.nn.Dropout3d.html */
export class Dropout3d extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return dropout3d(input, this.p, this.training);
  }
}

/** For SELU. https://pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html */
export class AlphaDropout extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return alphaDropout(input, this.p, this.training);
  }
}

/** https://pytorch.org/docs/stable/generated/torch.nn.FeatureAlphaDropout.html */
export class FeatureAlphaDropout extends DropoutLayer {
  forward(input: Tensor): Tensor {
    return featureAlphaDropout(input, this.p, this.training);
  }
}

registerLayers(modules, {
  ...{ AlphaDropout, Dropout, Dropout1d, Dropout2d, Dropout3d, FeatureAlphaDropout },
});
