/**
 * The samples that `make_samples.py` recorded: PyTorch's own test inputs for an operator or a
 * module, and what PyTorch computed of them. `runSample` computes the same here and says how far it
 * is off.
 */

import { readFileSync } from 'node:fs';
import { isFloating } from '../../src/base/dtype.ts';
import { TorchtsError } from '../../src/base/errors.ts';
import { numel } from '../../src/base/shape.ts';
import * as torchts from '../../src/index.ts';
import { Tensor } from '../../src/index.ts';
import { type Callable, findClass, findFunction, type ModuleClass } from './names.ts';
import {
  type Arguments,
  type ModuleOptions,
  Reader,
  type Recorded,
  type RecordedTensor,
} from './reader.ts';

interface Results {
  /** The numbers depend on the random generator, so that only types and shapes can be compared. */
  readonly random: boolean;
  readonly outputs: readonly Recorded[];
  /** How far PyTorch's float32 is from its float64, relative to 1 + |value|. */
  readonly slack: readonly number[];
  readonly gradients?: readonly (RecordedTensor | null)[];
  readonly gradient_slack?: readonly number[];
}

export interface OperatorSample extends Arguments, Results {
  readonly op: string;
  readonly variant: string;
}

/** Arguments that PyTorch refuses, with (a pattern of) its words. */
export interface ErrorSample extends Arguments {
  readonly op: string;
  readonly error: string;
}

export interface ModuleSample extends Arguments, Results, ModuleOptions {
  readonly module: string;
  readonly state: Readonly<Record<string, RecordedTensor>>;
  /** Whose gradients follow those of the arguments. */
  readonly parameters: readonly string[];
}

/** Options or inputs that PyTorch's module refuses. */
export interface ModuleErrorSample extends Arguments, ModuleOptions {
  readonly module: string;
  readonly error: string;
}

export type Sample = OperatorSample | ErrorSample | ModuleSample | ModuleErrorSample;

export type Outcome =
  | { readonly kind: 'same'; readonly error: number; readonly gradientError: number }
  | { readonly kind: 'missing' }
  | { readonly kind: 'different'; readonly why: string };

/** What two results may differ by, relative to 1 + |value|. */
const TOLERANCE = { output: 1e-5, gradient: 1e-4 } as const;
/** And by how many times PyTorch's own error, where that is more. */
const SLACK = 20;

export interface Recording {
  readonly samples: readonly Sample[];
  readonly numbers: ArrayBuffer;
}

/** Reads `base`.json and `base`.bin. */
export function readRecording(base: string): Recording {
  const bytes = readFileSync(`${base}.bin`);
  const numbers = new Uint8Array(bytes).buffer;
  return { samples: JSON.parse(readFileSync(`${base}.json`, 'utf8')) as Sample[], numbers };
}

/** The operator's or module's name. */
export function nameOf(sample: Sample): string {
  return 'module' in sample ? sample.module : sample.op;
}

export function runSample(sample: Sample, numbers: ArrayBuffer): Outcome {
  const reader = new Reader(numbers);
  if ('module' in sample) {
    const Class = findClass(sample.module);
    if (Class === undefined) return { kind: 'missing' };
    return 'error' in sample
      ? runError(sample, (...given) => reader.module(Class, sample).forward(...given), reader)
      : runModule(sample, Class, reader);
  }
  const fn = findFunction(sample.op, 'variant' in sample ? sample.variant : undefined);
  if (fn === undefined) return { kind: 'missing' };
  if ('error' in sample) return runError(sample, fn, reader);
  return attempt(() => {
    const { given, inputs } = reader.arguments(sample);
    return compare(sample, leaves(fn(...given)), inputs, reader);
  });
}

/** What was thrown becomes the reason why the sample differs. */
function attempt(run: () => Outcome): Outcome {
  try {
    return run();
  } catch (error) {
    const isOurs = error instanceof TorchtsError;
    const { message, stack } = error as Error;
    return { kind: 'different', why: isOurs ? message : `not a typed error: ${stack ?? message}` };
  }
}

function runError(sample: ErrorSample | ModuleErrorSample, fn: Callable, reader: Reader): Outcome {
  try {
    const { given } = reader.arguments(sample);
    for (const leaf of leaves(fn(...given))) if (leaf instanceof Tensor) leaf.realize();
  } catch (error) {
    if (error instanceof TorchtsError) return { kind: 'same', error: 0, gradientError: 0 };
    return { kind: 'different', why: `not a typed error: ${(error as Error).stack}` };
  }
  return { kind: 'different', why: `no error, where PyTorch says: ${sample.error}` };
}

function runModule(sample: ModuleSample, Class: ModuleClass, reader: Reader): Outcome {
  return attempt(() => {
    const module = reader.module(Class, sample);
    const state = Object.entries(sample.state).map(
      ([name, recorded]) => [name, reader.tensor(recorded)] as const,
    );
    module.loadStateDict(new Map(state));
    const { given, inputs } = reader.arguments(sample);
    const result: unknown = module.forward(...given);
    const parameters = new Map(module.namedParameters());
    const trained = sample.parameters.map((name) => parameters.get(name)!);
    return compare(sample, leaves(result), [...inputs, ...trained], reader);
  });
}

/** The tensors and numbers in a result, in order. */
function leaves(result: unknown): unknown[] {
  if (Array.isArray(result)) return result.flatMap(leaves);
  return result === undefined ? [] : [result];
}

function compare(
  sample: OperatorSample | ModuleSample,
  outputs: readonly unknown[],
  inputs: readonly Tensor[],
  reader: Reader,
): Outcome {
  if (outputs.length !== sample.outputs.length) {
    return { kind: 'different', why: `${outputs.length} outputs, not ${sample.outputs.length}` };
  }
  const invariants = 'op' in sample ? INVARIANTS[sample.op] : undefined;
  let error = 0;
  for (const [i, expected] of sample.outputs.entries()) {
    const found = difference(outputs[i], expected, sample.random || !!invariants, reader);
    if (typeof found === 'string') return { kind: 'different', why: `output ${i}: ${found}` };
    const allowed = Math.max(TOLERANCE.output, SLACK * (sample.slack[i] ?? 0));
    if (found > allowed) return { kind: 'different', why: `output ${i} is off by ${found}` };
    error = Math.max(error, found);
  }
  if (invariants !== undefined) {
    const expected = sample.outputs.map((recorded) => reader.tensor(recorded as RecordedTensor));
    const wanted = invariants(expected).map((x) => Array.from(x.dataSync(), Number));
    for (const [i, x] of invariants(outputs as Tensor[]).entries()) {
      const numbers = Array.from(x.dataSync(), Number);
      const found = numbers.map((y, j) => relative(y, wanted[i]![j]!));
      error = found.reduce((worst, e) => Math.max(worst, e), error);
      if (error > TOLERANCE.output) return { kind: 'different', why: `invariant ${i}: ${error}` };
    }
  }
  return compareGradients(sample, outputs, inputs, reader, error);
}

/** What the results have in common whatever signs, or null vectors, a library gives them. */
const INVARIANTS: Readonly<Record<string, (outputs: Tensor[]) => Tensor[]>> = {
  svd: ([u, s, v]) => ofDecomposition(u!, s!, v!),
  'linalg.svd': ([u, s, vh]) => ofDecomposition(u!, s!, vh!.mT),
  'linalg.eigh': ([w, v]) => ofDecomposition(v!, w!, v!),
};

/**
 * The numbers between u and vᵀ, the product of all three, and uᵀ u and vᵀ v, which are identities.
 */
function ofDecomposition(u: Tensor, s: Tensor, v: Tensor): Tensor[] {
  const k = s.shape.at(-1)!;
  const [left, right] = [u.narrow(-1, 0, k), v.narrow(-1, 0, k)];
  const whole = left.mul(s.unsqueeze(-2)).matmul(right.mT);
  return [s, whole, u.mT.matmul(u), v.mT.matmul(v)];
}

function compareGradients(
  sample: OperatorSample | ModuleSample,
  outputs: readonly unknown[],
  inputs: readonly Tensor[],
  reader: Reader,
  error: number,
): Outcome {
  const expected = sample.gradients;
  if (expected === undefined) return { kind: 'same', error, gradientError: 0 };
  const roots = outputs.filter((output): output is Tensor => {
    return output instanceof Tensor && output.requires_grad;
  });
  const found =
    roots.length === 0
      ? []
      : torchts.grad(roots, [...inputs], {
          grad_outputs: roots.map(cotangent),
          allow_unused: true,
        });
  let gradientError = 0;
  for (const [i, recorded] of expected.entries()) {
    // PyTorch tells zero from none; who uses a gradient does not.
    const size =
      recorded === null ? 0 : difference(found[i] ?? zerosOf(recorded), recorded, false, reader);
    if (typeof size === 'string') return { kind: 'different', why: `gradient ${i}: ${size}` };
    const allowed = Math.max(TOLERANCE.gradient, SLACK * (sample.gradient_slack?.[i] ?? 0));
    if (size > allowed) return { kind: 'different', why: `gradient ${i} is off by ${size}` };
    gradientError = Math.max(gradientError, size);
  }
  return { kind: 'same', error, gradientError };
}

const zerosOf = ({ shape, dtype }: RecordedTensor) => torchts.zeros(shape, { dtype });

/** As make_samples.py's. */
function cotangent({ shape, dtype }: Tensor): Tensor {
  const length = numel(shape);
  const numbers = Float64Array.from({ length }, (_, i) => (((i * 7) % 11) - 5) / 8);
  return torchts.tensor(numbers, { shape, dtype });
}

/** The largest |found - expected| / (1 + |expected|), or what is wrong apart from the numbers. */
function difference(
  found: unknown,
  expected: Recorded,
  random: boolean,
  reader: Reader,
): number | string {
  if (typeof expected !== 'object' || expected === null || !('tensor' in expected)) {
    const plain = reader.value(expected);
    const value = found instanceof Tensor && found.numel() === 1 ? found.item() : found;
    if (typeof plain === 'number' && typeof value === 'number') return relative(value, plain);
    // An element of truth values is 0 or 1 here.
    const isSame = Object.is(typeof plain === 'boolean' ? Boolean(value) : value, plain);
    return isSame ? 0 : `${String(value)} instead of ${String(plain)}`;
  }
  const { dtype, shape } = expected as RecordedTensor;
  if (!(found instanceof Tensor)) return `${typeof found} instead of a tensor`;
  if (found.dtype !== dtype) return `dtype ${found.dtype} instead of ${dtype}`;
  if (found.shape.join() !== shape.join()) return `shape (${found.shape}) instead of (${shape})`;
  const actual = found.dataSync();
  if (random) return 0;
  const exact = isFloating(dtype) ? relative : (a: number, b: number) => (a === b ? 0 : Infinity);
  const numbers = reader.data(expected as RecordedTensor);
  return numbers.reduce((worst, x, i) => Math.max(worst, exact(Number(actual[i]), x)), 0);
}

function relative(found: number, expected: number): number {
  if (Object.is(found, expected) || found === expected) return 0;
  const size = Math.abs(found - expected) / (1 + Math.abs(expected));
  return Number.isNaN(size) ? Infinity : size;
}
