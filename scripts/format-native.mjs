/** Formats the C++ sources in place: `npm run format` runs it after Biome. */

import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clangFormat, nativeSources } from './native-sources.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const formatter = clangFormat();
if ('missing' in formatter) {
  console.error(`${formatter.missing}: C++ left as it is`);
  process.exit(1);
}
const done = spawnSync(formatter.program, ['-i', ...nativeSources(root)], {
  cwd: root,
  stdio: 'inherit',
});
process.exit(done.status ?? 1);
