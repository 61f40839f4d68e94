/** Pooling layers: arguments, text, specs. */

import { expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { arange, nn, setEngine } from '../../src/index.ts';

setEngine(referenceEngine());
const image = () => arange(16).float().reshape([1, 1, 4, 4]);

test('AvgPool2d averages its windows', () => {
  const layer = new nn.AvgPool2d({ kernel_size: 2 });
  expect(layer.call(image()).tolist()).toEqual([
    [
      [
        [2.5, 4.5],
        [10.5, 12.5],
      ],
    ],
  ]);
});

test('AdaptiveAvgPool2d gives the size it is asked for', () => {
  const layer = nn.build({ type: 'AdaptiveAvgPool2d', output_size: [1, null] });
  expect(layer.call(image()).tolist()).toEqual([[[[6, 7, 8, 9]]]]);
  expect(new nn.AdaptiveAvgPool2d({ output_size: 1 }).call(image()).item()).toBe(7.5);
});

test('a spec may give every argument', () => {
  const spec = { type: 'AvgPool2d', kernel_size: [2, 3], stride: 1, divisor_override: 2 };
  expect(nn.build(spec).call(image()).shape).toEqual([1, 1, 3, 2]);
  expect(() => nn.build({ type: 'AvgPool2d', kernel_size: 0 })).toThrow('kernel_size');
});
