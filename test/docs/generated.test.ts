import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { GENERATED_FOLDERS, generatedFiles } from '../../scripts/docs/files.mjs';
import * as torchts from '../../src/internal.ts';

const files = generatedFiles(torchts);

// `npm run docs` writes them anew.
describe('generated files', () => {
  it.each([...files])('%s is what the sources say', (file, text) => {
    expect(readFileSync(file, 'utf8') === text, `${file} is out of date: npm run docs`).toBe(true);
  });

  it.each(GENERATED_FOLDERS)('%s holds nothing else', (folder) => {
    const there = readdirSync(folder).map((name) => path.join(folder, name));
    expect(there.filter((file) => !files.has(file))).toEqual([]);
  });
});

describe('descriptions', () => {
  const { config, registries } = torchts.describeConfig(torchts.registries);

  it('are given of every key of the config', () => {
    expect(undescribed('', config)).toEqual([]);
  });

  it('are given of every argument where no page of PyTorch or another library has them', () => {
    const missing = [...registries].flatMap(([registry, types]) =>
      Object.entries(types)
        .filter(([type]) => registry.about(type).page === undefined)
        .flatMap(([type, schema]) => undescribed(`${registry.kind} ${type}`, schema)),
    );
    expect(missing).toEqual([]);
  });
});

/** The paths of the keys without a description. */
function undescribed(where: string, schema: Record<string, unknown>): string[] {
  const properties = (schema.properties ?? {}) as Record<string, Record<string, unknown>>;
  return Object.entries(properties).flatMap(([key, field]) => {
    const at = `${where}.${key}`;
    return [...(field.description === undefined ? [at] : []), ...undescribed(at, field)];
  });
}
