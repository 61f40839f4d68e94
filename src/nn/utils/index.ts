/**
 * `nn.utils`: what is done to parameters beside the layers. `torch.nn.utils`'s names in camelCase.
 */

export { type ClipGradNormOptions, clipGradNorm_, clipGradValue_ } from './clip-grad.ts';
export {
  fuseConvBnEval,
  fuseConvBnWeights,
  fuseLinearBnEval,
  fuseLinearBnWeights,
} from './fusion.ts';
export * as parametrizations from './parametrizations.ts';
export * as parametrize from './parametrize.ts';
export * as rnn from './rnn.ts';
export {
  clipGradsWithNorm_,
  getTotalNorm,
  parametersToVector,
  vectorToParameters,
} from './vectors.ts';
