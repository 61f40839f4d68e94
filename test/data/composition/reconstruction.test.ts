import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/base/build-error.ts';
import { DataLoader, datasets } from '../../../src/data/index.ts';
import { cpuEngine } from '../../../src/engine/native/cpu.ts';

const FAKE = {
  type: 'FakeData',
  size: 5,
  image_size: [1, 4, 4],
  transforms: [{ type: 'RandomCrop', size: 4, padding: 2 }, 'RandomHorizontalFlip', 'ToTensor'],
};

/** The inputs and targets of all batches of an epoch. */
async function batches(spec: object, epoch: number) {
  const engine = cpuEngine();
  const dataset = await datasets.build(spec).load();
  using loader = new DataLoader({ dataset, engine, batch_size: 2, shuffle: true, seed: 3 });
  return [...loader.epoch(epoch)].map(({ inputs, targets }) => ({
    inputs: engine.readSync(inputs).slice(),
    targets: engine.readSync(targets).slice(),
  }));
}

describe('Reconstruction', () => {
  it('has inputs as targets, and no classes', () => {
    const source = datasets.build({ type: 'Reconstruction', dataset: FAKE });
    expect(source.target).toEqual(source.input);
    expect(source.classes).toEqual([]);
    expect(source.encoder?.kind).toBe('image');
  });

  it('gives the random inputs that the data set gives, twice', async () => {
    const own = await batches({ type: 'Reconstruction', dataset: FAKE }, 1);
    const plain = await batches(FAKE, 1);
    expect(own).toHaveLength(3);
    for (const [i, { inputs, targets }] of own.entries()) {
      expect(inputs).toEqual(plain[i]!.inputs);
      expect(targets).toEqual(inputs);
    }
    expect(own).not.toEqual(await batches({ type: 'Reconstruction', dataset: FAKE }, 2));
  });

  it('says which part of the data set is wrong', () => {
    const build = (dataset: object) => datasets.build({ type: 'Reconstruction', dataset });
    expect(() => build({ ...FAKE, transforms: [] })).toThrow(BuildError);
  });
});
