/** Reads a config file and the files it `extends`. */

import fs from 'node:fs';
import path from 'node:path';
import { ConfigError, nearestName } from '../base/errors.ts';
import { configError, displayName, type Place, type SourceText } from './place.ts';
import { asObject, merge, type ObjectTree, type Tree, withKey } from './tree.ts';
import { MAX_BYTES, parseYaml } from './yaml.ts';

const MAX_EXTENDS = 16;

/**
 * The tree of `file` laid over the tree of the file that its `extends:` names, and so on.
 *
 * @throws ConfigError when a file is missing, is not YAML, or the chain goes in a circle.
 */
export function readConfig(file: string): ObjectTree {
  return readChain(path.resolve(file), undefined, []);
}

function readChain(file: string, asked: Place | undefined, chain: readonly string[]): ObjectTree {
  const complain = (message: string) =>
    asked === undefined
      ? new ConfigError(message)
      : configError([{ place: asked, path: ['extends'], message }]);

  if (chain.includes(file)) {
    const circle = [...chain.slice(chain.indexOf(file)), file].map(displayName).join(' -> ');
    throw complain(`goes in a circle: ${circle}`);
  }
  if (chain.length >= MAX_EXTENDS) throw complain(`more than ${MAX_EXTENDS} files in a chain`);

  const text = readText(file, complain);
  const source: SourceText = { file: displayName(file), lines: text.split(/\r\n|\r|\n/) };
  const tree = rootObject(parseYaml(text, source));
  const base = tree.entries.get('extends');
  if (base === undefined) return tree;

  const baseFile = path.resolve(path.dirname(file), extendsOf(base.tree));
  const below = readChain(baseFile, base.tree.place, [...chain, file]);
  return asObject(merge(below, withKey(tree, 'extends', undefined)));
}

function rootObject(tree: Tree): ObjectTree {
  if (tree.kind === 'object') return tree;
  const empty = tree.kind === 'scalar' && tree.value === null;
  const got = empty
    ? 'the file is empty'
    : `got a ${tree.kind === 'list' ? 'list' : 'single value'}`;
  const message = `expected a config with the keys data, model, loss, optimizer, trainer; ${got}`;
  throw configError([{ place: tree.place, path: [], message }]);
}

function extendsOf(tree: Tree): string {
  if (tree.kind === 'scalar' && typeof tree.value === 'string' && tree.value !== '') {
    return tree.value;
  }
  const message = 'expected the name of a config file';
  throw configError([{ place: tree.place, path: ['extends'], message }]);
}

function readText(file: string, complain: (message: string) => ConfigError): string {
  const name = displayName(file);
  let bytes: Buffer;
  try {
    const stat = fs.statSync(file);
    if (stat.isDirectory()) throw complain(`${name} is a directory, not a config file`);
    if (stat.size > MAX_BYTES) {
      throw complain(`${name} has ${stat.size} bytes; a config has at most ${MAX_BYTES}`);
    }
    bytes = fs.readFileSync(file);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw complain(
      code === 'ENOENT' || code === 'ENOTDIR'
        ? `no such file: ${name}${suggestion(file)}`
        : `cannot read ${name}: ${message}`,
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw complain(`${name} is not UTF-8 text`);
  }
}

/** The YAML file most like the missing one, in its folder or in `configs/`. */
function suggestion(file: string): string {
  const candidates = new Map<string, string>();
  for (const folder of [path.resolve('configs'), path.dirname(file)]) {
    for (const name of yamlFiles(folder)) candidates.set(stem(name), path.join(folder, name));
  }
  const nearest = nearestName(stem(file), candidates.keys());
  return nearest === undefined ? '' : `; did you mean ${displayName(candidates.get(nearest)!)}?`;
}

function yamlFiles(folder: string): string[] {
  try {
    return fs.readdirSync(folder).filter((name) => /\.ya?ml$/.test(name));
  } catch {
    return []; // no such folder: nothing to suggest from it
  }
}

/** A file's name without folder and extension. */
export function stem(file: string): string {
  return path.basename(file).replace(/\.ya?ml$/, '');
}
