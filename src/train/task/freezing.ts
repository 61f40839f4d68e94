/** Which parameters of a config's model are trained. */

import { chosen, idlePatterns } from '../../base/patterns.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { BatchNorm } from '../../nn/batch-norm.ts';
import { type Module, type Parameter, wholeModel } from '../../nn/index.ts';

/**
 * Leaves out of training what `model.freeze` says: no gradient of it is computed, and the optimizer
 * is not to be given it. Batch norms that are frozen whole keep their statistics, unless
 * `freeze_batch_norm` is false.
 *
 * @returns the parameters that are trained, by name.
 * @throws ConfigError for a pattern that matches nothing, or when nothing is left to train.
 */
export function freeze(loaded: LoadedConfig, model: Module): [string, Parameter][] {
  const { freeze: patterns, freeze_batch_norm } = wholeModel(loaded.config.model);
  const state = [...model.stateDict().keys()];
  const [idle] = idlePatterns(patterns, state, 'parameter');
  if (idle !== undefined) {
    const path = ['model', 'freeze', ...(typeof patterns === 'string' ? [] : [idle.index])];
    throw loaded.error(path, idle.message);
  }
  const frozen = chosen(patterns, state);
  // A parameter that stands under several names is frozen by any of them.
  for (const [name, parameter] of model.namedParameters({ remove_duplicate: false })) {
    if (frozen.has(name)) parameter.requires_grad_(false);
  }
  const trained = model.namedParameters().filter(([, { requires_grad }]) => requires_grad);
  if (trained.length === 0 && frozen.size > 0) {
    throw loaded.error(['model', 'freeze'], 'nothing is left to train: every parameter is frozen');
  }
  if (freeze_batch_norm) {
    for (const norm of wholeNorms(model, frozen)) norm.freezeStatistics();
  }
  return trained;
}

/** Batch norms that have no trained parameter; where they have none, their statistics decide. */
function wholeNorms(model: Module, frozen: ReadonlySet<string>): BatchNorm[] {
  return [...model.namedModules()].flatMap(([path, module]) => {
    if (!(module instanceof BatchNorm)) return [];
    const own = module.parameters();
    const statistics = path === '' ? 'running_mean' : `${path}.running_mean`;
    const isFrozen =
      own.length === 0 ? frozen.has(statistics) : own.every(({ requires_grad }) => !requires_grad);
    return isFrozen ? [module] : [];
  });
}
