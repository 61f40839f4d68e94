import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BuildError } from '../../../src/base/build-error.ts';
import { byteTable } from '../../../src/data/transforms/pipeline.ts';
import '../../../src/data/transforms/to-tensor.ts';
import { transforms } from '../../../src/data/transforms/transforms.ts';
import { readSafetensors } from '../../../src/io/safetensors.ts';

const FIXTURE = fileURLToPath(
  new URL('../../fixtures/transforms/tables.safetensors', import.meta.url),
);

const build = (...specs: unknown[]) => specs.map((spec) => transforms.build(spec));
const normalize = (mean: number[], std: number[]) => ({ type: 'Normalize', mean, std });

describe('byteTable', () => {
  it.each([
    ['to_tensor', []],
    ['half', [normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])]],
    ['imagenet', [normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])]],
    ['cifar10', [normalize([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.201])]],
    ['one_value', [normalize([0.1307], [0.3081])]],
  ])('is bit-equal with PyTorch: %s', async (name, specs) => {
    const { tensors } = await readSafetensors(FIXTURE);
    const table = byteTable(build('ToTensor', ...specs), 3);
    expect(new Uint32Array(table.buffer)).toEqual(
      new Uint32Array(tensors.get(name)!.data.buffer as ArrayBuffer),
    );
  });

  const rgb = normalize([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);
  it.each([
    ['no transform', [], '[transforms] images need ToTensor; got none'],
    ['no ToTensor', [rgb], 'ToTensor must come first, and once; got Normalize'],
    ['ToTensor last', [rgb, 'ToTensor'], 'must come first, and once; got Normalize, ToTensor'],
    ['ToTensor twice', ['ToTensor', 'ToTensor'], 'got ToTensor, ToTensor'],
    [
      'a wrong number of channels',
      ['ToTensor', normalize([0.5, 0.5], [0.5, 0.5])],
      '[Normalize] is given for 2 channels, but the images have 3',
    ],
  ])('refuses %s', (_, specs, message) => {
    expect(() => byteTable(build(...specs), 3)).toThrow(BuildError);
    expect(() => byteTable(build(...specs), 3)).toThrow(message);
  });
});

describe('Normalize', () => {
  it('takes one std for several means', () => {
    const one = byteTable(build('ToTensor', normalize([0.1, 0.2, 0.3], [0.5])), 3);
    const three = byteTable(build('ToTensor', normalize([0.1, 0.2, 0.3], [0.5, 0.5, 0.5])), 3);
    expect(one).toEqual(three);
  });

  it.each([
    [[0.5, 0.5], [0.5, 0.5, 0.5], 'mean', 'mean has 2 values and std 3: mean needs 1 or 3'],
    [[0.5, 0.5, 0.5], [0.5, 0, 0.5], 'std', 'std [0.5, 0, 0.5] has a zero in float32'],
    [[0.5], [1e-60], 'std', 'std [1e-60] has a zero in float32'],
  ])('refuses mean %j with std %j: %s', (mean, std, key, message) => {
    expect(() => transforms.build(normalize(mean, std))).toThrow(
      new BuildError(`[Normalize] ${message}`, [key]),
    );
  });
});
