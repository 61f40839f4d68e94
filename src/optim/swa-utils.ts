/**
 * `optim.swaUtils`: averages of weights.
 * https://pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
 */

import { noGrad } from '../core/grad-mode.ts';
import { realize } from '../core/realize.ts';
import { Tensor } from '../core/tensor.ts';
import { BatchNorm, InstanceNorm } from '../nn/batch-norm.ts';
import type { AnyModule } from '../nn/module.ts';
import { AveragedModel } from './averaged-model.ts';

export {
  AveragedModel,
  type AveragedModelOptions,
  type AverageFunction,
  getEmaAvgFn,
  getEmaMultiAvgFn,
  getSwaAvgFn,
  getSwaMultiAvgFn,
  type MultiAverageFunction,
} from './averaged-model.ts';
export { SWALR } from './lr-scheduler/averaging.ts';

type Batches = Iterable<BatchOf> | AsyncIterable<BatchOf>;
type BatchOf = Tensor | readonly [Tensor, ...unknown[]];

/**
 * Computes the running statistics of all batch norms anew, as means over the batches of `loader`:
 * each a tensor, or a list whose first item is the model's input.
 * https://pytorch.org/docs/stable/optim.html#torch.optim.swa_utils.update_bn
 */
export async function updateBn(loader: Batches, model: AnyModule): Promise<void> {
  const norms = normsOf(model);
  if (norms.length === 0) return;
  const { training } = model;
  model.train();
  try {
    for (const { layer, state } of norms) {
      BatchNorm.prototype.resetRunningStats.call(state);
      Object.assign(layer, { momentum: null });
    }
    for await (const batch of loader) {
      noGrad(() => model.call(batch instanceof Tensor ? batch : batch[0]));
      await realize(model.stateTensors().map((tensor) => tensor.value));
    }
  } finally {
    for (const { layer, momentum } of norms) Object.assign(layer, { momentum });
    model.train(training);
  }
}

/** The batch norms of a model, with the modules that hold their statistics. */
function normsOf(model: AnyModule) {
  const layers = model instanceof AveragedModel ? model.source.modules() : model.modules();
  const states = (model instanceof AveragedModel ? model.module.modules() : layers) as BatchNorm[];
  return layers.flatMap((layer, i) => {
    if (!(layer instanceof BatchNorm) || layer instanceof InstanceNorm) return [];
    return [{ layer, state: states[i]!, momentum: layer.momentum }];
  });
}
