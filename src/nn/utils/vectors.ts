/** All parameters, or all gradients, as one. */

import { ArgumentError, opError } from '../../base/errors.ts';
import { numel } from '../../base/shape.ts';
import { noGrad } from '../../core/grad-mode.ts';
import { Tensor } from '../../core/tensor.ts';
import { clamp } from '../../ops/arithmetic.ts';
import { clipNormComposite } from '../../ops/clipping.ts';
import { zeros } from '../../ops/creation.ts';
import { cat } from '../../ops/joining.ts';
import { reshape } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { add, div, mul } from '../../ops/pointwise.ts';
import { narrow } from '../../ops/slicing.ts';

type Tensors = Tensor | readonly Tensor[];

const listOf = (tensors: Tensors): readonly Tensor[] =>
  tensors instanceof Tensor ? [tensors] : tensors;

/**
 * The parameters' elements one after the other: one vector.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html
 */
export const parametersToVector = named(
  'parameters_to_vector',
  ['parameters'],
  (parameters: readonly Tensor[]): Tensor =>
    cat(parameters.map((parameter) => reshape(parameter, [parameter.numel()]))),
);

/**
 * Gives the parameters, in place, the elements of a vector.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html
 */
export const vectorToParameters = named(
  'vector_to_parameters',
  ['vec', 'parameters'],
  (vec: Tensor, parameters: readonly Tensor[]): void => {
    const total = parameters.reduce((sum, { shape }) => sum + numel(shape), 0);
    if (vec.ndim !== 1 || vec.numel() < total) {
      const sizes = `a vector of at least ${total} elements, got ${vec.numel()}`;
      throw opError(ArgumentError, 'vector_to_parameters', `needs ${sizes}`);
    }
    noGrad(() => {
      let offset = 0;
      for (const parameter of parameters) {
        const part = narrow(vec, 0, offset, parameter.numel());
        parameter.copy_(reshape(part, parameter.shape).detach());
        offset += parameter.numel();
      }
    });
  },
);

/**
 * The norm of all elements of all tensors together.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.get_total_norm.html
 */
export const getTotalNorm = named(
  'get_total_norm',
  ['tensors', 'norm_type'],
  (tensors: Tensors, norm_type = 2): Tensor => {
    const list = listOf(tensors);
    if (list.length === 0) return zeros([]);
    return clipNormComposite(list, { max_norm: 1, norm_type }).norm;
  },
);

/**
 * Scales gradients, in place, whose norm is known, down to `max_norm`.
 * https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grads_with_norm_.html
 */
export const clipGradsWithNorm_ = named(
  'clip_grads_with_norm_',
  ['parameters', 'max_norm', 'total_norm'],
  (parameters: Tensors, max_norm: number, total_norm: Tensor): void => {
    const scale = clamp(div(max_norm, add(total_norm, 1e-6)), null, 1);
    noGrad(() => {
      for (const { grad } of listOf(parameters)) grad?.copy_(mul(grad, scale));
    });
  },
);
