/** Modules for batches of sequences that are padded: what is padding, and pooling without it. */

import { z } from 'zod';
import { opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { clampMin } from '../ops/arithmetic.ts';
import { unsqueeze } from '../ops/movement.ts';
import { cast, div, eq, mul, ne, where } from '../ops/pointwise.ts';
import { arange } from '../ops/ranges.ts';
import { amax, sum } from '../ops/reduction.ts';
import { Module } from './module.ts';
import { modules } from './registry.ts';

const comparison = strict({
  other: z.number().describe('The number that elements are compared with.'),
});

type Comparison = z.input<typeof comparison>;

/** A module that compares with a number. */
abstract class Compared extends Module<[input: Tensor]> {
  readonly other: number;

  constructor(given: Comparison) {
    super();
    this.other = parseOptions(new.target.name, comparison, given).other;
  }

  override extraRepr(): string {
    return `other=${this.other}`;
  }
}

/** True where an element equals `other`: of tokens, what is padding. As torch.eq. */
export class Eq extends Compared {
  forward(input: Tensor): Tensor {
    return eq(input, this.other);
  }
}

/** True where an element differs from `other`: of tokens, what is no padding. As torch.ne. */
export class Ne extends Compared {
  forward(input: Tensor): Tensor {
    return ne(input, this.other);
  }
}

const pooling = strict({
  mode: z
    .enum(['mean', 'max', 'last'])
    .default('mean')
    .describe('The mean or the maximum of the steps that count, or the last one of them.'),
});

/**
 * One vector for each sequence: input (N, L, E) and mask (N, L), true for the steps that count,
 * give (N, E); zeros where none does. The mask is as of torch.masked, the opposite of a padding
 * mask.
 */
export class MaskedPool extends Module<[input: Tensor, mask: Tensor]> {
  readonly mode: 'mean' | 'max' | 'last';

  constructor(given: z.input<typeof pooling> = {}) {
    super();
    this.mode = parseOptions('MaskedPool', pooling, given).mode;
  }

  override get argumentNames() {
    return ['input', 'mask'];
  }

  /** @throws ShapeError unless the sizes fit. */
  forward(input: Tensor, mask: Tensor): Tensor {
    checkShapes(input, mask);
    const counts = unsqueeze(mask, -1);
    if (this.mode === 'max') {
      const peak = amax(where(counts, input, -Infinity), 1);
      return where(eq(peak, -Infinity), 0, peak);
    }
    if (this.mode === 'last') return sum(where(unsqueeze(lastOf(mask), -1), input, 0), 1);
    const share = clampMin(sum(cast(counts, input.dtype), 1), 1);
    return div(sum(where(counts, input, 0), 1), share);
  }

  override extraRepr(): string {
    return `mode=${this.mode}`;
  }
}

function checkShapes(input: Tensor, mask: Tensor | undefined): void {
  const [batch, length] = input.shape;
  const fits = input.ndim === 3 && mask?.ndim === 2;
  if (fits && mask.shape[0] === batch && mask.shape[1] === length && mask.dtype === 'bool') return;
  const given = mask === undefined ? 'none' : `${mask.dtype} ${formatShape(mask.shape)}`;
  const message = `input ${formatShape(input.shape)} and mask ${given}: needs (N, L, E), bool (N, L)`;
  throw opError(ShapeError, 'MaskedPool', message);
}

/** True at the last true place of each row alone. */
function lastOf(mask: Tensor): Tensor {
  // Counted from 1, so that a row without one has none.
  const places = mul(mask, arange(1, mask.shape[1]! + 1));
  const last = amax(places, 1, true);
  return mul(eq(places, last), mask);
}

modules.register('Eq', {
  schema: comparison,
  summary: 'True where an element equals a number, such as the token of padding.',
  page: 'https://pytorch.org/docs/stable/generated/torch.eq.html',
  create: (given: Comparison) => new Eq(given),
});
modules.register('Ne', {
  schema: comparison,
  summary: 'True where an element differs from a number, such as the token of padding.',
  page: 'https://pytorch.org/docs/stable/generated/torch.ne.html',
  create: (given: Comparison) => new Ne(given),
});
modules.register('MaskedPool', {
  schema: pooling,
  summary: 'One vector for each padded sequence, from the steps that a mask says count.',
  create: (given: z.output<typeof pooling>) => new MaskedPool(given),
});
