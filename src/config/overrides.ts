/** `optimizer.lr=0.01 model.layers.0.out_channels=12`: values given on the command line. */

import { configError, formatPath, type Place, type SourceText } from './place.ts';
import { isNull, type ObjectTree, type Tree, withKey } from './tree.ts';
import { parseYaml } from './yaml.ts';

/**
 * Sets one value. The part after the first `=` is read as YAML; null removes the key. Keys that do
 * not exist are created, for the schema to judge; items of lists must exist. A path into a bare
 * word (`loss.reduction=sum` over `loss: NLLLoss`) makes it an object with that `type`.
 *
 * @throws ConfigError that shows the argument.
 */
export function applyOverride(root: ObjectTree, argument: string): ObjectTree {
  const source: SourceText = { file: undefined, lines: argument.split('\n') };
  const equals = argument.indexOf('=');
  if (equals <= 0 || equals === argument.length - 1) {
    throw fault(source, 1, `expected key=value, got "${argument}"`);
  }
  const keys = splitPath(argument.slice(0, equals), source);
  const value = parseYaml(argument.slice(equals + 1), source, equals + 2);
  return set(root, keys, value, []) as ObjectTree;
}

interface Key {
  readonly name: string;
  readonly place: Place;
}

/** `a.b.0` or `a.b[0]` into keys with their places. */
function splitPath(text: string, source: SourceText): Key[] {
  const keys = [...text.matchAll(/[^.[\]]+/g)].map((match) => ({
    name: match[0],
    place: { source, line: 1, column: match.index + 1 },
  }));
  const plain = text.replaceAll(/\[(\d+)\]/g, '.$1');
  if (keys.map((key) => key.name).join('.') !== plain) {
    throw fault(source, 1, `"${text}" is not a path such as optimizer.lr or model.layers.0.bias`);
  }
  for (const { name, place } of keys) {
    if (['__proto__', 'constructor', 'prototype'].includes(name)) {
      throw fault(source, place.column, `"${name}" cannot be a key`);
    }
  }
  return keys;
}

function set(tree: Tree, keys: readonly Key[], value: Tree, done: readonly Key[]): Tree {
  const [key, ...rest] = keys;
  if (key === undefined) return value;
  const path = [...done, key];
  if (tree.kind === 'list') {
    const index = indexOf(tree, key, done);
    const item = set(tree.items[index]!, rest, value, path);
    return { ...tree, items: tree.items.with(index, item) };
  }
  const object = tree.kind === 'object' ? tree : fromScalar(tree, key.place);
  if (rest.length === 0 && isNull(value)) return withKey(object, key.name, undefined);
  const below = object.entries.get(key.name)?.tree ?? emptyObject(key.place);
  return withKey(object, key.name, { key: key.place, tree: set(below, rest, value, path) });
}

function indexOf(list: Tree & { kind: 'list' }, key: Key, done: readonly Key[]): number {
  const name = formatPath(done.map((part) => part.name));
  const size = list.items.length;
  const range = size === 0 ? 'is empty' : `has items 0 to ${size - 1}`;
  if (!/^\d+$/.test(key.name)) {
    const message = `${name} is a list; "${key.name}" is not an index`;
    throw fault(key.place.source, key.place.column, message);
  }
  if (Number(key.name) >= size) {
    throw fault(key.place.source, key.place.column, `${name} ${range}; there is no ${key.name}`);
  }
  return Number(key.name);
}

/** What a path goes on in where a scalar stands: a bare word is a type; anything else gives way. */
function fromScalar(tree: Tree, place: Place): ObjectTree {
  const object = emptyObject(place);
  if (tree.kind !== 'scalar' || typeof tree.value !== 'string') return object;
  return withKey(object, 'type', { key: tree.place, tree });
}

function emptyObject(place: Place): ObjectTree {
  return { kind: 'object', place, entries: new Map() };
}

function fault(source: SourceText, column: number, message: string) {
  return configError([{ place: { source, line: 1, column }, path: [], message }]);
}
