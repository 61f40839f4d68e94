/** Modules of several inputs that make one of them: where the branches of a Graph meet. */

import { z } from 'zod';
import { ArgumentError, opError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { cat } from '../ops/joining.ts';
import { matmul } from '../ops/matmul.ts';
import { add, mul, sub } from '../ops/pointwise.ts';
import { Module } from './module.ts';
import { modules } from './registry.ts';

/** Any number of tensors. */
type Several = readonly Tensor[];

/** The sum of its inputs, whose shapes broadcast: a residual connection. */
export class Add extends Module<Several> {
  forward(...inputs: Several): Tensor {
    return atLeastTwo(this, inputs).reduce((sum, input) => add(sum, input));
  }
}

/** The product of its inputs, element by element; their shapes broadcast: a gate. */
export class Mul extends Module<Several> {
  forward(...inputs: Several): Tensor {
    return atLeastTwo(this, inputs).reduce((product, input) => mul(product, input));
  }
}

/** The first input less the second. */
export class Sub extends Module<[input: Tensor, other: Tensor]> {
  forward(...inputs: [input: Tensor, other: Tensor]): Tensor {
    const [input, other] = exactlyTwo(this, inputs);
    return sub(input, other);
  }
}

/** The matrix product of its two inputs: (..., N, K) and (..., K, M) to (..., N, M). */
export class MatMul extends Module<[input: Tensor, other: Tensor]> {
  forward(...inputs: [input: Tensor, other: Tensor]): Tensor {
    const [input, other] = exactlyTwo(this, inputs);
    return matmul(input, other);
  }
}

const catOptions = strict({
  dim: z
    .int()
    .default(1)
    .describe('The dimension in which they are joined; 1 is that of the channels.'),
});

/** Its inputs side by side in dimension `dim`; their other sizes are equal. */
export class Cat extends Module<Several> {
  readonly dim: number;

  constructor(given: z.input<typeof catOptions> = {}) {
    super();
    this.dim = parseOptions('Cat', catOptions, given).dim;
  }

  forward(...inputs: Several): Tensor {
    return cat([...atLeastTwo(this, inputs)], this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

function atLeastTwo(module: object, inputs: Several): Several {
  if (inputs.length >= 2) return inputs;
  throw opError(
    ArgumentError,
    module.constructor.name,
    `joins two inputs or more, got ${inputs.length}`,
  );
}

function exactlyTwo(module: object, inputs: Several): [Tensor, Tensor] {
  if (inputs.length === 2) return [inputs[0]!, inputs[1]!];
  throw opError(ArgumentError, module.constructor.name, `takes two inputs, got ${inputs.length}`);
}

modules.register('Add', {
  schema: strict({}),
  summary: 'The sum of its inputs, whose shapes broadcast: a residual connection.',
  create: () => new Add(),
});
modules.register('Mul', {
  schema: strict({}),
  summary: 'The product of its inputs, element by element; their shapes broadcast: a gate.',
  create: () => new Mul(),
});
modules.register('Sub', {
  schema: strict({}),
  summary: 'The first input less the second.',
  create: () => new Sub(),
});
modules.register('MatMul', {
  schema: strict({}),
  summary: 'The matrix product of its two inputs.',
  create: () => new MatMul(),
});
modules.register('Cat', {
  schema: catOptions,
  summary: 'Its inputs side by side in one dimension.',
  create: (given: z.output<typeof catOptions>) => new Cat(given),
});
