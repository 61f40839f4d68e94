/** Max-unpooling layers. */

import type { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import type { Shape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { maxUnpool1d, maxUnpool2d, maxUnpool3d } from '../ops/unpooling.ts';
import { Module } from './module.ts';
import { windowText } from './module-text.ts';
import { modules, schemas } from './registry.ts';

const options = (dims: number) =>
  strict({
    kernel_size: schemas.sizes(dims),
    /** Defaults to the kernel size. */
    stride: schemas.sizes(dims).nullable().default(null),
    padding: schemas.sizes(dims, 0).default(0),
  });

type Schema = ReturnType<typeof options>;
export type MaxUnpoolOptions = z.input<Schema>;

type Inputs = [
  input: Tensor,
  indices: Tensor,
  output_size?: Shape | { readonly output_size?: Shape | null } | null,
];

abstract class MaxUnpool extends Module<Inputs> {
  readonly #unpool: typeof maxUnpool2d;
  readonly #dims: number;
  readonly #options: z.output<Schema>;

  constructor(unpool: typeof maxUnpool2d, dims: number, given: z.output<Schema>) {
    super();
    this.#dims = dims;
    this.#unpool = unpool;
    this.#options = given;
  }

  forward(...[input, indices, wanted = null]: Inputs): Tensor {
    const { kernel_size, stride, padding } = this.#options;
    const size = wanted !== null && 'output_size' in wanted ? (wanted.output_size ?? null) : wanted;
    return this.#unpool(input, indices, kernel_size, stride, padding, size as Shape | null);
  }

  override extraRepr(): string {
    const { kernel_size, stride, padding } = this.#options;
    return windowText(this.#dims, kernel_size, stride, padding);
  }
}

const SCHEMAS = { 1: options(1), 2: options(2), 3: options(3) } as const;

/** https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool1d.html */
export class MaxUnpool1d extends MaxUnpool {
  constructor(given: MaxUnpoolOptions) {
    super(maxUnpool1d, 1, parseOptions('MaxUnpool1d', SCHEMAS[1], given));
  }
}

/** https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html */
export class MaxUnpool2d extends MaxUnpool {
  constructor(given: MaxUnpoolOptions) {
    super(maxUnpool2d, 2, parseOptions('MaxUnpool2d', SCHEMAS[2], given));
  }
}

/** https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool3d.html */
export class MaxUnpool3d extends MaxUnpool {
  constructor(given: MaxUnpoolOptions) {
    super(maxUnpool3d, 3, parseOptions('MaxUnpool3d', SCHEMAS[3], given));
  }
}

for (const [Class, schema] of [
  [MaxUnpool1d, SCHEMAS[1]],
  [MaxUnpool2d, SCHEMAS[2]],
  [MaxUnpool3d, SCHEMAS[3]],
] as const) {
  modules.register(Class.name, { schema, create: (given) => new Class(given) });
}
