/** What differs between two resolved configs, key by key. */

import { isDeepStrictEqual } from 'node:util';
import YAML from 'yaml';
import { type ConfigPath, formatPath } from './place.ts';

export interface ConfigChange {
  readonly path: ConfigPath;
  /** Undefined where the key was, or is, not set. */
  readonly before: unknown;
  readonly after: unknown;
}

/** @param before, after YAML, such as the `config.yaml` of two runs. */
export function configChanges(before: string, after: string): ConfigChange[] {
  return changes(YAML.parse(before), YAML.parse(after), []);
}

function changes(before: unknown, after: unknown, path: ConfigPath): ConfigChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isCollection(before) || !isCollection(after)) return [{ path, before, after }];
  if (Array.isArray(before) !== Array.isArray(after)) return [{ path, before, after }];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    changes(before[key], after[key], [...path, Array.isArray(after) ? Number(key) : key]),
  );
}

function isCollection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** `optimizer.lr: 0.1 -> 0.01`. */
export function formatChange({ path, before, after }: ConfigChange): string {
  return `${formatPath(path)}: ${shown(before)} -> ${shown(after)}`;
}

const LONGEST = 60;

function shown(value: unknown): string {
  if (value === undefined) return '(not set)';
  const text = isCollection(value) ? JSON.stringify(value) : String(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}
