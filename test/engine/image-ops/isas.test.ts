/** The same bytes from each instruction set's loops, in processes of their own. */

import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { applyOps } from '../../../src/engine/image-ops/apply.ts';
import { type ImageOp, shapeAfterAll } from '../../../src/engine/image-ops/op.ts';
import { encodeOps } from '../../../src/engine/native/encode-ops.ts';
import { addonPath } from '../../../src/engine/native/loader.ts';

const SHAPE = { channels: 3, height: 41, width: 149 };
const BYTES = Array.from({ length: 3 * 41 * 149 }, (_, i) => Math.imul(i + 3, 2654435761) >>> 24);
const whole = { top: 0, left: 0, height: 41, width: 149 };
const kernel = [0.0625, 0.25, 0.375, 0.25, 0.0625];

const OPS: readonly ImageOp[] = [
  { kind: 'horizontal_flip' },
  { kind: 'contrast', factor: 1.3 },
  { kind: 'saturation', factor: 0.4 },
  { kind: 'hue', factor: 0.17 },
  { kind: 'sharpness', factor: 1.9 },
  { kind: 'autocontrast' },
  { kind: 'grayscale', channels: 3, as: 'tensor' },
  { kind: 'gaussian_blur', kernel_x: kernel, kernel_y: kernel },
  {
    kind: 'affine',
    ...{ matrix: [0.9, 0.2, -3, -0.3, 1.1, 2], to: { height: 41, width: 149 } },
    ...{ interpolation: 'bilinear', fill: [1, 20, 255] },
  },
  {
    kind: 'perspective',
    ...{ coefficients: [1.1, 0.1, -3, 0, 1.2, 1, 0.001, 0.002], interpolation: 'nearest' },
    fill: null,
  },
  {
    kind: 'resize',
    ...{ ...whole, to: { height: 33, width: 90 } },
    ...{ interpolation: 'bicubic', antialias: true, as: 'PIL' },
  },
  { kind: 'mix', own: 0.3, chains: [{ share: 0.7, ops: [{ kind: 'vertical_flip' }] }] },
];

/** What the addon makes of the image by each op, under `isa`. */
function made(isa: string): number[][] {
  const calls = OPS.map((op) => [[...encodeOps([op])], shapeAfterAll([op], SHAPE)]);
  const script = `
    const addon = require(${JSON.stringify(addonPath())});
    const bytes = Uint8Array.from(${JSON.stringify(BYTES)});
    const results = ${JSON.stringify(calls)}.map(([ops, to]) =>
      [...addon.applyOps(bytes, ${JSON.stringify(SHAPE)}, Float64Array.from(ops), to)]);
    console.log(JSON.stringify(results));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['-'], {
    env: { ...process.env, TORCHTS_ISA: isa },
    encoding: 'utf8',
    input: script,
    maxBuffer: 2 ** 24,
  });
  if (/no CPU kernels could be loaded/.test(stderr)) return [];
  return JSON.parse(stdout);
}

describe.each(['baseline', 'avx2', 'avx512'])('%s', (isa) => {
  const results = made(isa);
  test.skipIf(results.length === 0).each(OPS.map((op, i) => [op.kind, op, i] as const))(
    '%s',
    (_, op, i) => {
      const image = { ...SHAPE, data: Uint8Array.from(BYTES) };
      expect(results[i]).toEqual([...applyOps(image, [op]).data]);
    },
  );
});
