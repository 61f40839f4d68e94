/**
 * Every kernel case on the native engine, against the reference: accuracy, errors, repeatability.
 */

import { afterAll, describe, expect, test } from 'vitest';
import { EngineError } from '../../src/base/errors.ts';
import { LAPACK_KERNELS } from '../../src/engine/kernels.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { loadAddon } from '../../src/engine/native/loader.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { programOf } from './cases/case.ts';
import { CASES } from './cases.ts';
import { expectAgreement, hostInputs, isHere, LoadedCase, runCase } from './harness.ts';

const cpu = cpuEngine();
const reference = referenceEngine();
const threadsBefore = cpu.threads;

afterAll(() => {
  cpu.setThreads(threadsBefore);
});

/** A project that does without LAPACK leaves its kernels to the others. */
const withoutLapack = process.env.TORCHTS_LAPACK === '0';
const named = CASES.filter(({ kernel }) => !(withoutLapack && LAPACK_KERNELS.includes(kernel))).map(
  (kernelCase) => [kernelCase.name, kernelCase] as const,
);
const good = named.filter(([, { fails }]) => fails === undefined);
const bad = named.filter(([, { fails }]) => fails !== undefined);

test('the engine runs what this project of vitest.config.ts asks for', () => {
  const info = loadAddon().info();
  expect(info.isa).toBe(process.env.TORCHTS_ISA ?? info.isa);
  if (process.env.TORCHTS_ONEDNN === '0') expect(info.onednn).toBeNull();
  if (withoutLapack) expect(info.lapack).toBeNull();
});

test.runIf(!isHere('cholesky'))('without LAPACK a Program that needs it says how to get it', () => {
  const needing = CASES.find(({ kernel }) => kernel === 'cholesky')!;
  const load = () => cpu.load(programOf(needing));
  expect(load).toThrow(EngineError);
  expect(load).toThrow(/^\[cholesky\] needs LAPACK.*liblapack-dev.*npm run build/);
  expect(load).toThrow(needing.name);
});

describe('cpu agrees with reference', () => {
  test.for(good)('%s', ([, kernelCase], { skip }) => {
    skip(!isHere(kernelCase.kernel), 'LAPACK is missing');
    const inputs = hostInputs(kernelCase);
    const expected = runCase(reference, kernelCase, inputs);
    for (const threads of [1, 2]) {
      cpu.setThreads(threads);
      const loaded = new LoadedCase(cpu, kernelCase, inputs);
      const actual = loaded.runSync();
      expectAgreement(kernelCase, actual, expected);
      const again = loaded.runSync();
      actual.forEach((output, i) => {
        expect(sameBits(again[i]!, output), `a second run, ${threads} threads`).toBe(true);
      });
      loaded.dispose();
    }
  });
});

function sameBits(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const bytes = (view: ArrayBufferView) =>
    Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return bytes(a).equals(bytes(b));
}

describe.each([
  ['reference', reference],
  ['cpu', cpu],
] as const)('%s rejects', (_, engine) => {
  test.for(bad)('%s', async ([, kernelCase], { skip }) => {
    skip(engine === cpu && !isHere(kernelCase.kernel), 'LAPACK is missing');
    const loaded = new LoadedCase(engine, kernelCase, hostInputs(kernelCase));
    expect(() => loaded.runSync()).toThrow(EngineError);
    expect(() => loaded.runSync()).toThrow(kernelCase.fails);
    // The label is the case's name: an error must say which instruction failed.
    expect(() => loaded.runSync()).toThrow(kernelCase.name);
    await expect(loaded.run()).rejects.toThrow(kernelCase.fails);
    loaded.dispose();
  });
});
