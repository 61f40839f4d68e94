/** Values that fit a module in part, or under other names: which goes where, and what is left. */

import { ArgumentError, nearestName } from '../base/errors.ts';
import { chosen, idlePatterns, type Patterns } from '../base/patterns.ts';
import { formatShape, type Shape, sameShape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { mayBeMissing } from './load-state.ts';
import type { AnyModule } from './module.ts';

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
  /** What the module gets, by its keys; `loadPreparedState` takes it. */
  readonly values: ReadonlyMap<string, Tensor>;
  /** For each of these keys, what its value is called among those that were given. */
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
 * Finds the value for each key of a module's `stateDict()`. A beginning that all keys share, as
 * wrappers of models leave it, is taken off where that makes most of them fit; then the module's
 * own hooks see them, as before `loadStateDict`: older keys of its kind are known.
 *
 * @throws ArgumentError for a pattern in `exclude` that matches nothing on either side, and for a
 * `rename` that gives two values one name.
 */
export function matchState(
  module: AnyModule,
  values: ReadonlyMap<string, Tensor>,
  { prefix = '', rename = {}, exclude = [] }: MatchOptions = {},
): StateMatch {
  const own = module.stateDict();
  const origins = renamedKeys(values.keys(), { prefix, rename });
  const given = new Map([...origins].map(([name, key]) => [name, values.get(key)!]));
  const { stripped, state } = withoutWrapper(given, own, module);
  const sourceOf = sources(given, origins, stripped);
  const names = [...own.keys(), ...state.keys()];
  const [idle] = idlePatterns(exclude, names, 'key');
  if (idle !== undefined) throw new ArgumentError(`[matchState] exclude: ${idle.message}`);
  const excluded = chosen(exclude, names);
  const fitting = new Map<string, Tensor>();
  const pairs = new Map<string, string>();
  const unexpected_keys: string[] = [];
  const mismatched_keys: Mismatch[] = [];
  const excluded_keys = [...values.keys()].filter((key) => !key.startsWith(prefix));
  for (const [name, value] of state) {
    const target = own.get(name);
    if (excluded.has(name)) excluded_keys.push(sourceOf(name, value));
    else if (target === undefined) unexpected_keys.push(sourceOf(name, value));
    else if (!sameShape(value.shape, target.shape)) {
      mismatched_keys.push({ key: name, shape: value.shape, needs: target.shape });
    } else {
      fitting.set(name, value);
      pairs.set(name, sourceOf(name, value));
    }
  }
  const known = new Set([...excluded, ...state.keys()]);
  const kept_keys = withoutValue(own, pairs);
  return {
    values: fitting,
    pairs,
    kept_keys,
    missing_keys: kept_keys.filter((key) => !known.has(key)),
    unexpected_keys,
    mismatched_keys,
    excluded_keys,
    stripped,
    conversions: conversionsOf(fitting, own),
  };
}

/**
 * The keys that begin with `prefix`, by what they are called without it and renamed.
 *
 * @throws ArgumentError for a `rename` that gives two keys one name.
 */
export function renamedKeys(
  keys: Iterable<string>,
  { prefix = '', rename = {} }: Pick<MatchOptions, 'prefix' | 'rename'>,
): Map<string, string> {
  const origins = new Map<string, string>();
  for (const key of keys) {
    if (!key.startsWith(prefix)) continue;
    const name = renamedKey(key.slice(prefix.length), rename);
    const other = origins.get(name);
    if (other !== undefined) {
      throw new ArgumentError(`[matchState] rename: ${other} and ${key} would both be ${name}`);
    }
    origins.set(name, key);
  }
  return origins;
}

function renamedKey(key: string, rename: Readonly<Record<string, string>>): string {
  const begins = Object.keys(rename).find((start) => key.startsWith(start));
  return begins === undefined ? key : rename[begins]! + key.slice(begins.length);
}

/** What to take off all names so that most of them are keys of `own`, and what then is loaded. */
function withoutWrapper(
  given: ReadonlyMap<string, Tensor>,
  own: ReadonlyMap<string, Tensor>,
  module: AnyModule,
): { stripped: string; state: ReadonlyMap<string, Tensor> } {
  const names = [...given.keys()];
  const without = (prefix: string) =>
    module.preparedState(
      new Map([...given].map(([name, value]) => [name.slice(prefix.length), value])),
    );
  for (let stripped = ''; ; ) {
    const state = without(stripped);
    const fit = [...state.keys()].filter((name) => own.has(name));
    if (fit.length * 2 > state.size) return { stripped, state };
    const next = WRAPPERS.find((word) => names.every((name) => name.startsWith(stripped + word)));
    if (next === undefined || names.length === 0) return { stripped: '', state: without('') };
    stripped += next;
  }
}

/**
 * What a value is called among those that were given: hooks may give it another name, or compute
 * one that has none there.
 */
function sources(
  given: ReadonlyMap<string, Tensor>,
  origins: ReadonlyMap<string, string>,
  stripped: string,
): (name: string, value: Tensor) => string {
  const nameOf = new Map([...given].map(([name, value]) => [value, name]));
  return (name, value) => {
    const before = stripped + name;
    const kept = given.get(before) === value ? before : nameOf.get(value);
    return kept === undefined ? name : origins.get(kept)!;
  };
}

function conversionsOf(
  values: ReadonlyMap<string, Tensor>,
  own: ReadonlyMap<string, Tensor>,
): Record<string, number> {
  const conversions: Record<string, number> = {};
  for (const [name, { dtype }] of values) {
    const needs = own.get(name)!.dtype;
    if (dtype === needs) continue;
    const change = `${dtype} to ${needs}`;
    conversions[change] = (conversions[change] ?? 0) + 1;
  }
  return conversions;
}

/** A tensor that stands under several keys needs one value. */
function withoutValue(
  own: ReadonlyMap<string, Tensor>,
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
 * @throws ArgumentError as `matchState`.
 */
export function loadMatching(
  module: AnyModule,
  values: ReadonlyMap<string, Tensor>,
  options?: MatchOptions,
): StateMatch {
  const match = matchState(module, values, options);
  module.loadPreparedState(match.values, { strict: false });
  return match;
}
