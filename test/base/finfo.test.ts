import { expect, test } from 'vitest';
import { DTypeError } from '../../src/base/errors.ts';
import { finfo } from '../../src/index.ts';

/** [bits, eps, max, tiny, resolution] of torch.finfo. */
const TORCH = {
  float32: [32, 1.1920928955078125e-7, 3.4028234663852886e38, 1.1754943508222875e-38, 1e-6],
  float64: [64, 2.220446049250313e-16, 1.7976931348623157e308, 2.2250738585072014e-308, 1e-15],
  bfloat16: [16, 0.0078125, 3.3895313892515355e38, 1.1754943508222875e-38, 0.01],
  float16: [16, 0.0009765625, 65504, 6.103515625e-5, 0.001],
} as const;

test.each(Object.entries(TORCH))('%s has the limits of PyTorch', (dtype, facts) => {
  const [bits, eps, max, tiny, resolution] = facts;
  expect(finfo(dtype as keyof typeof TORCH)).toEqual({
    dtype,
    bits,
    eps,
    max,
    min: -max,
    tiny,
    smallest_normal: tiny,
    resolution,
  });
});

test('float32 unless another is named; no other dtype has limits of this kind', () => {
  expect(finfo()).toEqual(finfo('float32'));
  expect(() => finfo('int64')).toThrow(DTypeError);
  expect(() => finfo('int64')).toThrow('[finfo] needs a floating dtype, got int64');
});
