/**
 * A config as it was written: values that remember where they stand. Base files and arguments of
 * the command line are merged on this tree, so a fault in any value points at its own text.
 */

import { assert, nearestName } from '../base/errors.ts';
import { type ConfigPath, configError, type Place } from './place.ts';

export type Scalar = string | number | boolean | null;

export type Tree =
  | { readonly kind: 'scalar'; readonly place: Place; readonly value: Scalar }
  | { readonly kind: 'list'; readonly place: Place; readonly items: readonly Tree[] }
  | {
      readonly kind: 'object';
      readonly place: Place;
      readonly entries: ReadonlyMap<string, Entry>;
    };

export type ObjectTree = Tree & { kind: 'object' };

export interface Entry {
  /** Where the key stands. */
  readonly key: Place;
  readonly tree: Tree;
}

/** The plain value, ready for a schema. */
export function toValue(tree: Tree): unknown {
  switch (tree.kind) {
    case 'scalar':
      return tree.value;
    case 'list':
      return tree.items.map(toValue);
    case 'object':
      return Object.fromEntries(
        [...tree.entries].map(([key, entry]) => [key, toValue(entry.tree)]),
      );
  }
}

/** The tree with every scalar replaced by what `change` makes of it. */
export function mapScalars(
  tree: Tree,
  change: (scalar: Tree & { kind: 'scalar' }, path: ConfigPath) => Scalar,
  path: ConfigPath = [],
): Tree {
  switch (tree.kind) {
    case 'scalar':
      return { ...tree, value: change(tree, path) };
    case 'list':
      return {
        ...tree,
        items: tree.items.map((item, i) => mapScalars(item, change, [...path, i])),
      };
    case 'object': {
      const entries = [...tree.entries].map(([key, entry]): [string, Entry] => [
        key,
        { ...entry, tree: mapScalars(entry.tree, change, [...path, key]) },
      ]);
      return { ...tree, entries: new Map(entries) };
    }
  }
}

/** What an object of an extending file says of the merge itself. */
const REPLACE = '$replace';
const DELETE = '$delete';

/**
 * A base's value with a value of the extending file laid over it: objects merge key by key; lists
 * and scalars replace; null removes the key. An object with another `type` replaces too, because
 * the base's arguments belong to the base's type, and so does one with `$replace: true`. `$delete`
 * lists keys of the base that go.
 *
 * @throws ConfigError for a `$replace` or `$delete` that says nothing, or names what is not there.
 */
export function merge(base: Tree | undefined, over: Tree): Tree {
  if (over.kind !== 'object') return over;
  const below = base?.kind === 'object' && !replaces(base, over) ? base.entries : undefined;
  const entries = new Map(below);
  for (const key of deletions(over, entries)) entries.delete(key);
  for (const [key, entry] of over.entries) {
    if (key === REPLACE || key === DELETE) continue;
    if (below !== undefined && isNull(entry.tree)) entries.delete(key);
    else entries.set(key, { ...entry, tree: merge(entries.get(key)?.tree, entry.tree) });
  }
  return { ...over, entries };
}

function replaces(base: ObjectTree, over: ObjectTree): boolean {
  const wish = over.entries.get(REPLACE)?.tree;
  if (wish !== undefined && toValue(wish) !== true) {
    throw misuse(wish.place, REPLACE, 'expected true');
  }
  const type = typeOf(over);
  return wish !== undefined || (type !== undefined && type !== typeOf(base));
}

function deletions(over: ObjectTree, known: ReadonlyMap<string, Entry>): string[] {
  const wish = over.entries.get(DELETE)?.tree;
  if (wish === undefined) return [];
  if (wish.kind !== 'list') throw misuse(wish.place, DELETE, 'expected a list of keys');
  return wish.items.map((item) => {
    const key = String(toValue(item));
    if (known.has(key)) return key;
    const nearest = nearestName(key, known.keys());
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    throw misuse(item.place, DELETE, `there is no key "${key}" below${hint}`);
  });
}

function misuse(place: Place, key: string, message: string) {
  return configError([{ place, path: [key], message }]);
}

export function isNull(tree: Tree): boolean {
  return tree.kind === 'scalar' && tree.value === null;
}

function typeOf(tree: ObjectTree): Scalar | undefined {
  const type = tree.entries.get('type')?.tree;
  return type?.kind === 'scalar' ? type.value : undefined;
}

/** A copy of `tree` with one key set. */
export function withKey(tree: ObjectTree, key: string, entry: Entry | undefined): ObjectTree {
  const entries = new Map(tree.entries);
  if (entry === undefined) entries.delete(key);
  else entries.set(key, entry);
  return { ...tree, entries };
}

/**
 * Where the value at `path` stands, or its key with `aim` `'key'`. A path that leads to nothing
 * gives the deepest thing on the way: what a missing key is missing from.
 */
export function locate(tree: Tree, path: ConfigPath, aim: 'key' | 'value' = 'value'): Place {
  let here = tree;
  let key: Place | undefined;
  for (const part of path) {
    const next = step(here, part);
    if (next === undefined) return key ?? here.place;
    key = next.key;
    here = next.tree;
  }
  return (aim === 'key' ? key : undefined) ?? here.place;
}

function step(tree: Tree, part: string | number): { key?: Place; tree: Tree } | undefined {
  if (tree.kind === 'object') return tree.entries.get(String(part));
  if (tree.kind !== 'list') return undefined;
  // A list of data sets stands for the ConcatDataset of them.
  if (part === 'datasets') return { tree };
  const item = tree.items[Number(part)];
  return item && { tree: item };
}

/** The plain value at `path`, or `undefined`. */
export function valueAt(tree: Tree, path: ConfigPath): unknown {
  let here: Tree | undefined = tree;
  for (const part of path) here = here && step(here, part)?.tree;
  return here && toValue(here);
}

/** The tree as an object; only for trees that were checked to be one. */
export function asObject(tree: Tree): ObjectTree {
  assert(tree.kind === 'object', `expected an object, found a ${tree.kind}`);
  return tree;
}
