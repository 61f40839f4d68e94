/** An optimizer's state as PyTorch writes it, and reading it back. */

import { TorchtsError } from '../base/errors.ts';
import { formatShape, sameShape } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { tensor } from '../ops/host-data.ts';
import { cast } from '../ops/pointwise.ts';
import type { InitialState, ParamState } from './optimizer.ts';
import { rateOf } from './options.ts';
import type { GroupOptions, ParamGroup } from './param-groups.ts';

/** Most optimizers keep tensors; LBFGS also numbers and lists. */
export type SavedValue = Tensor | number | SavedValue[];

/** What is kept for one parameter. */
export type SavedState = Readonly<Record<string, SavedValue>>;

export interface OptimizerStateDict {
  /** By the parameter's position in all groups; those that took no step yet have none. */
  state: Record<number, SavedState>;
  param_groups: Record<string, unknown>[];
}

interface Kept {
  /** Undefined where steps are not saved. */
  readonly steps: number | undefined;
  readonly tensors: ParamState;
}

export function writeStateDict<Options extends GroupOptions>(
  groups: readonly ParamGroup<Options>[],
  keptOf: (parameter: Tensor) => Kept | undefined,
): OptimizerStateDict {
  let index = 0;
  const state: OptimizerStateDict['state'] = {};
  const param_groups = groups.map(({ params, ...options }) => ({
    ...options,
    params: params.map((parameter) => {
      const kept = keptOf(parameter);
      if (kept !== undefined) {
        const { steps, tensors } = kept;
        const saved = steps === undefined ? { ...tensors } : { step: tensor(steps), ...tensors };
        if (Object.keys(saved).length > 0) state[index] = saved;
      }
      return index++;
    }),
  }));
  return { state, param_groups };
}

interface Reader<Options> {
  initialState(parameter: Tensor, group: Options): InitialState;
  stepsIn(saved: SavedState): number;
}

/** The groups' new options, and each parameter's steps and the values of its state. */
export function readStateDict<Options extends GroupOptions>(
  type: string,
  dict: OptimizerStateDict,
  own: readonly ParamGroup<Options>[],
  reader: Reader<Options>,
) {
  const groups = readGroups(type, dict.param_groups, own);
  const states = new Map<Tensor, { readonly steps: number; readonly values: ParamState }>();
  for (const [i, group] of groups.entries()) {
    const ids = dict.param_groups[i]!.params as readonly number[];
    for (const [k, parameter] of group.params.entries()) {
      const saved = dict.state[ids[k]!];
      const initial = reader.initialState(parameter, group);
      if (saved === undefined || Object.keys(saved).length === 0) {
        states.set(parameter, { steps: 0, values: begun(initial) });
      } else {
        const values = readValues(type, ids[k]!, saved, begun(initial));
        states.set(parameter, { steps: reader.stepsIn(saved), values });
      }
    }
  }
  return { groups, states };
}

function readGroups<Options extends GroupOptions>(
  type: string,
  saved: OptimizerStateDict['param_groups'],
  own: readonly ParamGroup<Options>[],
): ParamGroup<Options>[] {
  if (saved.length !== own.length) {
    throw fault(type, `${saved.length} parameter groups instead of ${own.length}`);
  }
  return own.map((group, i) => {
    const { params, ...options } = saved[i]!;
    const { length } = params as readonly unknown[];
    if (length !== group.params.length) {
      throw fault(type, `group ${i} has ${length} parameters instead of ${group.params.length}`);
    }
    // A rate that is a tensor is not shared with who gave it.
    if (options.lr instanceof Tensor) options.lr = tensor(rateOf(options.lr));
    return { ...group, ...options } as ParamGroup<Options>;
  });
}

function begun(initial: InitialState): ParamState {
  return Object.fromEntries(Object.entries(initial).map(([name, begin]) => [name, begin()]));
}

/** The saved values of what is kept, in its dtype. */
function readValues(type: string, index: number, saved: SavedState, begun: ParamState): ParamState {
  const values = Object.entries(begun).map(([name, own]): [string, Tensor] => {
    const value = saved[name];
    if (!(value instanceof Tensor)) throw fault(type, `${name} of parameter ${index} is missing`);
    if (!sameShape(value.shape, own.shape)) {
      const shapes = `${formatShape(value.shape)}, needs ${formatShape(own.shape)}`;
      throw fault(type, `${name} of parameter ${index} has shape ${shapes}`);
    }
    return [name, cast(value.detach(), own.dtype)];
  });
  return Object.fromEntries(values);
}

function fault(type: string, problem: string): TorchtsError {
  return new TorchtsError(`[${type}.loadStateDict] ${problem}`);
}
