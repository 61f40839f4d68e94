/** A linear function of each of two inputs. */

import { opError, ShapeError } from '../../base/errors.ts';
import { formatShape, sameShape } from '../../base/shape.ts';
import type { Tensor } from '../../core/tensor.ts';
import { matmul } from '../../ops/matmul.ts';
import { permute, reshape, unsqueeze } from '../../ops/movement.ts';
import { named } from '../../ops/named.ts';
import { add, mul } from '../../ops/pointwise.ts';
import { sum } from '../../ops/reduction.ts';

/**
 * x1ᵀ W x2 + b for each of the outputs: input1 (..., I), input2 (..., J), weight (O, I, J), bias
 * (O) -> (..., O). https://pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html
 *
 * @throws ShapeError when the sizes do not fit.
 */
export const bilinear = named(
  'bilinear',
  ['input1', 'input2', 'weight', 'bias'],
  (input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor => {
    checkSizes(input1, input2, weight, bias);
    const [outputs, first, second] = weight.shape as [number, number, number];
    const table = reshape(permute(weight, [1, 0, 2]), [first, outputs * second]);
    const leading = input1.shape.slice(0, -1);
    const products = reshape(matmul(input1, table), [...leading, outputs, second]);
    const result = sum(mul(products, unsqueeze(input2, -2)), -1);
    return bias === null ? result : add(result, bias);
  },
);

function checkSizes(a: Tensor, b: Tensor, weight: Tensor, bias: Tensor | null): void {
  const fits =
    weight.ndim === 3 &&
    a.ndim > 0 &&
    sameShape(a.shape.slice(0, -1), b.shape.slice(0, -1)) &&
    a.ndim === b.ndim &&
    a.shape.at(-1) === weight.shape[1] &&
    b.shape.at(-1) === weight.shape[2] &&
    (bias === null || sameShape(bias.shape, [weight.shape[0]!]));
  if (fits) return;
  const shapes = [a, b, weight, ...(bias ? [bias] : [])].map((x) => formatShape(x.shape));
  const message = `${shapes.join(', ')} do not fit: (..., I), (..., J), (O, I, J) and (O)`;
  throw opError(ShapeError, 'bilinear', message);
}
