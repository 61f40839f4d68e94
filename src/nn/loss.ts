/** Losses as modules. */

import { z } from 'zod';
import { strict } from '../base/registry.ts';
import { Tensor } from '../core/tensor.ts';
import { tensor } from '../ops/creation.ts';
import { crossEntropy, l1Loss, mseLoss, nllLoss } from './functional/losses.ts';
import { Buffer, Module } from './module.ts';
import { losses } from './registry.ts';

const reduction = z.enum(['mean', 'sum', 'none']).default('mean');
const nllOptions = strict({
  /** One weight per class. */
  weight: z.array(z.number()).nullable().default(null),
  ignore_index: z.int().default(-100),
  reduction,
});
const crossEntropyOptions = strict({
  ...nllOptions.shape,
  label_smoothing: z.number().min(0).max(1).default(0),
});
const plainOptions = strict({ reduction });

/** Class weights may also be given as a tensor, as in PyTorch. */
type Weighted<T> = Omit<T, 'weight'> & { weight?: readonly number[] | Tensor | null };

function weightBuffer(weight: readonly number[] | Tensor | null | undefined): Buffer | null {
  if (weight == null) return null;
  return new Buffer(weight instanceof Tensor ? weight : tensor(weight));
}

/**
 * Cross entropy between logits (N, C, ...) and int64 class indices (N, ...).
 * https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends Module {
  readonly weight: Buffer | null;
  readonly #options: z.input<typeof crossEntropyOptions>;

  constructor({ weight, ...rest }: Weighted<z.input<typeof crossEntropyOptions>> = {}) {
    super();
    this.weight = weightBuffer(weight);
    this.#options = rest;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return crossEntropy(input, target, { ...this.#options, weight: this.weight });
  }
}

/**
 * Negative log likelihood of log-probabilities (N, C, ...) at int64 class indices (N, ...).
 * https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss extends Module {
  readonly weight: Buffer | null;
  readonly #options: z.input<typeof nllOptions>;

  constructor({ weight, ...rest }: Weighted<z.input<typeof nllOptions>> = {}) {
    super();
    this.weight = weightBuffer(weight);
    this.#options = rest;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return nllLoss(input, target, { ...this.#options, weight: this.weight });
  }
}

/** https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html */
export class MSELoss extends Module {
  readonly #options: z.input<typeof plainOptions>;

  constructor(options: z.input<typeof plainOptions> = {}) {
    super();
    this.#options = options;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return mseLoss(input, target, this.#options);
  }
}

/** https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html */
export class L1Loss extends Module {
  readonly #options: z.input<typeof plainOptions>;

  constructor(options: z.input<typeof plainOptions> = {}) {
    super();
    this.#options = options;
  }

  forward(input: Tensor, target: Tensor): Tensor {
    return l1Loss(input, target, this.#options);
  }
}

losses.register('CrossEntropyLoss', {
  schema: crossEntropyOptions,
  create: (given) => new CrossEntropyLoss(given),
});
losses.register('NLLLoss', { schema: nllOptions, create: (given) => new NLLLoss(given) });
losses.register('MSELoss', { schema: plainOptions, create: (given) => new MSELoss(given) });
losses.register('L1Loss', { schema: plainOptions, create: (given) => new L1Loss(given) });
