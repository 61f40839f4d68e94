/** The numbers of parameters in docs/models.md. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { nn } from '../../src/index.ts';
import { countParameters } from '../../src/nn/describe.ts';

const recorded = JSON.parse(
  readFileSync(new URL('../fixtures/models/models.json', import.meta.url), 'utf8'),
) as Record<string, unknown>;

it('docs/models.md says of every model of torchvision how many parameters it has', () => {
  const page = readFileSync('docs/models.md', 'utf8');
  const listed = [...page.matchAll(/`(\w+)` ([\d.]+) M\b/g)].map(([, name, millions]) => [
    name!,
    millions!,
  ]);
  const types = Object.keys(recorded).filter((name) => nn.modules.get(name) !== undefined);
  expect(listed.map(([name]) => name).sort()).toEqual(types.sort());
  const counted = listed.map(([name]) => {
    const count = countParameters(nn.build<nn.AnyModule>({ type: name }));
    return [name, (count / 1e6).toFixed(1)];
  });
  expect(counted).toEqual(listed);
});
