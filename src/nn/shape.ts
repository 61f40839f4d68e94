/** Layers that change a shape or pass the input on. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { flatten, permute } from '../ops/movement.ts';
import { Module } from './module.ts';
import { modules } from './registry.ts';

const flattenOptions = strict({ start_dim: z.int().default(1), end_dim: z.int().default(-1) });

/**
 * Joins the dimensions from `start_dim` to `end_dim`: by default all but the batch.
 * https://pytorch.org/docs/stable/generated/torch.nn.Flatten.html
 */
export class Flatten extends Module {
  readonly start_dim: number;
  readonly end_dim: number;

  constructor(given: z.input<typeof flattenOptions> = {}) {
    super();
    const { start_dim, end_dim } = parseOptions('Flatten', flattenOptions, given);
    this.start_dim = start_dim;
    this.end_dim = end_dim;
  }

  forward(input: Tensor): Tensor {
    return flatten(input, this.start_dim, this.end_dim);
  }

  override extraRepr(): string {
    return `start_dim=${this.start_dim}, end_dim=${this.end_dim}`;
  }
}

/** Gives back its input. https://pytorch.org/docs/stable/generated/torch.nn.Identity.html */
export class Identity extends Module {
  forward(input: Tensor): Tensor {
    return input;
  }
}

const permuteOptions = strict({ dims: z.array(z.int()).min(1) });

/**
 * The dimensions in the order `dims`.
 * https://pytorch.org/vision/stable/generated/torchvision.ops.Permute.html
 */
export class Permute extends Module {
  readonly dims: readonly number[];

  constructor(given: z.input<typeof permuteOptions>) {
    super();
    this.dims = parseOptions('Permute', permuteOptions, given).dims;
  }

  forward(input: Tensor): Tensor {
    return permute(input, this.dims);
  }

  override extraRepr(): string {
    return `dims=[${this.dims.join(', ')}]`;
  }
}

modules.register('Flatten', {
  schema: flattenOptions,
  create: (given: z.output<typeof flattenOptions>) => new Flatten(given),
});
modules.register('Permute', {
  schema: permuteOptions,
  page: 'https://pytorch.org/vision/stable/generated/torchvision.ops.Permute.html',
  create: (given) => new Permute(given),
});
modules.register('Identity', { schema: strict({}), create: () => new Identity() });
