/** Convolution layers. */

import { z } from 'zod';
import { ArgumentError, opError } from '../base/errors.ts';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { type Conv2dOptions, conv2d } from '../ops/convolution.ts';
import { zeros } from '../ops/creation.ts';
import { pair } from '../ops/window.ts';
import { resetLinearLike } from './init.ts';
import { Module, Parameter } from './module.ts';
import { inferredSize, modules, schemas } from './registry.ts';

const options = strict({
  /** May be left out where the input is known. */
  in_channels: schemas.size.optional(),
  out_channels: schemas.size,
  kernel_size: schemas.pair,
  stride: schemas.pair.default(1),
  padding: z.union([schemas.pairOrZero, z.enum(['valid', 'same'])]).default(0),
  dilation: schemas.pair.default(1),
  groups: schemas.size.default(1),
  bias: z.boolean().default(true),
});

type Conv2dModuleOptions = z.input<typeof options> & { in_channels: number };

/**
 * (N, in_channels, H, W) -> (N, out_channels, H', W').
 * https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
 */
export class Conv2d extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | null;
  readonly #window: Conv2dOptions;

  constructor(given: Conv2dModuleOptions) {
    super();
    const { in_channels, out_channels, kernel_size, bias = true, ...window } = given;
    const groups = window.groups ?? 1;
    if (in_channels % groups !== 0 || out_channels % groups !== 0) {
      throw opError(
        ArgumentError,
        'Conv2d',
        `in_channels ${in_channels} and out_channels ${out_channels} must be divisible by groups ${groups}`,
      );
    }
    const kernel = pair('Conv2d', 'kernel_size', kernel_size, 1);
    this.weight = new Parameter(zeros([out_channels, in_channels / groups, ...kernel]));
    this.bias = bias ? new Parameter(zeros([out_channels])) : null;
    this.#window = window;
    this.resetParameters();
  }

  /** Draws new initial values. */
  resetParameters(): void {
    resetLinearLike(this.weight, this.bias);
  }

  forward(input: Tensor): Tensor {
    return conv2d(input, this.weight, this.bias, this.#window);
  }

  protected override describe(): string {
    const [out_channels, perGroup, ...kernel] = this.weight.shape;
    const { groups = 1, stride = 1, padding = 0 } = this.#window;
    return (
      `${perGroup! * groups}, ${out_channels}, kernel_size=(${kernel.join(', ')}), ` +
      `stride=${stride}, padding=${padding}, bias=${this.bias !== null}`
    );
  }
}

modules.register('Conv2d', {
  schema: options,
  create: (given: z.output<typeof options>, { input }) =>
    new Conv2d({
      ...given,
      in_channels: inferredSize('Conv2d', 'in_channels', given.in_channels, input?.shape.at(-3)),
    }),
});
