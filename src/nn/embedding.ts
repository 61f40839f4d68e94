/** Embeddings. */

import { z } from 'zod';
import { ArgumentError, opError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Tensor } from '../core/tensor.ts';
import { zeros } from '../ops/creation.ts';
import { embedding } from '../ops/embedding.ts';
import { unsqueeze } from '../ops/movement.ts';
import { ne } from '../ops/pointwise.ts';
import { arange } from '../ops/ranges.ts';
import { embeddingBag } from './functional/embedding-bag.ts';
import { normal_ } from './init.ts';
import { Module, Parameter } from './module.ts';
import { argumentsText } from './module-text.ts';
import { modules, schemas } from './registry.ts';
import { embeddingsFor } from './token-input.ts';

const common = {
  num_embeddings: schemas.size,
  embedding_dim: schemas.size,
  padding_idx: z.int().nullable().default(null),
  /** Rows of a larger norm are scaled down to it as they are looked up. */
  max_norm: z.number().positive().nullable().default(null),
  norm_type: z.number().default(2),
  /** Divides a row's gradient by how often it is looked up. */
  scale_grad_by_freq: z.boolean().default(false),
  /** Taken as in PyTorch; gradients are always dense. */
  sparse: z.boolean().default(false),
};
const options = strict(common);
const bagOptions = strict({
  ...common,
  mode: z.enum(['mean', 'sum', 'max']).default('mean'),
  include_last_offset: z.boolean().default(false),
});

type EmbeddingOptions = z.input<typeof options>;
type BagOptions = z.input<typeof bagOptions>;
type Pretrained<Options> = Omit<Options, 'num_embeddings' | 'embedding_dim'> & {
  readonly freeze?: boolean;
};

/** The table of both layers, and what they do with it alike. */
abstract class Table<Options extends z.output<typeof options>> extends Module {
  readonly num_embeddings: number;
  readonly embedding_dim: number;
  readonly padding_idx: number | null;
  readonly weight: Parameter;
  protected readonly lookup: () => Options;

  /** @param given parsed options. */
  constructor(given: Options) {
    super();
    const { num_embeddings, embedding_dim, padding_idx } = given;
    this.num_embeddings = num_embeddings;
    this.embedding_dim = embedding_dim;
    this.padding_idx = paddingRow(padding_idx, num_embeddings);
    this.lookup = () => given;
    this.weight = new Parameter(zeros([num_embeddings, embedding_dim]));
    this.resetParameters();
  }

  /** Draws new initial values: the standard normal distribution. */
  resetParameters(): void {
    normal_(this.weight);
    const { weight, padding_idx } = this;
    if (padding_idx === null) return;
    const isKept = unsqueeze(ne(arange(weight.shape[0]!), padding_idx), 1);
    noGrad(() => weight.copy_(weight.mul(isKept)));
  }

  override extraRepr(): string {
    const { max_norm, norm_type, scale_grad_by_freq } = this.lookup();
    const told = {
      ...(this.padding_idx !== null && { padding_idx: this.padding_idx }),
      ...(max_norm !== null && { max_norm }),
      ...(norm_type !== 2 && { norm_type }),
      ...(scale_grad_by_freq && { scale_grad_by_freq }),
      ...this.ownText(),
    };
    const rest = argumentsText(told);
    const sizes = `${this.num_embeddings}, ${this.embedding_dim}`;
    return rest === '' ? sizes : `${sizes}, ${rest}`;
  }

  /** What is printed of the options that only one of the layers has. */
  protected ownText(): Readonly<Record<string, unknown>> {
    return {};
  }
}

function filled<T extends { readonly weight: Parameter }>(
  made: T,
  table: Tensor,
  freeze: boolean,
): T {
  noGrad(() => made.weight.copy_(table.detach()));
  made.weight.requires_grad_(!freeze);
  return made;
}

const sizesOf = ({ shape }: Tensor) => ({ num_embeddings: shape[0]!, embedding_dim: shape[1]! });

/**
 * A vector for each whole number below `num_embeddings`: (...) -> (..., embedding_dim). Row
 * `padding_idx` starts at zero and gets no gradient.
 * https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 */
export class Embedding extends Table<z.output<typeof options>> {
  constructor(given: EmbeddingOptions) {
    super(parseOptions('Embedding', options, given));
  }

  /** An embedding that starts with the rows of `table`, and by default keeps them. */
  static fromPretrained(
    table: Tensor,
    { freeze = true, ...rest }: Pretrained<EmbeddingOptions> = {},
  ): Embedding {
    return filled(new Embedding({ ...sizesOf(table), ...rest }), table, freeze);
  }

  forward(input: Tensor): Tensor {
    const { max_norm, norm_type, scale_grad_by_freq } = this.lookup();
    const { padding_idx } = this;
    return embedding(input, this.weight, { padding_idx, max_norm, norm_type, scale_grad_by_freq });
  }
}

/**
 * Sums, means or maxima of bags of embeddings: `forward(input, offsets, per_sample_weights)`, input
 * (B, L), or (n) with offsets (B) -> (B, embedding_dim).
 * https://pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html
 */
export class EmbeddingBag extends Table<z.output<typeof bagOptions>> {
  constructor(given: BagOptions) {
    super(parseOptions('EmbeddingBag', bagOptions, given));
  }

  /** One that starts with the rows of `table`, and by default keeps them. */
  static fromPretrained(
    table: Tensor,
    { freeze = true, ...rest }: Pretrained<BagOptions> = {},
  ): EmbeddingBag {
    return filled(new EmbeddingBag({ ...sizesOf(table), ...rest }), table, freeze);
  }

  protected override ownText() {
    const { mode, include_last_offset } = this.lookup();
    return { mode, ...(include_last_offset && { include_last_offset }) };
  }

  forward(input: Tensor, offsets?: Tensor | null, per_sample_weights?: Tensor | null): Tensor {
    const { num_embeddings: _, embedding_dim: __, ...options } = this.lookup();
    return embeddingBag(input, this.weight, {
      ...options,
      padding_idx: this.padding_idx,
      offsets: offsets ?? null,
      per_sample_weights: per_sample_weights ?? null,
    });
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

const num_embeddings = schemas.size
  .optional()
  .describe('Default: as many as the data has tokens, where the layer gets them.');
const inferable = options.extend({ num_embeddings });
const inferableBag = bagOptions.extend({ num_embeddings });

modules.register('Embedding', {
  schema: inferable,
  create: (given: z.output<typeof inferable>, { input }) => {
    const found = embeddingsFor('Embedding', given.num_embeddings, input);
    return new Embedding({ ...given, num_embeddings: found });
  },
});
modules.register('EmbeddingBag', {
  schema: inferableBag,
  create: (given: z.output<typeof inferableBag>, { input }) => {
    const found = embeddingsFor('EmbeddingBag', given.num_embeddings, input);
    return new EmbeddingBag({ ...given, num_embeddings: found });
  },
});
