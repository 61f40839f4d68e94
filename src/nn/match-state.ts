/** Values that fit a module in part, or under other names: which goes where, and what is left. */

import type { DType } from '../base/dtype.ts';
import { ArgumentError, nearestName } from '../base/errors.ts';
import { chosen, idlePatterns, type Patterns } from '../base/patterns.ts';
import { formatShape, type Shape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { mayBeMissing } from './load-state.ts';
import type { AnyModule } from './module.ts';

/** What is looked at of a value, wherever its elements are. */
export interface Described {
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface MatchOptions {
  /** Only keys that begin with it are taken, and without it. */
  readonly prefix?: string | undefined;
  /** What keys begin with, and what they are to begin with instead: `{ 'classifier.': 'fc.' }`. */
  readonly rename?: Readonly<Record<string, string>> | undefined;
  /** Patterns of the module's keys that are to stay as they are, such as `fc.*`. */
  readonly exclude?: Patterns | undefined;
}

/** Which value goes where. */
export interface StateMatch {
  /** The key of the value for each key of the module that gets one. */
  readonly pairs: ReadonlyMap<string, string>;
  /** Of the module: all that stay as they are. */
  readonly kept_keys: string[];
  /** Of the module: those among them for which there should have been a value. */
  readonly missing_keys: string[];
  /** Of the values, as they are called there. */
  readonly unexpected_keys: string[];
  /** Of the module, where there is a value of another shape. */
  readonly mismatched_keys: readonly Mismatch[];
  /** Of the values, that were not to be taken. */
  readonly excluded_keys: string[];
  /** What the keys were found to begin with, and is taken off: `module.`; else empty. */
  readonly stripped: string;
  /** How many values change their dtype: by `float16 to float32`. */
  readonly conversions: Readonly<Record<string, number>>;
}

export interface Mismatch {
  readonly key: string;
  readonly shape: Shape;
  readonly needs: Shape;
}

/**
 * What those put in front of the keys who wrap a model: DataParallel, Lightning and other
 * trainers, `torch.compile`, detectors.
 */
const WRAPPERS = ['module.', 'model.', '_orig_mod.', 'backbone.'];

/**
 * Finds the value for each key of `own`. A beginning that all keys share, as wrappers of models
 * leave it, is taken off where that makes most of them fit.
 *
 * @param own a module's `stateDict()`.
 * @throws ArgumentError for a pattern in `exclude` that matches nothing on either side.
 */
export function matchState(
  own: ReadonlyMap<string, Described>,
  values: ReadonlyMap<string, Described>,
  { prefix = '', rename = {}, exclude = [] }: MatchOptions = {},
): StateMatch {
  const given = [...values.keys()].filter((key) => key.startsWith(prefix));
  const renamed = given.map((key) => renamedKey(key.slice(prefix.length), rename));
  const stripped = wrapperOf(renamed, own);
  const names = renamed.map((name) => name.slice(stripped.length));
  const [idle] = idlePatterns(exclude, [...own.keys(), ...names], 'key');
  if (idle !== undefined) throw new ArgumentError(`[matchState] exclude: ${idle.message}`);
  const excluded = chosen(exclude, [...own.keys(), ...names]);
  const pairs = new Map<string, string>();
  const unexpected_keys: string[] = [];
  const mismatched_keys: Mismatch[] = [];
  const excluded_keys = [...values.keys()].filter((key) => !key.startsWith(prefix));
  const conversions: Record<string, number> = {};
  for (const [i, name] of names.entries()) {
    const key = given[i]!;
    const [target, value] = [own.get(name), values.get(key)!];
    if (excluded.has(name)) excluded_keys.push(key);
    else if (target === undefined) unexpected_keys.push(key);
    else if (!sameShape(value.shape, target.shape)) {
      mismatched_keys.push({ key: name, shape: value.shape, needs: target.shape });
    } else {
      pairs.set(name, key);
      if (value.dtype === target.dtype) continue;
      const change = `${value.dtype} to ${target.dtype}`;
      conversions[change] = (conversions[change] ?? 0) + 1;
    }
  }
  const known = new Set([...excluded, ...names]);
  const kept_keys = withoutValue(own, pairs);
  return {
    pairs,
    kept_keys,
    missing_keys: kept_keys.filter((key) => !known.has(key)),
    unexpected_keys,
    mismatched_keys,
    excluded_keys,
    stripped,
    conversions,
  };
}

function renamedKey(key: string, rename: Readonly<Record<string, string>>): string {
  const begins = Object.keys(rename).find((start) => key.startsWith(start));
  return begins === undefined ? key : rename[begins]! + key.slice(begins.length);
}

/** What to take off all of `names` so that most of them are keys of `own`. */
function wrapperOf(names: readonly string[], own: ReadonlyMap<string, Described>): string {
  const fits = (prefix: string) =>
    names.filter((name) => own.has(name.slice(prefix.length))).length * 2 > names.length;
  for (let prefix = ''; ; ) {
    if (fits(prefix)) return prefix;
    const next = WRAPPERS.find((word) => names.every((name) => name.startsWith(prefix + word)));
    if (next === undefined || names.length === 0) return '';
    prefix += next;
  }
}

/** A tensor that stands under several keys needs one value. */
function withoutValue(
  own: ReadonlyMap<string, Described>,
  pairs: ReadonlyMap<string, string>,
): string[] {
  const filled = new Set([...pairs.keys()].map((key) => own.get(key)));
  return [...own].flatMap(([key, tensor]) =>
    pairs.has(key) || filled.has(tensor) || mayBeMissing(key) ? [] : [key],
  );
}

/** Does every value have its place, and every place its value? */
export function isWholeMatch(match: StateMatch): boolean {
  const { missing_keys, unexpected_keys, mismatched_keys } = match;
  return [missing_keys, unexpected_keys, mismatched_keys].every(({ length }) => length === 0);
}

/** Everything that does not fit, one a line, with the nearest name where there is one. */
export function misfits(match: StateMatch): string[] {
  const { missing_keys, unexpected_keys, mismatched_keys } = match;
  const near = (key: string, keys: readonly string[]) => {
    const nearest = nearestName(key, keys);
    return nearest === undefined ? '' : `; is it ${nearest}?`;
  };
  return [
    ...mismatched_keys.map(
      ({ key, shape, needs }) =>
        `${key} has shape ${formatShape(shape)}, needs ${formatShape(needs)}`,
    ),
    ...missing_keys.map((key) => `${key} is missing${near(key, unexpected_keys)}`),
    ...unexpected_keys.map((key) => `${key} is unexpected${near(key, missing_keys)}`),
  ];
}

/**
 * Copies into a module what fits of `values`, at once; everything else in it stays as it is.
 * `loadStateDict` with `strict: false` does the same without `options`, but refuses other shapes.
 *
 * ```ts
 * const model = models.resnet18({ num_classes: 10 });
 * const { mismatched_keys } = nn.loadMatching(model, await load('resnet18.pth'));
 * ```
 *
 * @throws ArgumentError for a pattern in `exclude` that matches nothing.
 */
export function loadMatching(
  module: AnyModule,
  values: ReadonlyMap<string, Tensor>,
  options?: MatchOptions,
): StateMatch {
  const match = matchState(module.stateDict(), values, options);
  const taken = new Map([...match.pairs].map(([key, from]) => [key, values.get(from)!]));
  module.loadStateDict(taken, { strict: false });
  return match;
}
