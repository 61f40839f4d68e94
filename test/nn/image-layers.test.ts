/**
 * Layers that PyTorch's lists of samples leave out, against numbers recorded by
 * make_image_layers.py.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { nn, noGrad, setEngine, type Tensor, tensor } from '../../src/index.ts';

setEngine(referenceEngine());

interface Recorded {
  readonly layers: readonly {
    readonly name: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly input: readonly number[];
    readonly shape: readonly number[];
    readonly output: readonly number[];
  }[];
  readonly resized: readonly {
    readonly options: { readonly size: number[]; readonly mode: 'bilinear' | 'bicubic' };
    readonly output: readonly number[];
  }[];
  readonly grids: readonly {
    readonly theta: readonly number[];
    readonly size: readonly number[];
    readonly align_corners: boolean;
    readonly output: readonly number[];
  }[];
}
const RECORDED = JSON.parse(
  readFileSync(new URL('../fixtures/torch/image-layers.json', import.meta.url), 'utf8'),
) as Recorded;

const { affineGrid, interpolate, maxPool2d } = nn.functional;

/** As in make_image_layers.py. */
function numbers(shape: readonly number[]): Tensor {
  const length = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length }, (_, i) => (((i * 7) % 11) - 5) / 8),
    { shape },
  );
}

function expectClose(found: Tensor, expected: readonly number[]): void {
  const values = Array.from(found.dataSync(), Number);
  expect(values).toHaveLength(expected.length);
  for (const [i, value] of values.entries()) expect(value).toBeCloseTo(expected[i]!, 5);
}

describe("PyTorch's numbers", () => {
  test.each(RECORDED.layers)('$name $options', ({ name, options, input, shape, output }) => {
    const module = nn.build({ type: name, ...options });
    noGrad(() => {
      for (const p of module.parameters()) p.copy_(numbers(p.shape).add(1));
    });
    const found = module.call(numbers(input));
    expect(found.shape).toEqual(shape);
    expectClose(found, output);
  });

  test.each(RECORDED.resized)('antialias $options', ({ options, output }) => {
    expectClose(interpolate(numbers([1, 2, 5, 4]), options), output);
  });

  test.each(RECORDED.grids)('affine_grid $size $align_corners', (grid) => {
    expectClose(affineGrid(numbers(grid.theta), grid.size, grid.align_corners), grid.output);
  });
});

test('MaxUnpool2d puts back what was pooled, also to an output_size', () => {
  const x = numbers([1, 1, 5, 4]);
  const [values, indices] = maxPool2d(x, 2, { return_indices: true });
  const unpool = new nn.MaxUnpool2d({ kernel_size: 2 });
  expect(unpool.call(values, indices).shape).toEqual([1, 1, 4, 4]);
  const back = unpool.call(values, indices, [5, 4]);
  expect(back.shape).toEqual([1, 1, 5, 4]);
  expect(back.sum().item()).toBe(values.sum().item());
  expect(() => unpool.call(values, indices, [9, 4])).toThrow('output_size (9,4)');
});

test('convertSyncBatchnorm keeps the tensors', () => {
  const model = new nn.Sequential([new nn.BatchNorm2d({ num_features: 2 }), new nn.ReLU()]);
  const before = [...model.stateDict().values()];
  const after = nn.SyncBatchNorm.convertSyncBatchnorm(model);
  expect(after.modules().some((module) => module instanceof nn.SyncBatchNorm)).toBe(true);
  expect([...after.stateDict().values()]).toEqual(before);
});
