/** Where an operator of PyTorch is found here. */

import * as torchts from '../../src/index.ts';
import { Tensor } from '../../src/index.ts';

export type AnyModule = torchts.nn.AnyModule;
export type ModuleClass = new (options: object) => AnyModule;

export type Callable = (...args: unknown[]) => unknown;

/** What has no function of the same name: indexing, and names TypeScript keeps for itself. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  __getitem__: 'index',
  _segment_reduce: 'segment_reduce',
  cauchy: 'cauchy_',
  exponential: 'exponential_',
  geometric: 'geometric_',
  log_normal: 'log_normal_',
  'masked.var': 'masked.var_',
  uniform: 'uniform_',
  var: 'var_',
};

/** Python's operators with the operands exchanged: `__rsub__(a, b)` is b - a. */
const REFLECTED: Readonly<Record<string, string>> = {
  __radd__: 'add',
  __rand__: 'bitwise_and',
  __rdiv__: 'div',
  __rmatmul__: 'matmul',
  __rmod__: 'remainder',
  __rmul__: 'mul',
  __ror__: 'bitwise_or',
  __rpow__: 'pow',
  __rsub__: 'sub',
  __rxor__: 'bitwise_xor',
};

/** PyTorch's lists give the input of these first, where the function takes it second. */
const INPUT_SECOND = ['einsum', 'polygamma', 'special.polygamma'];

/** PyTorch's lists give two factors, a and b, for one input of these, which is a bᵀ. */
const OF_PRODUCTS = ['linalg.pinv', 'pca_lowrank', 'svd_lowrank'];

/**
 * The function for PyTorch's `name`, such as `nn.functional.max_pool2d`; or the method. `variant`
 * is what PyTorch's lists call the samples.
 */
export function findFunction(name: string, variant = ''): Callable | undefined {
  const operator = REFLECTED[name];
  if (operator !== undefined) {
    const fn = findFunction(operator);
    return fn && ((a, b) => fn(b, a));
  }
  if (INPUT_SECOND.includes(name)) {
    const fn = lookUp(name);
    return fn && ((input, first) => fn(...inOrder(input, first)));
  }
  if (OF_PRODUCTS.includes(name)) {
    const fn = lookUp(name);
    const product = (a: unknown, b: Tensor) => (a as Tensor).matmul(b.mT);
    return (
      fn &&
      ((a, b, ...rest) => (b instanceof Tensor ? fn(product(a, b), ...rest) : fn(a, b, ...rest)))
    );
  }
  if (name === 'linalg.lstsq' && variant === 'grad_oriented') {
    const fn = lookUp(name);
    return fn && ((...args) => (fn(...args) as unknown[]).slice(0, 2));
  }
  return lookUp(name);
}

/** `first`, by position or as the only option, and the input behind it. */
function inOrder(input: unknown, first: unknown): [unknown, unknown] {
  const isOption = first instanceof Object && 'n' in first;
  return [isOption ? (first as { n: unknown }).n : first, input];
}

function lookUp(name: string): Callable | undefined {
  // A tensor to be filled, not one of means.
  if (name === 'normal') {
    const [make, fill] = [torchts.normal as unknown as Callable, methodCall('normal_')!];
    return (x, ...args) => (x instanceof Tensor && args.length === 2 ? fill : make)(x, ...args);
  }
  // PyTorch's samples call the method, whose condition comes second.
  if (name === 'where') return methodCall(name);
  const path = (OTHER_NAMES[name] ?? name).split('.').map(camelCase);
  const found = path.reduce<unknown>(
    (room, part) => (room as Record<string, unknown> | undefined)?.[part],
    torchts,
  );
  if (typeof found === 'function') return found as Callable;
  if (path.length > 1) return undefined;
  return methodCall(path[0]!);
}

/** The class of modules by this name. */
export function findClass(name: string): ModuleClass | undefined {
  return (torchts.nn as unknown as Record<string, never>)[name];
}

function methodCall(name: string): Callable | undefined {
  const descriptor = Object.getOwnPropertyDescriptor(Tensor.prototype, name);
  if (descriptor?.get !== undefined) return (x) => (x as Record<string, unknown>)[name];
  if (typeof descriptor?.value !== 'function') return undefined;
  // As PyTorch's lists do: a leaf that gradients are asked of cannot change in place.
  const self = (x: unknown) => (name.endsWith('_') ? (x as Tensor).clone() : x);
  return (x, ...args) => (descriptor.value as Callable).call(self(x), ...args);
}

/** `log_softmax` -> `logSoftmax`; a trailing underscore stays. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
