/** GPT: nanoGPT's keys, GPT-2's initial values, and PyTorch's losses and gradients. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { withOff } from '../../src/engine/switches.ts';
import {
  errors,
  manualSeed,
  models,
  nn,
  optim,
  type Tensor,
  tensor,
  withEngine,
  zeros,
} from '../../src/index.ts';
import { fusedOps } from '../../src/ops/fused.ts';

interface Recording {
  readonly losses: readonly number[];
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

const FILE = new URL('../fixtures/gpt/losses.json', import.meta.url);
const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as Record<'tied' | 'separate', Recording>;
const SIZES = { vocab_size: 11, block_size: 8, n_layer: 2, n_head: 2, n_embd: 8 };

/** With `initial` of fixtures/gpt/make.py. */
function tinyGPT(tie_weights: boolean): models.GPT {
  const model = new models.GPT({ ...SIZES, tie_weights });
  // PyTorch names a shared parameter by its first place only.
  const own = model.namedParameters().sort(([a], [b]) => (a < b ? -1 : 1));
  const values = own.map(([name, parameter], position): [string, Tensor] => {
    const offset = name.includes('ln_') && name.endsWith('weight') ? 1 : 0;
    const numbers = Float32Array.from(
      { length: parameter.numel() },
      (_, i) => 0.3 * Math.sin(i * 0.7 + position) + offset,
    );
    return [name, tensor(numbers, { shape: parameter.shape })];
  });
  model.loadStateDict(new Map(values), { strict: false });
  return model;
}

const tokens = (factor: number) =>
  tensor(
    BigInt64Array.from({ length: 24 }, (_, i) => BigInt((i * factor) % 11)),
    { shape: [3, 8] },
  );

function expectPyTorch(tied: boolean): void {
  const { losses, gradients } = recorded[tied ? 'tied' : 'separate'];
  const model = tinyGPT(tied);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
  for (const [step, expected] of losses.entries()) {
    optimizer.zeroGrad();
    const logits = model.call(tokens(7)).permute([0, 2, 1]);
    const loss = nn.functional.crossEntropy(logits, tokens(5));
    loss.backward();
    expect(loss.item()).toBeCloseTo(expected, 5);
    if (step === 0) expectGradients(model, gradients);
    optimizer.step();
  }
}

function expectGradients(model: models.GPT, gradients: Recording['gradients']): void {
  expect(new Set(model.namedParameters().map(([name]) => name))).toEqual(
    new Set(Object.keys(gradients)),
  );
  for (const [name, parameter] of model.namedParameters()) {
    const found = Array.from(parameter.grad!.dataSync(), Number);
    const largest = Math.max(...gradients[name]!.map(Math.abs));
    for (const [i, expected] of gradients[name]!.entries()) {
      expect(Math.abs(found[i]! - expected)).toBeLessThan(1e-5 * largest);
    }
  }
}

describe.each([true, false])(
  'with tied weights: %s, losses and gradients are PyTorch’s',
  (tied) => {
    test('on cpu', () => withEngine(cpuEngine(), () => expectPyTorch(tied)));
    test('on reference', () => withEngine(referenceEngine(), () => expectPyTorch(tied)));
    test('on cpu with every fused op switched off', () =>
      withEngine(cpuEngine(), () => withOff(fusedOps(), () => expectPyTorch(tied))));
  },
);

test('has nanoGPT’s keys; the tied weight is one parameter under two of them', () => {
  const model = new models.GPT({ ...SIZES, n_layer: 1 });
  expect([...model.stateDict().keys()]).toEqual([
    'transformer.wte.weight',
    'transformer.wpe.weight',
    ...['ln_1', 'attn.c_attn', 'attn.c_proj', 'ln_2', 'mlp.c_fc', 'mlp.c_proj'].flatMap((part) => [
      `transformer.h.0.${part}.weight`,
      `transformer.h.0.${part}.bias`,
    ]),
    'transformer.ln_f.weight',
    'transformer.ln_f.bias',
    'lm_head.weight',
  ]);
  expect(model.transformer.wte.weight).toBe(model.lm_head.weight);
});

test('starts with GPT-2’s deviations', () => {
  manualSeed(0);
  const model = new models.GPT({ ...SIZES, n_embd: 64, n_layer: 8 });
  const deviation = (x: Tensor) => x.std().item();
  const [block] = model.transformer.h;
  expect(deviation(block!.mlp.c_fc.weight)).toBeCloseTo(0.02, 3);
  expect(deviation(block!.mlp.c_proj.weight)).toBeCloseTo(0.005, 3);
  expect(deviation(model.lm_head.weight)).toBeCloseTo(0.02, 2);
});

test('says what does not fit', () => {
  expect(() => new models.GPT({ ...SIZES, n_head: 3 })).toThrow(errors.ArgumentError);
  const long = zeros([1, 9], { dtype: 'int64' });
  expect(() => new models.GPT(SIZES).call(long)).toThrow(
    '[GPT] tokens (1, 9) must be (batch, at most 8)',
  );
});
