/** Where in a sequence a vector stands, added to it. */

import { z } from 'zod';
import { opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { tensor } from '../ops/host-data.ts';
import { reshape } from '../ops/movement.ts';
import { add } from '../ops/pointwise.ts';
import { narrow } from '../ops/slicing.ts';
import { Dropout } from './dropout.ts';
import { Module } from './module.ts';
import { Buffer } from './parameter.ts';
import { modules, schemas } from './registry.ts';

const options = strict({
  d_model: schemas.size.describe('The size of a vector.'),
  dropout: schemas.probability.default(0.1),
  max_len: schemas.size.default(5000).describe('Steps of the longest sequence.'),
  batch_first: z.boolean().default(false).describe('(N, L, E) instead of (L, N, E).'),
});

/**
 * Adds sines and cosines of the position, of Vaswani et al. 2017, section 3.5, and drops some: (L,
 * N, d_model), (N, L, d_model) if `batch_first`, to the same. With the buffer of PyTorch's
 * tutorial, `pe` (max_len, 1, d_model).
 * https://docs.pytorch.org/tutorials/beginner/transformer_tutorial.html
 */
export class PositionalEncoding extends Module {
  readonly dropout: Dropout;
  readonly pe: Buffer;
  readonly #batch_first: boolean;

  constructor(given: z.input<typeof options>) {
    super();
    const parsed = parseOptions('PositionalEncoding', options, given);
    this.dropout = new Dropout({ p: parsed.dropout });
    this.pe = new Buffer(waves(parsed.max_len, parsed.d_model));
    this.#batch_first = parsed.batch_first;
  }

  /** @throws ShapeError for other vectors, or a sequence of more than `max_len` steps. */
  forward(input: Tensor): Tensor {
    const [max_len, , d_model] = this.pe.shape as [number, number, number];
    const length = input.shape[this.#batch_first ? 1 : 0]!;
    if (input.ndim !== 3 || input.shape[2] !== d_model || length > max_len) {
      const sizes = this.#batch_first ? '(N, L, d_model)' : '(L, N, d_model)';
      const limits = `d_model ${d_model} and L at most ${max_len}`;
      const message = `input ${formatShape(input.shape)} must be ${sizes} with ${limits}`;
      throw opError(ShapeError, 'PositionalEncoding', message);
    }
    const rows = narrow(this.pe, 0, 0, length);
    return this.dropout.call(
      add(input, this.#batch_first ? reshape(rows, [1, length, d_model]) : rows),
    );
  }

  override extraRepr(): string {
    const [max_len, , d_model] = this.pe.shape;
    return `d_model=${d_model}, max_len=${max_len}`;
  }
}

/** (length, 1, size): sines at even places of a vector, cosines at odd ones. */
function waves(length: number, size: number): Tensor {
  const values = new Float32Array(length * size);
  for (let at = 0; at < values.length; at++) {
    const [position, place] = [Math.floor(at / size), at % size];
    const angle = position * Math.exp((-Math.log(10000) * (place - (place % 2))) / size);
    values[at] = place % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  }
  return reshape(tensor(values), [length, 1, size]);
}

modules.register('PositionalEncoding', {
  schema: options,
  summary: 'Adds sines and cosines of the position to the vectors of a sequence.',
  page: 'https://docs.pytorch.org/tutorials/beginner/transformer_tutorial.html',
  create: (given: z.output<typeof options>) => new PositionalEncoding(given),
});
