/** Layer normalisation. Batch normalisation by running statistics stands in bias.ts. */

import { numel } from '../../base/shape.ts';
import type { LayerNormAttrs } from '../../engine/kernels.ts';
import type { Call, Translator, Translators } from '../translator.ts';

const layerNorm: Translator = (call: Call<LayerNormAttrs>, builder) => {
  const { dims, eps, weight, bias } = call.attrs;
  const [x, ...parameters] = call.inputs as [string, ...string[]];
  const { dtype, shape } = call.type(0);
  const sizes = call.fixed(shape.slice(-dims));
  const ones = () => builder.numbers(dtype, new Array<number>(numel(sizes)).fill(1), sizes);
  const scale = weight ? parameters[0]! : ones();
  const operands = bias ? [x, scale, parameters.at(-1)!] : [x, scale];
  return builder.emit('LayerNormalization', operands, { axis: -dims, epsilon: { float: eps } });
};

export const normalization: Translators = { layer_norm: layerNorm };
