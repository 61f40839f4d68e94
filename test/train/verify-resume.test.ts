/** `torchts verify-resume`, with processes that are really killed. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfigWithCode } from '../../src/config/load.ts';
import { verifyResume } from '../../src/train/verify-resume.ts';
import { temporaryFolder } from '../io/temporary-folder.ts';

/** Four steps an epoch. `input` is what the data set gives for sample `i`. */
async function verify(input: string) {
  const folder = await temporaryFolder();
  const config = join(folder, 'tiny.yaml');
  await writeFile(
    join(folder, 'data.ts'),
    `export class Numbers {
  readonly input = { dtype: 'float32', shape: [2] } as const;
  readonly target = { dtype: 'float32', shape: [1] } as const;
  readonly classes = [];
  readonly length = 16;
  calls = 0;
  get(i: number) {
    return [${input}, [i % 3]] as const;
  }
}
`,
  );
  await writeFile(
    config,
    `data: { train: { type: './data.ts#Numbers' }, batch_size: 4 }
model: { type: Sequential, layers: [{ type: Linear, name: out, out_features: 1 }] }
loss: MSELoss
optimizer: { type: Adam, lr: 0.01 }
trainer: { epochs: 5, log_every: 2 }
`,
  );
  const kinds: string[] = [];
  const result = await verifyResume({
    loaded: await loadConfigWithCode(config),
    config,
    overrides: [],
    threads: 1,
    steps: 10,
    signal: new AbortController().signal,
    onTrial: ({ kind }) => kinds.push(kind),
  });
  expect(kinds).toEqual(['again', 'mid-epoch', 'epoch end']);
  expect(result).toMatchObject({ name: 'tiny', steps: 10, steps_per_epoch: 4 });
  expect(result.trials.map(({ killed_after }) => killed_after)).toEqual([null, 5, 8]);
  const differences = result.trials.map(({ difference }) => difference);
  return { exact: result.exact, differences };
}

const TENSOR =
  /^last\/model\.safetensors: out\.(weight|bias) differs in [12] of [12] elements, by up to [\d.e-]+$/;

describe('verify-resume', { timeout: 120_000 }, () => {
  it('finds nothing where training is exact', async () => {
    const found = await verify('[i, Math.sin(i)]');
    expect(found).toEqual({ exact: true, differences: [null, null, null] });
  });

  it('finds data that are not the same twice', async () => {
    const { exact, differences } = await verify('[i, Math.random()]');
    expect(exact).toBe(false);
    for (const difference of differences) expect(difference).toMatch(TENSOR);
  });

  it('finds state that no checkpoint holds', async () => {
    const { exact, differences } = await verify('[i, Math.sin(this.calls++)]');
    expect(exact).toBe(false);
    expect(differences[0]).toBeNull();
    expect(differences[1]).toMatch(TENSOR);
    expect(differences[2]).toMatch(TENSOR);
  });
});
