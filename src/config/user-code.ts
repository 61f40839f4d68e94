/**
 * Code of a user's own in a config: `type: ./file.ts#Export`. The files are imported before the
 * schema is applied, and each name is replaced by one with an absolute path, so that the resolved
 * config of a run works from anywhere. Only a config can name code, never a data file.
 */

import fs from 'node:fs';
import path from 'node:path';
import { nearestName } from '../base/errors.ts';
import { provideUserType, splitUserType, userPlace } from '../base/user-code.ts';
import {
  type ConfigPath,
  configError,
  displayName,
  type Fault,
  formatPlace,
  type Place,
} from './place.ts';
import { asObject, mapScalars, type ObjectTree, type Scalar } from './tree.ts';

/** A name of a user's type and where it stands. */
interface Reference {
  readonly place: Place;
  readonly path: ConfigPath;
  /** The path of the file as it is written, and absolute. */
  readonly written: string;
  readonly file: string;
  readonly name: string;
}

/**
 * The tree with every user's type under its absolute name, after importing all of them.
 *
 * @throws ConfigError that lists every file and export that cannot be had, with its place; a
 *   mistake inside a user's file is shown there.
 */
export async function importUserCode(tree: ObjectTree): Promise<ObjectTree> {
  const references: Reference[] = [];
  const resolved = mapScalars(tree, ({ value, place }, at) => {
    const reference = referenceIn(value, place, at);
    if (reference === undefined) return value;
    references.push(reference);
    return `${reference.file}#${reference.name}`;
  });
  const faults: Fault[] = [];
  for (const file of new Set(references.map((reference) => reference.file))) {
    const uses = references.filter((reference) => reference.file === file);
    const exported = await importFile(uses[0]!).catch((fault: Fault) => {
      faults.push(fault);
    });
    if (exported === undefined) continue;
    for (const { place, path: at, name } of uses) {
      if (Object.hasOwn(exported, name)) provideUserType(`${file}#${name}`, exported[name]);
      else faults.push({ place, path: at, message: noExport(name, file, Object.keys(exported)) });
    }
  }
  if (faults.length > 0) throw configError(faults);
  return asObject(resolved);
}

function referenceIn(value: Scalar, place: Place, at: ConfigPath): Reference | undefined {
  const parts = typeof value === 'string' ? splitUserType(value) : undefined;
  if (parts === undefined) return undefined;
  const { file: config } = place.source;
  // What the command line names is relative to the current folder, as its other files are.
  const folder = config === undefined ? '.' : path.dirname(config);
  const file = path.resolve(folder, parts.file);
  return { place, path: at, written: parts.file, file, name: parts.name };
}

type Exports = Readonly<Record<string, unknown>>;

/** What a file exports. Rejects with a `Fault`. */
async function importFile(reference: Reference): Promise<Exports> {
  const { place, path: at, file } = reference;
  if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
    throw { place, path: at, message: noFile(reference) } satisfies Fault;
  }
  try {
    const { import: load } = await importer();
    return await load<Exports>(file);
  } catch (error) {
    throw faultOf(error, reference);
  }
}

function noFile({ written, file }: Reference): string {
  const folder = path.dirname(file);
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  const nearest = nearestName(path.basename(file), names);
  const hint = nearest === undefined ? '' : `; did you mean ${path.dirname(written)}/${nearest}?`;
  return `there is no file ${displayName(file)}${hint}`;
}

function noExport(name: string, file: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  const list = known.length === 0 ? 'it exports nothing' : `it exports ${known.join(', ')}`;
  const hint = nearest === undefined ? list : `did you mean "${nearest}"?`;
  return `${displayName(file)} has no export "${name}"; ${hint}`;
}

type Importer = Pick<import('jiti').Jiti, 'import'>;
let made: Promise<Importer> | undefined;

/**
 * Imports TypeScript without a build step, keeping nothing on disk. `torchts` and `zod` are the
 * copies that are running, wherever the file lies: `instanceof` holds across both. One for the
 * process, so that a file is run once and its classes stay the same.
 */
function importer(): Promise<Importer> {
  made ??= (async () => {
    const [{ createJiti }, torchts, zod] = await Promise.all([
      import('jiti'),
      import('../index.ts'),
      import('zod'),
    ]);
    return createJiti(import.meta.url, {
      virtualModules: { torchts, zod },
      fsCache: false,
      tryNative: false,
      interopDefault: false,
    });
  })();
  return made;
}

const SYNTAX = /^ParseError: (.*?)\s+(\/.*):(\d+):(\d+)$/s;
const NOT_FOUND = /^Cannot find module '(.*)'/;

/** An error of importing a file, at its place in the user's code where that is known. */
function faultOf(error: unknown, { place, path: where, file }: Reference): Fault {
  const { message = String(error), name = 'Error' } = error instanceof Error ? error : {};
  const named = `(${displayName(file)} is named in ${formatPlace(place)})`;
  const [, what, broken, line, column] = SYNTAX.exec(message) ?? [];
  if (broken !== undefined) {
    const at = placeIn(broken, Number(line), Number(column) + 1);
    return { place: at, path: [], message: `${what!.trim()} ${named}` };
  }
  const missing = NOT_FOUND.exec(message)?.[1];
  if (missing !== undefined) {
    const [importing = file] = (error as { requireStack?: string[] }).requireStack ?? [];
    const at = placeIn(importing, lineWith(importing, missing));
    return { place: at, path: [], message: `cannot find the module ${missing} ${named}` };
  }
  const thrown = userPlace(error);
  const text = `${name}: ${message.split('\n')[0]}`;
  if (thrown === undefined) return { place, path: where, message: `${displayName(file)}: ${text}` };
  return { place: placeIn(thrown.file, thrown.line), path: [], message: `${text} ${named}` };
}

/** A place in a user's file; without a column, the first word of the line. */
function placeIn(file: string, line: number, column?: number): Place {
  const lines = readLines(file);
  const indent = /^\s*/.exec(lines[line - 1] ?? '')![0].length;
  return { source: { file: displayName(file), lines }, line, column: column ?? indent + 1 };
}

function lineWith(file: string, text: string): number {
  return (
    Math.max(
      0,
      readLines(file).findIndex((line) => line.includes(text)),
    ) + 1
  );
}

function readLines(file: string): string[] {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split(/\r\n|\r|\n/) : [];
}
