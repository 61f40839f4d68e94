/**
 * A user's own code: what a config names as `./file.ts#Export` after `type:`. The config's loader
 * imports the files and provides their exports here; registries look them up; and whoever runs
 * such code asks here whether an error came from it.
 */

import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TorchtsError } from './errors.ts';
import { PACKAGE_ROOT } from './package-root.ts';

/** `./file.ts#Export`: the file and the export. */
export const USER_TYPE = /^((?:\.{1,2}\/|\/).+\.[cm]?[jt]s)#([A-Za-z_$][\w$]*)$/;
/** What was meant to be a user's type, but lacks a part. */
const NEARLY = /^(?:\.{1,2}\/|\/)|\.[cm]?[jt]s(?:#|$)/;

/** The file and the export that a type names; nothing where it is the name of a shipped one. */
export function splitUserType(type: string): { file: string; name: string } | undefined {
  const [, file, name] = USER_TYPE.exec(type) ?? [];
  return file === undefined ? undefined : { file, name: name! };
}

/** What to say of a type that looks like a file and is none. */
export function userTypeHint(type: string): string | undefined {
  if (splitUserType(type) !== undefined) {
    return `the code in ${type} was not loaded; only the file of a config can name it`;
  }
  if (!NEARLY.test(type)) return undefined;
  return 'code of your own is written ./file.ts#Export, with the folder and the name of the export';
}

/** A type without its folders: `net.ts#Net`, the same wherever the project lies. */
export function shortType(type: string): string {
  return splitUserType(type) === undefined ? type : type.slice(type.lastIndexOf('/') + 1);
}

const provided = new Map<string, unknown>();

/** @param type the absolute path of the file, `#` and the name of the export. */
export function provideUserType(type: string, value: unknown): void {
  provided.set(type, value);
}

/** What was exported under that name, in an object; nothing where it was not provided. */
export function userExport(type: string): { readonly value: unknown } | undefined {
  return provided.has(type) ? { value: provided.get(type) } : undefined;
}

/** Where something was thrown; lines count from 1. */
export interface CodePlace {
  readonly file: string;
  readonly line: number;
}

const FRAME = /^\s*at .*?\(?((?:file:\/\/)?\/[^():]+):(\d+):\d+\)?$/;
/** What is not a user's: our own code, and packages. */
const OURS = ['src', 'dist', 'test', 'node_modules'].map(
  (folder) => join(PACKAGE_ROOT, folder) + sep,
);

/** The innermost line of a user's file that an error passed through. */
export function userPlace(error: unknown): CodePlace | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined;
  for (const text of error.stack.split('\n')) {
    const [, path, line] = FRAME.exec(text) ?? [];
    if (path === undefined) continue;
    const file = path.startsWith('file:') ? fileURLToPath(path) : path;
    const isUsers = !OURS.some((folder) => file.startsWith(folder));
    if (isUsers && !file.includes('/node_modules/')) return { file, line: Number(line) };
  }
  return undefined;
}

/**
 * What to say of an error, with the line of the user's file that it came from. Nothing for an error
 * that is neither typed, and so complete in itself, nor had such a file a part in it: a bug of
 * ours.
 */
export function userMessage(error: unknown): string | undefined {
  const isTyped = error instanceof TorchtsError;
  const place = provided.size === 0 ? undefined : userPlace(error);
  if (place === undefined) return isTyped ? error.message : undefined;
  const { name, message } = error as Error;
  return `${isTyped ? '' : `${name}: `}${message} (${shownFile(place.file)}:${place.line})`;
}

/** Relative to the current folder where it lies in it. */
function shownFile(file: string): string {
  const near = relative(process.cwd(), file);
  return near.startsWith('..') ? file : near;
}
