/**
 * `named`: calls as PyTorch users write them. Every public function takes its arguments by position
 * or, from any place on, by name, in one object at the end:
 *
 *     sum(x, 1, true)      sum(x, { dim: 1, keepdim: true })      sum(x, 1, { keepdim: true })
 *
 * A name that begins with a star is a list that may also be given item by item, as Python's
 * `*args`:
 *
 *     permute(x, [1, 0])      permute(x, 1, 0)      permute(x, { dims: [1, 0] })
 */

import { ArgumentError, nearestName, opError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';

/** A name without its star. */
type Bare<Name extends string> = Name extends `*${infer Rest}` ? Rest : Name;

/** The arguments `Values` under `Names`, as one object. Those with a default may be left out. */
type Options<
  Values extends readonly unknown[],
  Names extends readonly string[],
> = Names extends readonly [
  infer Name extends string,
  ...infer OtherNames extends readonly string[],
]
  ? Values extends readonly [infer Value, ...infer Others]
    ? { readonly [K in Bare<Name>]: Value } & Options<Others, OtherNames>
    : Values extends readonly [(infer Value)?, ...infer Others]
      ? { readonly [K in Bare<Name>]?: Value } & Options<Others, OtherNames>
      : unknown
  : unknown;

/** All ways to give `Values`: the first few by position, the others by name. */
type Calls<
  Values extends readonly unknown[],
  Names extends readonly string[],
  Given extends readonly unknown[] = [],
> = Names extends readonly [string, ...infer OtherNames extends readonly string[]]
  ?
      | [...Given, Options<Values, Names>]
      | (Values extends readonly [infer Value, ...infer Others]
          ? Calls<Others, OtherNames, [...Given, Value]>
          : Values extends readonly [(infer Value)?, ...infer Others]
            ? Calls<Others, OtherNames, [...Given, Value | undefined]>
            : never)
  : never;

/**
 * The items of the starred argument one by one, after those in front of it; then the others by
 * name.
 */
type Spread<
  Values extends readonly unknown[],
  Names extends readonly string[],
  Given extends readonly unknown[] = [],
> = Names extends readonly [
  infer Name extends string,
  ...infer OtherNames extends readonly string[],
]
  ? Values extends readonly [(infer Value)?, ...infer Others]
    ? Name extends `*${string}`
      ? [...Given, ...Item<Value>[]] | WithOptions<[...Given, ...Item<Value>[]], Others, OtherNames>
      : Spread<Others, OtherNames, [...Given, Value]>
    : never
  : never;
type Item<List> = List extends readonly (infer Value)[] ? Value : never;
type WithOptions<
  Given extends readonly unknown[],
  Values extends readonly unknown[],
  Names extends readonly string[],
> = Names extends readonly [] ? never : [...Given, Options<Values, Names>];

type ArgsOf<F> = F extends (...args: infer Args) => unknown ? Args : never;
type ResultOf<F> = F extends (...args: infer _Args) => infer Result ? Result : never;

/** A function that also takes its arguments by name. */
export interface Named<F, Names extends readonly string[]> {
  (...args: ArgsOf<F> | Calls<ArgsOf<F>, Names> | Spread<ArgsOf<F>, Names>): ResultOf<F>;
  /** PyTorch's name of it, and those of its arguments. */
  readonly op: string;
  readonly args: readonly string[];
}

/**
 * `fn` callable by name. `names` has one name for each parameter of `fn`, PyTorch's; a parameter
 * that may be left out has a default value, as in Python.
 *
 * The result throws ArgumentError for a name that `fn` does not have, an argument that is given
 * twice or missing, and one too many.
 */
export function named<F, const Names extends readonly string[]>(
  op: string,
  names: Names,
  // Not constrained to functions: that would be a context in which `keepdim = false` has no type.
  fn: F,
): Named<F, Names> {
  const compute = fn as (...args: unknown[]) => unknown;
  const required = compute.length;
  const bare = names.map((name) => name.replace('*', ''));
  const starred = names.findIndex((name) => name.startsWith('*'));
  const call = (...given: unknown[]) => {
    const hasOptions = isOptions(given.at(-1));
    const places = collected(hasOptions ? given.slice(0, -1) : given, starred, names.length);
    const args = hasOptions
      ? withOptions(op, bare, places, given.at(-1) as Record<string, unknown>)
      : places;
    for (let i = 0; i < required; i++) {
      if (args[i] === undefined) throw opError(ArgumentError, op, `${bare[i]} is missing`);
    }
    if (args.length > names.length) {
      const list = bare.join(', ');
      throw opError(ArgumentError, op, `takes ${list}; got ${args.length} arguments`);
    }
    try {
      return compute(...args);
    } catch (error) {
      throw refused(op, bare, args, error);
    }
  };
  return Object.assign(call, { op, args: bare }) as unknown as Named<F, Names>;
}

/**
 * What a call without the compiler's checks made of wrong arguments, such as a string for a tensor,
 * as a typed error. A function among the arguments may have thrown it itself: its errors pass as
 * they are.
 */
function refused(
  op: string,
  names: readonly string[],
  args: readonly unknown[],
  error: unknown,
): unknown {
  const isAccident = error instanceof TypeError || error instanceof RangeError;
  if (!isAccident || args.some((arg) => typeof arg === 'function')) return error;
  const given = args.map((arg, i) => `${names[i]} ${describe(arg)}`);
  const typed = opError(ArgumentError, op, `cannot be called with ${given.join(', ')}`);
  return Object.assign(typed, { cause: error });
}

function isOptions(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

/** Items that were given one by one in the place of the starred argument, made one list. */
function collected(given: unknown[], starred: number, most: number): unknown[] {
  const [first, ...rest] = given.slice(starred);
  const isList = Array.isArray(first) && given.length <= most && !rest.some(Array.isArray);
  if (starred === -1 || first === undefined || isList) return given;
  return [...given.slice(0, starred), given.slice(starred)];
}

/** `places`, and the arguments of `options` behind them in the order of `names`. */
function withOptions(
  op: string,
  names: readonly string[],
  places: readonly unknown[],
  options: Record<string, unknown>,
): unknown[] {
  const args = [...places];
  for (const [name, value] of Object.entries(options)) {
    const place = names.indexOf(name);
    if (place === -1) throw opError(ArgumentError, op, unknownName(name, names));
    if (place < places.length) throw opError(ArgumentError, op, `${name} is given twice`);
    args[place] = value;
  }
  return args;
}

function unknownName(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `it takes ${names.join(', ')}` : `is it ${nearest}?`;
  return `there is no argument ${name}; ${hint}`;
}

/**
 * Throws ArgumentError unless all of these arguments are tensors; they are given under their names.
 */
export function requireTensors(op: string, args: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(args)) {
    if (value instanceof Tensor) continue;
    throw opError(ArgumentError, op, `${name} must be a tensor, got ${describe(value)}`);
  }
}

function describe(value: unknown): string {
  if (value instanceof Tensor) return `${value.dtype} ${formatShape(value.shape)}`;
  if (Array.isArray(value)) return 'an array';
  return value === null || value === undefined ? String(value) : `a ${typeof value}`;
}
