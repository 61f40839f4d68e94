/**
 * Writes what follows from the command's definition and the config's schema: the JSON Schema for
 * editors. A test keeps it current.
 *
 *     npm run docs
 */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { generatedFiles } from './docs/files.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// By its address: the types of a `dist/` that is older than `src/` are of no use.
const internal = await import(pathToFileURL(join(root, 'dist/internal.js')).href);

for (const [file, text] of generatedFiles(internal)) writeFileSync(join(root, file), text);
