/** Parameter groups: what an optimizer is given, put into one form and checked. */

import { ArgumentError } from '../base/errors.ts';
import { Tensor } from '../core/tensor.ts';
import { checkWays, type Rate, rateOf } from './options.ts';

/** Options of one group; each optimizer adds its own. All may be changed between steps. */
export interface GroupOptions {
  lr: Rate;
}

export type ParamGroup<Options extends GroupOptions> = {
  params: Tensor[];
  /** There where parameters were given with names. */
  param_names?: string[];
  /** The rate that a scheduler began with. */
  initial_lr?: number;
  /** What a config calls it; its rate is recorded under that name. */
  name?: string;
} & Options;

/** Parameters by themselves or each with its name, as `namedParameters()` gives them. */
export type ParamList = readonly Tensor[] | readonly (readonly [string, Tensor])[];

export type GivenGroup<Options extends GroupOptions> = {
  readonly params: Tensor | ParamList;
} & Partial<Options>;

/** Parameters, or groups of them with options of their own. */
export type Params<Options extends GroupOptions> = ParamList | readonly GivenGroup<Options>[];

/** Groups of parameters as they were given, without the defaults. */
export function groupsOf<Options extends GroupOptions>(
  params: Params<Options>,
): readonly GivenGroup<Options>[] {
  if (!Array.isArray(params)) {
    throw new ArgumentError('[optim] the parameters must be an array of tensors or of groups');
  }
  if (params.length === 0) throw new ArgumentError('[optim] there are no parameters to optimise');
  const isGroup = (item: unknown) =>
    typeof item === 'object' && item !== null && !(item instanceof Tensor) && 'params' in item;
  if (params.every(isGroup)) return params as readonly GivenGroup<Options>[];
  return [{ params: params as ParamList }] as unknown as readonly GivenGroup<Options>[];
}

/**
 * The group with every option, checked by itself and against those the optimizer has.
 * @throws ArgumentError for parameters that are no leaves, given twice, or named in part only.
 */
export function completeGroup<Options extends GroupOptions>(
  type: string,
  given: GivenGroup<Options>,
  defaults: Options,
  others: readonly ParamGroup<Options>[],
): ParamGroup<Options> {
  const refuse = (problem: string) => new ArgumentError(`[${type}] ${problem}`);
  const { params, param_names } = named(given.params, refuse);
  const group = { ...defaults, ...given, params } as unknown as ParamGroup<Options>;
  if (param_names !== undefined) group.param_names = param_names;
  checkRate(group.lr, refuse);
  checkWays(type, group);
  checkParameters(group, refuse);
  for (const other of others) {
    if ((other.param_names === undefined) !== (group.param_names === undefined)) {
      throw refuse('the parameters of all groups must have names, or those of none');
    }
    const known = new Set(other.params);
    if (params.some((parameter) => known.has(parameter))) {
      throw refuse('a parameter is given twice');
    }
  }
  return group;
}

type Refuse = (problem: string) => ArgumentError;

function checkRate(lr: Rate, refuse: Refuse): void {
  if (lr instanceof Tensor && lr.numel() !== 1) {
    throw refuse(`lr as a tensor must have one element, got ${lr.numel()}`);
  }
  const value = rateOf(lr);
  if (!(value >= 0)) throw refuse(`lr must not be negative, got ${value}`);
}

function named(given: Tensor | ParamList, refuse: Refuse) {
  const list: readonly unknown[] = given instanceof Tensor ? [given] : given;
  const pairs = list.filter((item): item is [string, Tensor] => Array.isArray(item));
  if (pairs.length === 0) return { params: [...list] as Tensor[] };
  if (pairs.length < list.length) {
    throw refuse('either all parameters must have names, or none');
  }
  return { params: pairs.map(([, p]) => p), param_names: pairs.map(([name]) => name) };
}

function checkParameters<Options extends GroupOptions>(
  { params, ...options }: ParamGroup<Options>,
  refuse: Refuse,
): void {
  const { differentiable = false } = options as { differentiable?: boolean };
  if (params.length === 0) throw refuse('a parameter group is empty');
  for (const parameter of params) {
    if (!(parameter instanceof Tensor)) throw refuse('can only optimise tensors');
    if (!parameter.is_leaf && !differentiable) throw refuse('can only optimise leaf tensors');
  }
  if (new Set(params).size < params.length) throw refuse('a parameter is given twice');
}
