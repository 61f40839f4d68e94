/** Finds imports that break the rules; see `rules.ts`. */

import { dirname, join } from 'node:path/posix';
import { EXCLUSIVE, FORBIDDEN, LEVELS, PRIVATE, SIDEWAYS } from './rules.ts';

/**
 * The library's face, and what its own scripts see: they may import everything, and nothing imports
 * them, but for who hands the face to a user's code.
 */
const FACES = ['src/index.ts', 'src/internal.ts'];
const FACE_USERS = ['src/config/user-code.ts'];

const IMPORT_FORMS = [
  /^import\s+(?:type\s+)?[\w\s{},*$]+?\s+from\s+['"]([^'"]+)['"]/gm,
  /^export\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s+from\s+['"]([^'"]+)['"]/gm,
  /^import\s+['"]([^'"]+)['"]/gm,
  /\bimport\(\s*['"]([^'"]+)['"]/g,
];

/** The module names a source imports: values, types, re-exports and `import()`. */
export function importsOf(source: string): string[] {
  return IMPORT_FORMS.flatMap((form) => [...source.matchAll(form)].map((match) => match[1]!));
}

/**
 * One line for each broken rule.
 *
 * @param path of the source, such as `src/io/safetensors.ts`
 */
export function violations(path: string, source: string): string[] {
  const found = EXCLUSIVE.filter(
    ([, sign, users]) => sign.test(source) && !isAmong(path, users),
  ).map(([what, , users]) => `${path}: only ${users.join(', ')} may ${what}`);
  for (const name of importsOf(source)) {
    if (!name.startsWith('.')) continue;
    const target = join(dirname(path), name);
    const problem = wrongEdge(path, target);
    if (problem !== undefined) found.push(`${path} -> ${target}: ${problem}`);
  }
  return found;
}

function wrongEdge(path: string, target: string): string | undefined {
  if (target === 'src/index.ts' && FACE_USERS.includes(path)) return undefined;
  if (FACES.includes(target)) return 'nothing in src may import the public face';
  if (FACES.includes(path)) return undefined;
  const from = roomOf(path);
  const to = roomOf(target);
  if (levelOf(from) < 0) return `src/${from} is not in LEVELS`;
  if (levelOf(to) < 0) return `${target} is in no room of LEVELS`;
  return wrongRoom(from, to) ?? trespass(path, target);
}

function wrongRoom(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const forbidden = FORBIDDEN.find((rule) => rule[0] === from && rule[1] === to);
  if (forbidden !== undefined) return forbidden[2];
  if (levelOf(from) > levelOf(to)) return `${from} is below ${to}`;
  const beside = levelOf(from) === levelOf(to);
  const allowed = SIDEWAYS.some((edge) => edge[0] === from && edge[1] === to);
  return beside && !allowed ? `${from} stands beside ${to}` : undefined;
}

function trespass(path: string, target: string): string | undefined {
  const rule = PRIVATE.find(([folder]) => target.startsWith(folder));
  if (rule === undefined || isAmong(path, rule[1])) return undefined;
  return `the inside of ${rule[0]} is open to ${rule[1].join(', ')} only`;
}

/** `places` holds files, and folders that end in `/`. */
function isAmong(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
}

function roomOf(path: string): string {
  return path.split('/')[1] ?? '';
}

function levelOf(room: string): number {
  return LEVELS.findIndex((rooms) => rooms.includes(room));
}
