/** How texts become numbers: what is learned from the training texts, and what is done with it. */

import { z } from 'zod';
import { ConfigError, FileError } from '../../base/errors.ts';
import { INTERPRETED, type Spec } from '../../base/registry.ts';
import type { Task } from '../table/target.ts';
import { joined, type Sequences } from './text-samples.ts';
import { TOKENIZERS, type TokenizerName } from './tokenizers.ts';
import { learnVocabulary, SPECIALS, UNK } from './vocabulary.ts';

const count = (least: number) => z.int().min(least).optional();

/**
 * The arguments that say how. None has a default in the schema: what is left out follows from what
 * the training samples taught.
 */
export const codingArguments = {
  task: z
    .enum(['classification', 'regression'])
    .optional()
    .describe('Default: classification where the target is of words, else regression.'),
  tokenizer: z
    .enum(Object.keys(TOKENIZERS) as [TokenizerName])
    .optional()
    .describe('What a token is. Default: word, and what stands between words.'),
  lowercase: z.boolean().optional().describe('Makes texts lower case. Default: false.'),
  vocab_size: count(SPECIALS.length + 1).describe(
    'The most tokens to know, the most frequent ones; `<pad>` and `<unk>` count. Default: all.',
  ),
  min_freq: count(1).describe(
    'How often a token must come in the training texts to be known. Default: 1.',
  ),
  max_length: count(1).describe('Tokens of a text that are read. Default: 512.'),
};

const arguments_ = z.object(codingArguments);
type CodingOptions = z.output<typeof arguments_>;

const MOST_TOKENS = 2 ** 29;
const DEFAULTS = { tokenizer: 'word', lowercase: false, max_length: 512 } as const;

/** Marks what texts taught among what other data sets did. */
const KIND = 'texts';

const learnedSchema = z.strictObject({
  kind: z.literal(KIND),
  arguments: z.strictObject(codingArguments),
  /** Tokens of the longest training text. */
  longest: z.int().min(1),
  classes: z.array(z.string()),
  vocabulary: z.array(z.string()).min(SPECIALS.length),
});

export type LearnedTexts = z.output<typeof learnedSchema>;

/** What was learned from texts; nothing where another kind of set learned it. */
export function knownTexts(learned: unknown): LearnedTexts | undefined {
  if ((learned as { kind?: unknown } | undefined)?.kind !== KIND) return undefined;
  const parsed = learnedSchema.safeParse(learned, INTERPRETED);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues as [z.core.$ZodIssue];
  throw new FileError(
    `what a run learned from its texts is damaged: ${path.join('.')}: ${message}`,
  );
}

/** @param classes of the training samples; none for numbers. */
export function learnTexts(
  texts: readonly string[],
  classes: readonly string[],
  options: CodingOptions,
): LearnedTexts {
  const { tokenizer, lowercase, max_length, vocab_size, min_freq } = {
    ...DEFAULTS,
    ...given(options),
  };
  if (tokenizer === 'byte' && (vocab_size ?? min_freq) !== undefined) {
    const key = vocab_size === undefined ? 'min_freq' : 'vocab_size';
    throw new ConfigError(`[TextDataset] ${key}: all bytes are known; leave it out`);
  }
  const tokenize = tokenizerOf({ tokenizer, lowercase, most: max_length });
  let longest = 1;
  const tokens = function* () {
    for (const text of texts) {
      const found = tokenize(text);
      longest = Math.max(longest, found.length);
      yield found;
    }
  };
  const all = tokenizer === 'byte' ? [...tokens()] : tokens();
  const vocabulary = learnVocabulary(all, { tokenizer, vocab_size, min_freq });
  const task: Task = classes.length > 0 ? 'classification' : 'regression';
  const known = { ...given(options), task, tokenizer, lowercase, max_length };
  return { kind: KIND, arguments: known, longest, classes: [...classes], vocabulary };
}

/** Without what is undefined. */
function given(options: CodingOptions): CodingOptions {
  const keys = Object.keys(codingArguments) as (keyof CodingOptions)[];
  const entries = keys.map((key) => [key, options[key]]).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries);
}

/**
 * What an argument asks for must be what the training samples were read with.
 *
 * @throws ConfigError that names the argument.
 */
export function checkArguments(options: CodingOptions, { arguments: known }: LearnedTexts): void {
  for (const [key, value] of Object.entries(given(options)) as [keyof CodingOptions, unknown][]) {
    if (value === known[key]) continue;
    const before = known[key] === undefined ? 'nothing' : String(known[key]);
    throw new ConfigError(
      `[TextDataset] ${key} is ${value}, but the training texts were read with ${before}; ` +
        'leave it out: what they taught is used',
    );
  }
}

function tokenizerOf({
  tokenizer,
  lowercase,
  most,
}: {
  readonly tokenizer: TokenizerName;
  readonly lowercase: boolean;
  readonly most: number;
}): (text: string) => string[] {
  const tokenize = TOKENIZERS[tokenizer];
  return (text) => tokenize(lowercase ? text.toLowerCase() : text, most);
}

/** Numbers texts as the training texts taught. */
export class TextCoder {
  /** The most tokens of a text. */
  readonly longest: number;
  /** What `encode` does, beside the vocabulary. */
  readonly step: Spec;
  readonly #places: ReadonlyMap<string, number>;
  readonly #tokenize: (text: string) => string[];

  constructor({ arguments: { tokenizer, lowercase }, longest, vocabulary }: LearnedTexts) {
    const options = {
      ...DEFAULTS,
      ...(tokenizer && { tokenizer }),
      ...(lowercase && { lowercase }),
    };
    this.longest = longest;
    this.#places = new Map(vocabulary.map((token, place) => [token, place]));
    this.#tokenize = tokenizerOf({ ...options, most: longest });
    const { max_length: _, ...reading } = options;
    this.step = { type: 'Tokenize', ...reading, max_length: longest };
  }

  /**
   * A text without tokens becomes one that is not known: no sequence is empty.
   *
   * @param name of the file, for the message.
   * @throws FileError where there are more than memory holds.
   */
  encode(texts: readonly string[], name: string): Sequences {
    let total = 0;
    const all = texts.map((text) => {
      const tokens = this.#tokenize(text);
      const places = Int32Array.from(tokens, (token) => this.#places.get(token) ?? UNK);
      total += places.length;
      if (total > MOST_TOKENS) throw new FileError(`${name} has more than ${MOST_TOKENS} tokens`);
      return places.length > 0 ? places : Int32Array.of(UNK);
    });
    return joined(all.length, (i) => all[i]!);
  }
}
