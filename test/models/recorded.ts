/** What test/fixtures/models/recording.py does, here. */

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { type nn, type Tensor, tensor } from '../../src/index.ts';
import { hashed } from './hashed.ts';

/** A digest of the keys and shapes of a state dict, and how many there are. */
export type RecordedState = readonly [digest: string, count: number];

export const hashed32 = (count: number, seed: number) => Float32Array.from(hashed(count, seed));

/** Gives every parameter hashed values of a fitting size. */
export function initialise(model: nn.AnyModule): void {
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

export function stateOf(model: nn.AnyModule): RecordedState {
  const lines = [...model.stateDict()].map(([key, { shape }]) => `${key} [${shape.join(', ')}]\n`);
  return [createHash('sha256').update(lines.join('')).digest('hex'), lines.length];
}

/** Within 1e-4 of what they are made of: sums of gradients times hashed numbers. */
export function expectGradients(
  model: nn.AnyModule,
  recorded: Readonly<Record<string, number>>,
): void {
  const parameters = new Map(model.namedParameters());
  for (const [key, expected] of Object.entries(recorded)) {
    const { grad } = parameters.get(key)!;
    const weights = tensor(hashed32(grad!.numel(), 7), { shape: grad!.shape });
    const size = grad!.abs().mul(weights.abs()).sum().item() as number;
    const value = grad!.to('float64').mul(weights.to('float64')).sum().item() as number;
    expect(Math.abs(value - expected), key).toBeLessThan(1e-4 * size + 1e-9);
  }
}

/** Within 1e-4 of the largest, or of 1. */
export function expectValues(output: Tensor, recorded: readonly number[]): void {
  const values = (output.flatten().tolist() as number[]).slice(0, recorded.length);
  const size = Math.max(1, ...recorded.map(Math.abs));
  for (const [i, value] of values.entries()) {
    expect(Math.abs(value - recorded[i]!)).toBeLessThan(1e-4 * size);
  }
}
