/** The code of the pages about a user's own code, as a reader would copy it. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfigWithCode } from '../../src/config/load.ts';
import { checkModel } from '../../src/config/model-check.ts';
import { train } from '../../src/train/train.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'torchts-docs-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The blocks of a page in one language, without their fences. */
function blocks(page: string, language: string): string[] {
  const text = readFileSync(join('docs', page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(
    (match) => match[1]!,
  );
}

async function trained(config: string, overrides: string[] = []) {
  const loaded = await loadConfigWithCode(join(folder, config), { overrides });
  checkModel(loaded);
  return train({
    loaded,
    out: join(folder, 'runs'),
    resume: undefined,
    threads: 1,
    signal: new AbortController().signal,
    onEvent: () => undefined,
  });
}

describe('docs/user-code.md', () => {
  it('trains to what its config expects', async () => {
    writeFileSync(join(folder, 'spirals.ts'), blocks('user-code.md', 'ts').join('\n'));
    writeFileSync(join(folder, 'spirals.yaml'), blocks('user-code.md', 'yaml').join('\n'));
    const { ok, metrics } = await trained('spirals.yaml');
    expect(metrics.val_accuracy).toBeGreaterThan(0.9);
    expect(ok).toBe(true);
  });
});

describe('docs/callbacks.md', () => {
  it('logs what its callback measures', async () => {
    writeFileSync(join(folder, 'spirals.ts'), blocks('user-code.md', 'ts').join('\n'));
    writeFileSync(join(folder, 'spirals.yaml'), blocks('user-code.md', 'yaml').join('\n'));
    writeFileSync(join(folder, 'callbacks.ts'), blocks('callbacks.md', 'ts').join('\n'));
    const text = `extends: spirals.yaml\n${blocks('callbacks.md', 'yaml').join('\n')}`;
    writeFileSync(join(folder, 'watched.yaml'), text);
    const { metrics } = await trained('watched.yaml');
    expect(metrics.train_weight_norm).toBeGreaterThan(0);
  });
});
