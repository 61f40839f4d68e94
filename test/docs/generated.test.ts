import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { generatedFiles } from '../../scripts/docs/files.mjs';
import * as torchts from '../../src/internal.ts';

// `npm run docs` writes them anew.
it.each([...generatedFiles(torchts)])('%s is what the sources say', (file, text) => {
  expect(readFileSync(file, 'utf8') === text, `${file} is out of date: npm run docs`).toBe(true);
});
