/**
 * Writes what follows from the commands' definitions and the config's schemas: docs/commands,
 * docs/config, and the JSON Schema for editors. A test keeps them current.
 *
 *     npm run docs
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { GENERATED_FOLDERS, generatedFiles } from './docs/files.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// By its address: the types of a `dist/` that is older than `src/` are of no use.
const internal = await import(pathToFileURL(join(root, 'dist/internal.js')).href);

for (const folder of GENERATED_FOLDERS)
  rmSync(join(root, folder), { recursive: true, force: true });
for (const [file, text] of generatedFiles(internal)) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}
