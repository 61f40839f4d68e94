/** Tokens by number. */

import { byCodePoint } from '../../base/by-code-point.ts';
import { BYTES, type TokenizerName } from './tokenizers.ts';

/** What fills a text that is shorter than others of its batch; a model should not look at it. */
export const PAD = 0;
/** What stands for a token that is not in the vocabulary. */
export const UNK = 1;
/** The tokens that every vocabulary begins with, at the places above. */
export const SPECIALS = ['<pad>', '<unk>'];

export interface VocabularyOptions {
  readonly tokenizer: TokenizerName;
  /** Tokens, the special ones among them. */
  readonly vocab_size?: number | undefined;
  /** How often a token must come. */
  readonly min_freq?: number | undefined;
}

/**
 * The special tokens, then those of `texts`, the most frequent first and equally frequent ones in
 * their order, as of torchtext's `build_vocab_from_iterator`. Bytes are all there, in theirs.
 * https://docs.pytorch.org/text/stable/vocab.html#build-vocab-from-iterator
 */
export function learnVocabulary(
  texts: Iterable<readonly string[]>,
  { tokenizer, vocab_size = Number.POSITIVE_INFINITY, min_freq = 1 }: VocabularyOptions,
): string[] {
  if (tokenizer === 'byte') return [...SPECIALS, ...BYTES];
  const counts = new Map<string, number>();
  for (const tokens of texts) {
    for (const token of tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  const frequent = [...counts].filter(([, count]) => count >= min_freq);
  frequent.sort(([a, times], [b, others]) => others - times || byCodePoint(a, b));
  return [...SPECIALS, ...frequent.map(([token]) => token)].slice(0, vocab_size);
}
