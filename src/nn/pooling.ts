/** Pooling layers. */

import { z } from 'zod';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { adaptiveAvgPool2d, avgPool2d } from '../ops/avg-pooling.ts';
import { maxPool2d } from '../ops/pooling.ts';
import { Module } from './module.ts';
import { modules, schemas } from './registry.ts';

const maxOptions = strict({
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
  readonly #options: z.input<typeof maxOptions>;

  constructor(given: z.input<typeof maxOptions>) {
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
  schema: maxOptions,
  create: (given: z.output<typeof maxOptions>) => new MaxPool2d(given),
});

const avgOptions = strict({
  kernel_size: schemas.pair,
  /** Defaults to the kernel size. */
  stride: schemas.pair.nullable().default(null),
  padding: schemas.pairOrZero.default(0),
  ceil_mode: z.boolean().default(false),
  count_include_pad: z.boolean().default(true),
  divisor_override: schemas.size.nullable().default(null),
});

/**
 * (N, C, H, W) -> (N, C, H', W'): the mean of each window.
 * https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
 */
export class AvgPool2d extends Module {
  readonly #options: z.input<typeof avgOptions>;

  constructor(given: z.input<typeof avgOptions>) {
    super();
    this.#options = given;
  }

  forward(input: Tensor): Tensor {
    return avgPool2d(input, this.#options);
  }

  protected override describe(): string {
    const { kernel_size, stride } = this.#options;
    return `kernel_size=${kernel_size}, stride=${stride ?? kernel_size}`;
  }
}

const outputSize = schemas.size.nullable();
const adaptiveOptions = strict({
  /** One size or (height, width); null keeps the input's. */
  output_size: z.union([outputSize, z.tuple([outputSize, outputSize])]),
});

/**
 * (N, C, H, W) -> (N, C, *output_size): means over windows that cover the input.
 * https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
 */
export class AdaptiveAvgPool2d extends Module {
  readonly output_size: z.input<typeof adaptiveOptions>['output_size'];

  constructor({ output_size }: z.input<typeof adaptiveOptions>) {
    super();
    this.output_size = output_size;
  }

  forward(input: Tensor): Tensor {
    return adaptiveAvgPool2d(input, this.output_size);
  }

  protected override describe(): string {
    return `output_size=${JSON.stringify(this.output_size)}`;
  }
}

modules.register('AvgPool2d', {
  schema: avgOptions,
  create: (given: z.output<typeof avgOptions>) => new AvgPool2d(given),
});
modules.register('AdaptiveAvgPool2d', {
  schema: adaptiveOptions,
  create: (given: z.output<typeof adaptiveOptions>) => new AdaptiveAvgPool2d(given),
});
