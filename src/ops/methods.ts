/** Attaches the ops to Tensor, so that `x.add(y).relu()` reads as in PyTorch. */

import { category, type DType, promoteTypes } from '../base/dtype.ts';
import { DTypeError, opError } from '../base/errors.ts';
import { type BackwardOptions, backward, provideGradientOps } from '../core/autograd.ts';
import {
  type GradientHook,
  type RemovableHandle,
  registerHook,
  retainGrad,
  retainsGrad,
} from '../core/hooks.ts';
import { Tensor } from '../core/tensor.ts';
import { full } from './constant.ts';
import * as dimensions from './dimensions.ts';
import type { ValuesAndIndices } from './extremes.ts';
import { choices } from './methods/choices.ts';
import { elementwise } from './methods/elementwise.ts';
import { fresh } from './methods/fresh.ts';
import { ALSO_IN_PLACE, inPlace, reshaping } from './methods/in-place.ts';
import { matrices } from './methods/matrices.ts';
import { reductions } from './methods/reductions.ts';
import { shapes } from './methods/shapes.ts';
import { add, cast } from './pointwise.ts';
import { sumTo } from './reduction.ts';
import { median, nanmedian } from './sorting.ts';

provideGradientOps({ add, sumTo, cast, full });

/** Methods that take the tensor as their first argument and nothing else into account. */
const methods = {
  ...choices,
  ...elementwise,
  ...fresh,
  ...matrices,
  ...reductions,
  ...shapes,
} as const;

/** What may follow a tensor in a call of `F`, in each of the ways to call it. */
type Rest<F> = F extends (...args: infer Args) => unknown ? WithoutTensor<Args> : never;
type WithoutTensor<Args> = Args extends readonly [infer First, ...infer Others]
  ? Tensor extends First
    ? Others
    : never
  : never;
type Result<F> = F extends (...args: infer _Args) => infer R ? R : never;
/** A function of a tensor, seen as a method of it. */
export type Method<F> = (...args: Rest<F>) => Result<F>;
export type OpMethods = {
  [K in Exclude<keyof typeof methods, 'max' | 'min'>]: Method<(typeof methods)[K]>;
};

type Changing = typeof inPlace & typeof reshaping;
type NamedInPlace = (typeof ALSO_IN_PLACE)[number];
/** They rebind the tensor they are called on; other tensors do not change. */
export type InPlaceMethods = {
  [K in keyof Changing]: (...args: Rest<Changing[K]>) => Tensor;
} & {
  [K in NamedInPlace as `${K}_`]: (...args: Parameters<OpMethods[K]>) => Tensor;
};

/** Of a function with several signatures, as a method of its first argument. */
interface ExtremeMethod {
  (): Tensor;
  (dim: number, keepdim?: boolean): ValuesAndIndices;
  (options: { dim: number; keepdim?: boolean }): ValuesAndIndices;
  (other: Tensor): Tensor;
}

export interface ExtremeMethods {
  /** The largest element, or the largest ones along `dim` with their places; or of two tensors. */
  readonly max: ExtremeMethod;
  /** The smallest, likewise. */
  readonly min: ExtremeMethod;
}

export interface MedianMethods {
  /** The lower median of all elements, or along `dim` with where it stands. */
  median(): Tensor;
  median(dim: number, keepdim?: boolean): [Tensor, Tensor];
  /** The same without NaN. */
  nanmedian(): Tensor;
  nanmedian(dim: number, keepdim?: boolean): [Tensor, Tensor];
}

export interface AutogradMethods {
  /** Accumulates gradients into the `.grad` of the leaves this tensor depends on. */
  backward(gradient?: Tensor | null, options?: BackwardOptions): void;
  /** Calls `hook` with every gradient that reaches this tensor; it may give another one. */
  registerHook(hook: GradientHook): RemovableHandle;
  /** Lets `backward` leave the gradient of this result in `grad`. */
  retainGrad(): void;
  readonly retains_grad: boolean;
  /** As float32, float64, int64 or bool. */
  float(): Tensor;
  double(): Tensor;
  long(): Tensor;
  bool(): Tensor;
  /** As bfloat16, float16, uint8 or int32. */
  bfloat16(): Tensor;
  half(): Tensor;
  byte(): Tensor;
  int(): Tensor;
  /** All dimensions in reverse order. */
  readonly T: Tensor;
  /**
   * A matrix transposed; the last two dimensions exchanged; for real numbers `H` and `mH` the same.
   */
  readonly H: Tensor;
  readonly mT: Tensor;
  readonly mH: Tensor;
}

const conversions: Record<string, DType> = {
  float: 'float32',
  double: 'float64',
  long: 'int64',
  bool: 'bool',
  bfloat16: 'bfloat16',
  half: 'float16',
  byte: 'uint8',
  int: 'int32',
};

const transposes: Record<string, (x: Tensor) => Tensor> = {
  T: dimensions.reversed,
  H: dimensions.hermitian,
  mT: (x) => dimensions.matrixTranspose('mT', x),
  mH: (x) => dimensions.matrixTranspose('mH', x),
};

function attach(name: string, method: (this: Tensor, ...args: never[]) => unknown): void {
  Object.defineProperty(Tensor.prototype, name, { value: method, configurable: true });
}

for (const [name, fn] of Object.entries(methods)) {
  const call = fn as (x: Tensor, ...args: unknown[]) => unknown;
  attach(name, function (this: Tensor, ...args: unknown[]) {
    return call(this, ...args);
  });
}
type Compute = (x: Tensor, ...args: unknown[]) => Tensor;

/** `result` in the dtype of `x`, the tensor it is to be put in. */
function fitted(name: string, x: Tensor, result: Tensor): Tensor {
  const widens = promoteTypes(result.dtype, x.dtype) !== x.dtype;
  if (widens && category(result.dtype) !== category(x.dtype)) {
    throw opError(
      DTypeError,
      name,
      `the result is ${result.dtype}, which a tensor of ${x.dtype} cannot take`,
    );
  }
  return cast(result, x.dtype);
}

const updates: Record<string, unknown> = Object.fromEntries(
  ALSO_IN_PLACE.map((name) => [`${name}_`, methods[name]]),
);
for (const [name, compute] of Object.entries({ ...updates, ...inPlace })) {
  attach(name, function (this: Tensor, ...args: unknown[]) {
    return this.rebind(fitted(name, this, (compute as Compute)(this, ...args)).value);
  });
}
for (const [name, arrange] of Object.entries<unknown>(reshaping)) {
  attach(name, function (this: Tensor, ...args: unknown[]) {
    return this.exchange((arrange as Compute)(this, ...args).value);
  });
}
for (const [name, dtype] of Object.entries(conversions)) {
  attach(name, function (this: Tensor) {
    return cast(this, dtype);
  });
}
for (const [name, get] of Object.entries(transposes)) {
  Object.defineProperty(Tensor.prototype, name, {
    get(this: Tensor) {
      return get(this);
    },
    configurable: true,
  });
}
for (const [name, find] of Object.entries({ median, nanmedian })) {
  const call = find as (x: Tensor, ...args: unknown[]) => unknown;
  attach(name, function (this: Tensor, ...args: unknown[]) {
    return call(this, ...args);
  });
}
attach('retainGrad', function (this: Tensor) {
  retainGrad(this);
});
Object.defineProperty(Tensor.prototype, 'retains_grad', {
  get(this: Tensor) {
    return retainsGrad(this);
  },
  configurable: true,
});
attach('registerHook', function (this: Tensor, hook: never) {
  return registerHook(this, hook);
});
attach('backward', function (this: Tensor, ...args: never[]) {
  backward(this, ...(args as []));
});

declare module '../core/tensor.ts' {
  interface Tensor
    extends OpMethods,
      ExtremeMethods,
      MedianMethods,
      InPlaceMethods,
      AutogradMethods {}
}
