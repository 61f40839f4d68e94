/** Models of torchvision: its keys and shapes, and its logits and gradients for equal weights. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { nn, type Tensor, tensor, withEngine } from '../../src/index.ts';
import { hashed } from './hashed.ts';

interface Recording {
  readonly state: readonly [digest: string, count: number];
  readonly logits?: readonly number[];
  readonly gradients?: Readonly<Record<string, number>>;
}

const FILE = new URL('../fixtures/models/models.json', import.meta.url);
const recorded = Object.entries(
  JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Recording>,
);
const SIDE = 64;

/**
 * Models of so many weights that making them takes longer than all others together; they are
 * computed where TORCHTS_LARGE_MODELS is set.
 */
const LARGE = ['alexnet', 'densenet121', 'vgg11_bn'];
const isComputed = (name: string, { logits }: Recording) =>
  logits !== undefined && (!LARGE.includes(name) || process.env.TORCHTS_LARGE_MODELS !== undefined);

const hashed32 = (count: number, seed: number) => Float32Array.from(hashed(count, seed));

function initialise(model: nn.Module): void {
  const values = model.namedParameters().map(([name, parameter], i): [string, Tensor] => {
    const { shape } = parameter;
    const numbers = hashed32(parameter.numel(), i + 1);
    const fan_in = parameter.numel() / shape[0]!;
    const scale = shape.length > 1 ? Math.fround(Math.sqrt(3 / fan_in)) : 0.1;
    const offset = shape.length > 1 || !name.endsWith('weight') ? 0 : 1;
    for (let k = 0; k < numbers.length; k++) numbers[k] = numbers[k]! * scale + offset;
    return [name, tensor(numbers, { shape })];
  });
  model.loadStateDict(new Map(values), { strict: false });
}

const build = (name: string) => nn.build({ type: name, num_classes: 10 }) as nn.Module;

describe.each(recorded)('%s', (name, recording) => {
  const { state, logits, gradients } = recording;

  it("has torchvision's keys and shapes", () => {
    const lines = [...build(name).stateDict()].map(
      ([key, { shape }]) => `${key} [${shape.join(', ')}]\n`,
    );
    expect([createHash('sha256').update(lines.join('')).digest('hex'), lines.length]).toEqual(
      state,
    );
  });

  if (!isComputed(name, recording)) return;

  it("computes torchvision's logits and gradients", { timeout: 120_000 }, () =>
    withEngine(cpuEngine(), () => {
      const model = build(name).eval();
      initialise(model);
      const image = tensor(hashed32(3 * SIDE * SIDE, 999), { shape: [1, 3, SIDE, SIDE] });
      const output = model.call(image);
      nn.functional.crossEntropy(output, tensor(BigInt64Array.of(3n))).backward();
      const size = Math.max(...logits!.map(Math.abs));
      for (const [i, value] of (output.tolist() as number[][])[0]!.entries()) {
        expect(Math.abs(value - logits![i]!)).toBeLessThan(1e-4 * Math.max(1, size));
      }
      const parameters = new Map(model.namedParameters());
      for (const [key, expected] of Object.entries(gradients!)) {
        const { grad } = parameters.get(key)!;
        const weights = tensor(hashed32(grad!.numel(), 7), { shape: grad!.shape });
        const size = grad!.abs().mul(weights.abs()).sum().item() as number;
        const value = grad!.to('float64').mul(weights.to('float64')).sum().item() as number;
        expect(Math.abs(value - expected), key).toBeLessThan(1e-4 * size + 1e-9);
      }
    }),
  );
});
