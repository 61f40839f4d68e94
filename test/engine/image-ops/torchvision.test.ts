/** The reference's ops on images beside torchvision's, on uint8 tensors. */

import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { applyOps } from '../../../src/engine/image-ops/apply.ts';
import type { ImageOp } from '../../../src/engine/image-ops/op.ts';
import type { Pixels } from '../../../src/engine/image-ops/pixels.ts';
import { readSafetensors } from '../../../src/io/safetensors.ts';

const FIXTURE = fileURLToPath(
  new URL('../../fixtures/transforms/ops.safetensors', import.meta.url),
);
const { tensors } = await readSafetensors(FIXTURE);

function imageOf(name: string): Pixels {
  const { shape, data } = tensors.get(name)!;
  const [channels, height, width] = shape as [number, number, number];
  return { channels, height, width, data: Uint8Array.from(data as Uint8Array) };
}

const cases = [...tensors.keys()].filter((name) => !name.startsWith('image '));

describe('ops on images', () => {
  test.each(cases)('%s', (name) => {
    const [image, json] = name.split(/ (.*)/) as [string, string];
    const result = applyOps(imageOf(`image ${image}`), [JSON.parse(json) as ImageOp]);
    const expected = imageOf(name);
    expect([result.channels, result.height, result.width]).toEqual([
      expected.channels,
      expected.height,
      expected.width,
    ]);
    const differences = expected.data
      .map((byte, i) => Math.abs(byte - result.data[i]!))
      .filter((difference) => difference > 0);
    expect([...differences]).toEqual([]);
  });
});
