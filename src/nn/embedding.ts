/** Embeddings. */

import { z } from 'zod';
import { ArgumentError, opError } from '../base/errors.ts';
import { strict } from '../base/registry.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Tensor } from '../core/tensor.ts';
import { arange, zeros } from '../ops/creation.ts';
import { embedding } from '../ops/embedding.ts';
import { unsqueeze } from '../ops/movement.ts';
import { ne } from '../ops/pointwise.ts';
import { normal_ } from './init.ts';
import { Module, Parameter } from './module.ts';
import { modules, schemas } from './registry.ts';

const options = strict({
  num_embeddings: schemas.size,
  embedding_dim: schemas.size,
  padding_idx: z.int().nullable().default(null),
});

type EmbeddingOptions = z.input<typeof options>;

/**
 * A vector for each whole number below `num_embeddings`: (...) -> (..., embedding_dim). Row
 * `padding_idx` starts at zero and gets no gradient.
 * https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 */
export class Embedding extends Module {
  readonly padding_idx: number | null;
  readonly weight: Parameter;

  constructor({ num_embeddings, embedding_dim, padding_idx = null }: EmbeddingOptions) {
    super();
    this.padding_idx = paddingRow(padding_idx, num_embeddings);
    this.weight = new Parameter(zeros([num_embeddings, embedding_dim]));
    this.resetParameters();
  }

  /** An embedding that starts with the rows of `table`, and by default keeps them. */
  static fromPretrained(
    table: Tensor,
    { freeze = true, padding_idx = null }: { freeze?: boolean; padding_idx?: number | null } = {},
  ): Embedding {
    const [num_embeddings, embedding_dim] = table.shape as [number, number];
    const made = new Embedding({ num_embeddings, embedding_dim, padding_idx });
    noGrad(() => made.weight.copy_(table.detach()));
    made.weight.requires_grad_(!freeze);
    return made;
  }

  /** Draws new initial values: the standard normal distribution. */
  resetParameters(): void {
    normal_(this.weight);
    const { weight, padding_idx } = this;
    if (padding_idx === null) return;
    const isKept = unsqueeze(ne(arange(weight.shape[0]!), padding_idx), 1);
    noGrad(() => weight.copy_(weight.mul(isKept)));
  }

  forward(input: Tensor): Tensor {
    return embedding(input, this.weight, { padding_idx: this.padding_idx });
  }

  protected override describe(): string {
    const padding = this.padding_idx === null ? '' : `, padding_idx=${this.padding_idx}`;
    return `${this.weight.shape.join(', ')}${padding}`;
  }
}

function paddingRow(padding_idx: number | null, rows: number): number | null {
  if (padding_idx === null) return null;
  if (padding_idx < -rows || padding_idx >= rows) {
    const message = `padding_idx ${padding_idx} must be within the ${rows} embeddings`;
    throw opError(ArgumentError, 'Embedding', message);
  }
  return padding_idx < 0 ? padding_idx + rows : padding_idx;
}

modules.register('Embedding', {
  schema: options,
  create: (given: z.output<typeof options>) => new Embedding(given),
});
