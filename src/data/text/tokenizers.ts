/** How a text becomes tokens. */

/** At most `most` tokens of a text, from its beginning. */
type Tokenizer = (text: string, most: number) => string[];

/**
 * As Hugging Face's pre-tokenizer `Whitespace`, whose `\w` is that of Unicode: words, and what
 * stands between them without blanks.
 * https://huggingface.co/docs/tokenizers/api/pre-tokenizers#tokenizers.pre_tokenizers.Whitespace
 */
const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_C}]';
const WORDS = new RegExp(`${WORD}+|(?:(?!${WORD})\\S)+`, 'gu');

function words(text: string, most: number): string[] {
  const found: string[] = [];
  for (const [word] of text.matchAll(WORDS)) if (found.push(word) >= most) break;
  return found;
}

/** By code points. */
function characters(text: string, most: number): string[] {
  const found: string[] = [];
  for (const character of text) if (found.push(character) >= most) break;
  return found;
}

/** The names of all bytes, as SentencePiece's: `<0x41>`. */
export const BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
});

/** Of the text in UTF-8. */
function bytes(text: string, most: number): string[] {
  // No character has less than a byte.
  const encoded = Buffer.from(text.slice(0, most)).subarray(0, most);
  return Array.from(encoded, (byte) => BYTES[byte]!);
}

export const TOKENIZERS = { word: words, char: characters, byte: bytes } satisfies Record<
  string,
  Tokenizer
>;

export type TokenizerName = keyof typeof TOKENIZERS;
