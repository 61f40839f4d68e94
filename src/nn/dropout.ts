/** Dropout layers. */

import type { z } from 'zod';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { dropout } from './functional/dropout.ts';
import { Module } from './module.ts';
import { modules, schemas } from './registry.ts';

const options = strict({ p: schemas.probability.default(0.5) });

/**
 * Zeros elements with probability `p` in training and scales the others by 1 / (1 - p).
 * https://pytorch.org/docs/stable/generated/torch.nn.Dropout.html
 */
export class Dropout extends Module {
  readonly p: number;

  constructor({ p = 0.5 }: z.input<typeof options> = {}) {
    super();
    this.p = p;
  }

  forward(input: Tensor): Tensor {
    return dropout(input, this.p, this.training);
  }

  protected override describe(): string {
    return `p=${this.p}`;
  }
}

modules.register('Dropout', {
  schema: options,
  create: (given: z.output<typeof options>) => new Dropout(given),
});
