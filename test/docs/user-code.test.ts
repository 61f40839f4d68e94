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

describe('docs/metrics.md', () => {
  it('measures with the metric it shows, and says where it cannot', async () => {
    writeFileSync(join(folder, 'bias.ts'), blocks('metrics.md', 'ts').join('\n'));
    writeFileSync(join(folder, 'pairs.ts'), PAIRS);
    writeFileSync(join(folder, 'pairs.yaml'), PAIRS_CONFIG);
    const { metrics } = await trained('pairs.yaml');
    expect(metrics.train_bias).toBeTypeOf('number');
    // The loss takes what the metric cannot.
    await expect(trained('pairs.yaml', ['model.out_features=3'])).rejects.toThrow(
      /pairs\.yaml:6:11 metrics\[0\]: \[sub\] /,
    );
  });
});

const PAIRS = `
import { Module, type Tensor } from 'torchts';
export const pairs = {
  input: { dtype: 'float32', shape: [1] },
  target: { dtype: 'float32', shape: [2] },
  length: 8,
  get: (i: number) => [i, [i, 2 * i]],
};
export class First extends Module {
  forward(output: Tensor, target: Tensor): Tensor {
    return output.select(1, 0).sub(target.select(1, 0)).square().mean();
  }
}
`;

const PAIRS_CONFIG = `\
data: { train: ./pairs.ts#pairs, batch_size: 4 }
model:
  type: Linear
  out_features: 2
loss: ./pairs.ts#First
metrics: [./bias.ts#Bias]
optimizer: SGD
trainer: { epochs: 1 }
`;

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
