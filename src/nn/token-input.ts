/** Symbolic inputs that are known to be tokens, and of how many kinds. */

import { ArgumentError, opError } from '../base/errors.ts';
import type { Node } from '../core/graph.ts';
import type { Tensor } from '../core/tensor.ts';
import { inferredSize } from './registry.ts';

const counts = new WeakMap<Node, number>();

/** Says that `input` holds tokens below `count`. */
export function holdsTokens(input: Tensor, count: number): void {
  counts.set(input.value.node, count);
}

/**
 * How many embeddings a layer of type `type` has for `input`: as many as are given, else one for
 * each token.
 *
 * @throws ArgumentError for fewer than there are tokens.
 */
export function embeddingsFor(
  type: string,
  given: number | undefined,
  input: Tensor | undefined,
): number {
  const tokens = input && counts.get(input.value.node);
  if (given !== undefined && tokens !== undefined && given < tokens) {
    const message = `num_embeddings is ${given}, but the data has ${tokens} tokens; leave it out`;
    throw opError(ArgumentError, type, message);
  }
  return inferredSize(type, 'num_embeddings', given, tokens);
}
