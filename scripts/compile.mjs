/**
 * Compiles `src/` to `dist/`: declarations by TypeScript, which also checks all types, and the code
 * by Rolldown in a few files that hold what they need of npm's packages too. At every start of the
 * command Node would take longer to find hundreds of small modules than to run them.
 *
 *     node scripts/compile.mjs
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');

/** What is imported from outside `dist/`; all share one copy of what they have in common. */
const ENTRIES = ['index', 'internal', 'cli/main'];

if (declare()) await bundle();
else process.exitCode = 1;

function declare() {
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const command = [compiler, '-p', 'tsconfig.build.json'];
  return spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' }).status === 0;
}

async function bundle() {
  const { build } = await import('rolldown');
  const entries = ENTRIES.filter((name) => existsSync(join(root, `src/${name}.ts`)));
  // Their names change with what is in them.
  rmSync(join(dist, 'chunks'), { recursive: true, force: true });
  const { output } = await build({
    cwd: root,
    input: Object.fromEntries(entries.map((name) => [name, `src/${name}.ts`])),
    platform: 'node',
    // It loads parts of itself by their places, and only for configs that name code.
    external: ['jiti'],
    plugins: [rawText()],
    transform: { target: 'node20' },
    output: { dir: dist, format: 'esm', sourcemap: true, chunkFileNames: 'chunks/[name].js' },
  });
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
  writeFileSync(join(dist, 'LICENSES.txt'), licenses(modules));
}

/** `import text from './file.css?raw'` gives the file's text, as it does in Vite. */
function rawText() {
  const suffix = '?raw';
  return {
    name: 'raw text',
    /** @this {import('rolldown').PluginContext} @param {string} source @param {string=} importer */
    async resolveId(source, importer) {
      if (!source.endsWith(suffix)) return null;
      const resolved = await this.resolve(source.slice(0, -suffix.length), importer);
      return resolved && `${resolved.id}${suffix}`;
    },
    /** @param {string} id */
    load(id) {
      if (!id.endsWith(suffix)) return null;
      const text = readFileSync(id.slice(0, -suffix.length), 'utf8');
      return { code: `export default ${JSON.stringify(text)};`, moduleType: 'js' };
    },
  };
}

/**
 * The licences of the packages that are part of the output.
 *
 * @param {readonly string[]} modules paths of what was bundled
 */
function licenses(modules) {
  const folders = modules.map(
    (path) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0],
  );
  const packages = [...new Set(folders.filter((folder) => folder !== undefined))].sort();
  return packages.map(licenseOf).join('\n');
}

/** @param {string} folder a package's */
function licenseOf(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter((file) => /^licen[cs]e/i.test(file));
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (texts.length === 0) throw new Error(`${name} has no licence that could be handed on`);
  return `${name} ${version}\n\n${texts.join('\n\n')}\n`;
}
