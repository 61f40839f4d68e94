/** Weights beside the model they may be of. */

import YAML from 'yaml';
import { ConfigError } from '../../base/errors.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { checkModel } from '../../config/model-check.ts';
import { isWholeMatch, type MatchOptions, matchState, type StateMatch } from '../../nn/index.ts';
import { headOf, refusal } from './refusal.ts';
import { matchType, nearestType, type State } from './zoo.ts';

export interface ComparisonRequest extends MatchOptions {
  /** Where the weights are from, as a config would say it. */
  readonly file: string;
  /** A model of the zoo, or the config that has one; unless given, one of the zoo is looked for. */
  readonly model?: string | LoadedConfig | undefined;
  /** Of a model of the zoo; that of the weights unless given. */
  readonly num_classes?: number | undefined;
}

export interface ModelComparison extends Omit<StateMatch, 'pairs' | 'values'> {
  /** Its type in the zoo, or the file of its config. */
  readonly name: string;
  /** Of a model of the zoo. */
  readonly num_classes?: number | undefined;
  /** Whether it was asked for. */
  readonly asked: boolean;
  /** Whether it is only the nearest one of the zoo. */
  readonly nearest: boolean;
  /** Does every tensor have its place, but for what was excluded? */
  readonly fits: boolean;
  /** What `model.weights` would say where it does not fit. */
  readonly refusal: string | undefined;
  /** Keys of the model that get a value, and all that it has. */
  readonly taken: number;
  readonly keys: number;
  /** What a config says to begin with them; nothing where nothing fits. */
  readonly yaml: string | undefined;
}

export interface Comparison {
  readonly match: StateMatch;
  readonly report: ModelComparison;
}

/**
 * What fits of `values`; nothing where no model was named and none of the zoo is like it.
 *
 * @throws ArgumentError for options that match nothing; ConfigError where the model of the config
 *   does not fit its data, or has no such option.
 */
export function compare(values: State, request: ComparisonRequest): Comparison | undefined {
  const { model, num_classes, exclude, ...naming } = request;
  const asked = model !== undefined;
  if (typeof model === 'object') {
    if (num_classes !== undefined) {
      throw new ConfigError('--num-classes is of a model of the zoo; the config has its own');
    }
    const own = checkModel(model).model;
    const match = matchState(own, values, { ...naming, exclude });
    const about = { name: model.file, asked, nearest: false, keys: own.stateDict().size };
    return compared(about, match, { weights: weightsOption(request, match) }, request);
  }
  const like = asked ? undefined : nearestType(values, naming);
  const type = model ?? like?.type;
  if (type === undefined) return undefined;
  const nearest = like !== undefined && !isWholeMatch(like.match);
  const { own, match, ...found } = matchType(type, values, { ...naming, exclude }, num_classes);
  const about = { name: type, ...found, asked, nearest, keys: own.size };
  const config = { model: { type, ...found, weights: weightsOption(request, match) } };
  return compared(about, match, config, request);
}

function compared(
  about: Pick<ModelComparison, 'name' | 'num_classes' | 'asked' | 'nearest' | 'keys'>,
  match: StateMatch,
  config: Readonly<Record<string, unknown>>,
  { file }: ComparisonRequest,
): Comparison {
  const { pairs, values: _, ...rest } = match;
  const taken = pairs.size;
  const fits = isWholeMatch(match) && taken > 0;
  const refused = fits ? undefined : refusal(file, match);
  const yaml = taken > 0 ? flow(config) : undefined;
  return { match, report: { ...about, fits, refusal: refused, ...rest, taken, yaml } };
}

/** `model.weights` by which training begins with what fits. */
function weightsOption(request: ComparisonRequest, match: StateMatch): unknown {
  const { file, prefix, rename = {} } = request;
  const isWhole = isWholeMatch(match);
  const head = isWhole ? [] : (headOf(match) ?? []);
  const exclude = [...new Set([request.exclude ?? [], head].flat())];
  const options = {
    ...(prefix ? { prefix } : {}),
    ...(Object.keys(rename).length > 0 ? { rename } : {}),
    ...(exclude.length > 0 ? { exclude } : {}),
    ...(isWhole || head.length > 0 ? {} : { strict: false }),
  };
  return Object.keys(options).length === 0 ? file : { file, ...options };
}

/** YAML in one line: braces behind the first key. */
function flow(value: Readonly<Record<string, unknown>>): string {
  const document = new YAML.Document(value);
  for (const { value: inner } of (document.contents as YAML.YAMLMap).items) {
    if (YAML.isCollection(inner)) inner.flow = true;
  }
  // The padding that braces get, brackets get too.
  const text = document.toString({ lineWidth: 0 }).trimEnd();
  return text.replaceAll(/\[ ([^\][]*) \]/g, '[$1]');
}
