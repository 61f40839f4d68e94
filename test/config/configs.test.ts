import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { checkModel } from '../../src/config/model-check.ts';
import { shippedConfigs } from './configs.ts';

/** A folder for configs whose data a script makes. */
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'torchts-configs-'));
  execFileSync('node', ['docs/tutorial/make-images.mjs', path.join(folder, 'photos')]);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What stands for what is not in a fresh checkout. */
function overridesOf(file: string): string[] {
  if (file !== 'configs/image-folder.yaml') return [];
  return ['train', 'val'].map((split) => `data.${split}.root=${path.join(folder, 'photos')}`);
}

describe.each(shippedConfigs)('%s', (file) => {
  it('begins with the command that runs it', () => {
    const command = file.startsWith('configs/bench/') ? 'bench' : 'train';
    expect(readFileSync(file, 'utf8').split('\n')[0]).toBe(`# torchts ${command} ${file}`);
  });

  it('loads, and so does its resolved text', () => {
    const { config, text } = loadConfig(file);
    const resolved = path.join(os.tmpdir(), `torchts-resolved-${process.pid}.yaml`);
    writeFileSync(resolved, text);
    expect(loadConfig(resolved).config).toEqual(config);
  });

  it('has a model that fits its data', () => {
    const { outputs, source } = checkModel(loadConfig(file, { overrides: overridesOf(file) }));
    const { classes, target } = source;
    expect(outputs[0].shape[1]).toBe(classes.length > 0 ? classes.length : target.shape[0]);
  });
});

describe('checkModel', () => {
  const [file] = shippedConfigs;
  const check =
    (...overrides: string[]) =>
    () =>
      checkModel(loadConfig(file!, { overrides }));

  it('points at the layer that does not fit', () => {
    expect(check('model.layers.7.in_features=401')).toThrow(
      /^configs\/cifar10-cnn\.yaml:\d+:7 model\.layers\[7\]: \[linear\] input \(4, 400\) .*\n {4,}- /,
    );
  });

  it('infers sizes that are left out', () => {
    const overrides = ['model.layers.7.in_features=null', 'model.layers.3.in_channels=null'];
    expect(check(...overrides)().layers.at(-1)!.parameters).toBe(62_006);
  });

  it('points at a data set that cannot be', () => {
    expect(check('data.train.transforms.1.mean=[0.5, 0.5]')).toThrow(/data\.train/);
  });
});
