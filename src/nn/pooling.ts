/** Pooling layers. */

import { z } from 'zod';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { maxPool2d } from '../ops/pooling.ts';
import { Module } from './module.ts';
import { modules, schemas } from './registry.ts';

const options = strict({
  kernel_size: schemas.pair,
  /** Defaults to the kernel size. */
  stride: schemas.pair.nullable().default(null),
  padding: schemas.pairOrZero.default(0),
  dilation: schemas.pair.default(1),
  ceil_mode: z.boolean().default(false),
});

/**
 * (N, C, H, W) -> (N, C, H', W'): the maximum of each window.
 * https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 */
export class MaxPool2d extends Module {
  readonly #options: z.input<typeof options>;

  constructor(given: z.input<typeof options>) {
    super();
    this.#options = given;
  }

  forward(input: Tensor): Tensor {
    return maxPool2d(input, this.#options);
  }

  protected override describe(): string {
    const { kernel_size, stride } = this.#options;
    return `kernel_size=${kernel_size}, stride=${stride ?? kernel_size}`;
  }
}

modules.register('MaxPool2d', {
  schema: options,
  create: (given: z.output<typeof options>) => new MaxPool2d(given),
});
