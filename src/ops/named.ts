/**
 * `named`: calls as PyTorch users write them. Every public function takes its arguments by position
 * or, from any place on, by name, in one object at the end:
 *
 *     sum(x, 1, true)      sum(x, { dim: 1, keepdim: true })      sum(x, 1, { keepdim: true })
 */

import { ArgumentError, nearestName, opError } from '../base/errors.ts';

/** The arguments `Values` under `Names`, as one object. Those with a default may be left out. */
type Options<
  Values extends readonly unknown[],
  Names extends readonly string[],
> = Names extends readonly [
  infer Name extends string,
  ...infer OtherNames extends readonly string[],
]
  ? Values extends readonly [infer Value, ...infer Others]
    ? { readonly [K in Name]: Value } & Options<Others, OtherNames>
    : Values extends readonly [(infer Value)?, ...infer Others]
      ? { readonly [K in Name]?: Value } & Options<Others, OtherNames>
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

type ArgsOf<F> = F extends (...args: infer Args) => unknown ? Args : never;
type ResultOf<F> = F extends (...args: infer _Args) => infer Result ? Result : never;

/** A function that also takes its arguments by name. */
export interface Named<F, Names extends readonly string[]> {
  (...args: ArgsOf<F> | Calls<ArgsOf<F>, Names>): ResultOf<F>;
  /** PyTorch's name of it, and those of its arguments. */
  readonly op: string;
  readonly args: Names;
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
  const call = (...given: unknown[]) => {
    const args = isOptions(given.at(-1)) ? byPosition(op, names, given) : given;
    for (let i = 0; i < required; i++) {
      if (args[i] === undefined) throw opError(ArgumentError, op, `${names[i]} is missing`);
    }
    if (args.length > names.length) {
      const list = names.join(', ');
      throw opError(ArgumentError, op, `takes ${list}; got ${args.length} arguments`);
    }
    return compute(...args);
  };
  return Object.assign(call, { op, args: names }) as unknown as Named<F, Names>;
}

function isOptions(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
  );
}

/** The arguments in the order of `names`; the last of `given` holds some by name. */
function byPosition(op: string, names: readonly string[], given: unknown[]): unknown[] {
  const options = given[given.length - 1] as Record<string, unknown>;
  const args = given.slice(0, -1);
  const byPlace = args.length;
  for (const [name, value] of Object.entries(options)) {
    const place = names.indexOf(name);
    if (place === -1) throw opError(ArgumentError, op, unknownName(name, names));
    if (place < byPlace) throw opError(ArgumentError, op, `${name} is given twice`);
    args[place] = value;
  }
  return args;
}

function unknownName(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? `it takes ${names.join(', ')}` : `is it ${nearest}?`;
  return `there is no argument ${name}; ${hint}`;
}
