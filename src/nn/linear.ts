/** Fully connected layers. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { linear } from '../ops/matmul.ts';
import { named } from '../ops/named.ts';
import { resetLinearLike } from './init.ts';
import { Module, Parameter } from './module.ts';
import { argumentsText } from './module-text.ts';
import { inferredSize, modules, schemas } from './registry.ts';

const options = strict({
  /** May be left out where the input is known. */
  in_features: schemas.size.optional(),
  out_features: schemas.size,
  bias: z.boolean().default(true),
});

/** In code a size may be 0, as in PyTorch; in a config that is a mistake. */
const size = z.int().min(0);
const codeOptions = options.extend({ in_features: size, out_features: size });

type LinearOptions = z.input<typeof codeOptions>;

/**
 * y = x Wᵀ + b: (..., in_features) -> (..., out_features).
 * https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
 */
export class Linear extends Module {
  readonly in_features: number;
  readonly out_features: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(given: LinearOptions) {
    super();
    const { in_features, out_features, bias } = parseOptions('Linear', codeOptions, given);
    this.in_features = in_features;
    this.out_features = out_features;
    this.weight = new Parameter(zeros([out_features, in_features]));
    this.bias = bias ? new Parameter(zeros([out_features])) : null;
    this.resetParameters();
  }

  /** Draws new initial values. */
  resetParameters(): void {
    resetLinearLike(this.weight, this.bias);
  }

  readonly #apply = named('Linear', ['input'], (input: Tensor) =>
    linear(input, this.weight, this.bias),
  );

  forward(input: Tensor): Tensor {
    return this.#apply(input);
  }

  override extraRepr(): string {
    const { in_features, out_features } = this;
    return argumentsText({ in_features, out_features, bias: this.bias !== null });
  }
}

modules.register('Linear', {
  schema: options,
  create: (given: z.output<typeof options>, { input }) =>
    new Linear({
      ...given,
      in_features: inferredSize('Linear', 'in_features', given.in_features, input?.shape.at(-1)),
    }),
});
