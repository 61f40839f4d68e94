/** What a data set of texts is like. */

import type { Dataset } from '../dataset.ts';
import { TextSamples } from '../text/text-samples.ts';
import { SPECIALS, UNK } from '../text/vocabulary.ts';

export interface TextStatistics {
  /** Tokens that are known, the special ones among them. */
  readonly vocabulary: number;
  /** The part of all tokens that is not known, in [0, 1]. */
  readonly unknown: number;
  /** Half of the texts have no more tokens, as the model gets them. */
  readonly median_length: number;
  /** 95 of 100 texts have no more. */
  readonly p95_length: number;
  /** The first text of each of a few classes; the first few texts where there are none. */
  readonly examples: readonly TextExample[];
}

export interface TextExample {
  readonly class?: string;
  /** The beginning of it, from its tokens: as the model gets it. */
  readonly text: string;
}

const MOST_EXAMPLES = 5;
const MOST_TOKENS = 24;

/** Nothing for sets of other samples. */
export function textStatistics(dataset: Dataset): TextStatistics | undefined {
  if (!(dataset instanceof TextSamples)) return undefined;
  const { tokens } = dataset.sequences;
  const unknown = tokens.reduce((count, token) => count + (token === UNK ? 1 : 0), 0);
  return {
    vocabulary: dataset.vocabulary.length,
    unknown: unknown / tokens.length,
    median_length: quantile(dataset.lengths, 0.5),
    p95_length: quantile(dataset.lengths, 0.95),
    examples: examplesOf(dataset),
  };
}

/** The least length that `share` of the texts do not exceed. */
function quantile(lengths: Int32Array, share: number): number {
  return lengths.toSorted()[Math.ceil(share * lengths.length) - 1]!;
}

function examplesOf(dataset: TextSamples): TextExample[] {
  const { labels, classes, length } = dataset;
  if (labels === undefined) {
    const count = Math.min(length, MOST_EXAMPLES);
    return Array.from({ length: count }, (_, i) => ({ text: beginning(dataset, i) }));
  }
  return classes
    .map((name, label) => ({ name, place: labels.indexOf(label) }))
    .filter(({ place }) => place >= 0)
    .slice(0, MOST_EXAMPLES)
    .map(({ name, place }) => ({ class: name, text: beginning(dataset, place) }));
}

function beginning({ sequences: { tokens, bounds }, vocabulary }: TextSamples, i: number): string {
  const own = tokens.subarray(bounds[i]!, Math.min(bounds[i + 1]!, bounds[i]! + MOST_TOKENS));
  const areCharacters = vocabulary.slice(SPECIALS.length).every((token) => [...token].length === 1);
  return Array.from(own, (token) => vocabulary[token]!).join(areCharacters ? '' : ' ');
}
