/** Activation layers. */

import { z } from 'zod';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { type GeluApproximation, gelu } from '../ops/gelu.ts';
import { relu, sigmoid, tanh } from '../ops/pointwise.ts';
import { logSoftmax, softmax } from '../ops/softmax.ts';
import { Module } from './module.ts';
import { modules } from './registry.ts';

/** max(x, 0). https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html */
export class ReLU extends Module {
  forward(input: Tensor): Tensor {
    return relu(input);
  }
}

/** 1 / (1 + exp(-x)). https://pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html */
export class Sigmoid extends Module {
  forward(input: Tensor): Tensor {
    return sigmoid(input);
  }
}

/** tanh(x). https://pytorch.org/docs/stable/generated/torch.nn.Tanh.html */
export class Tanh extends Module {
  forward(input: Tensor): Tensor {
    return tanh(input);
  }
}

const geluOptions = strict({ approximate: z.enum(['none', 'tanh']).default('none') });

/** x Phi(x). https://pytorch.org/docs/stable/generated/torch.nn.GELU.html */
export class GELU extends Module {
  readonly approximate: GeluApproximation;

  constructor({ approximate = 'none' }: z.input<typeof geluOptions> = {}) {
    super();
    this.approximate = approximate;
  }

  forward(input: Tensor): Tensor {
    return gelu(input, this.approximate);
  }

  protected override describe(): string {
    return `approximate='${this.approximate}'`;
  }
}

const alongDim = strict({ dim: z.int() });

abstract class AlongDim extends Module {
  readonly dim: number;

  constructor({ dim }: z.input<typeof alongDim>) {
    super();
    this.dim = dim;
  }

  protected override describe(): string {
    return `dim=${this.dim}`;
  }
}

/** https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html */
export class Softmax extends AlongDim {
  forward(input: Tensor): Tensor {
    return softmax(input, this.dim);
  }
}

/** https://pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html */
export class LogSoftmax extends AlongDim {
  forward(input: Tensor): Tensor {
    return logSoftmax(input, this.dim);
  }
}

const none = strict({});

modules.register('ReLU', { schema: none, create: () => new ReLU() });
modules.register('Sigmoid', { schema: none, create: () => new Sigmoid() });
modules.register('Tanh', { schema: none, create: () => new Tanh() });
modules.register('GELU', {
  schema: geluOptions,
  create: (given: z.output<typeof geluOptions>) => new GELU(given),
});
modules.register('Softmax', { schema: alongDim, create: (given) => new Softmax(given) });
modules.register('LogSoftmax', { schema: alongDim, create: (given) => new LogSoftmax(given) });
