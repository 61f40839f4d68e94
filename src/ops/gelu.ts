/** GELU: one vector pass forward, one backward. */

import { needsFloating } from '../base/dtype.ts';
import { ArgumentError, opError } from '../base/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { named } from './named.ts';
import { add, exp, mul, sub, tanh } from './pointwise.ts';
import { floatUnary } from './pointwise-rows.ts';

/** The normal distribution's density. */
function density(x: Tensor): Tensor {
  return mul(exp(mul(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
}

const geluDerivative = floatUnary('gelu_derivative', (g, x) =>
  mul(g, mul(density(x), sub(2, mul(x, x)))),
);
const geluExact = floatUnary('gelu', (g, x) => mul(g, geluDerivative(x)));

const SCALE = Math.sqrt(2 / Math.PI);
const CUBIC = 0.044715;

/** With t = tanh(u(x)): d/dx of (1 + t) / 2 + x t' / 2, where t' = (1 - t²) u'. */
const geluTanhDerivative = floatUnary('gelu_tanh_derivative', (g, x) => {
  const square = mul(x, x);
  const t = tanh(mul(mul(x, SCALE), add(mul(square, CUBIC), 1)));
  const slope = mul(add(mul(square, 3 * CUBIC), 1), SCALE);
  const first = mul(sub(1, mul(t, t)), slope);
  const curve = mul(sub(1, mul(t, t)), mul(x, 6 * SCALE * CUBIC));
  const second = sub(curve, mul(mul(mul(t, first), slope), 2));
  return mul(g, add(first, mul(mul(x, second), 0.5)));
});
const geluApproximate = floatUnary('gelu_tanh', (g, x) => mul(g, geluTanhDerivative(x)));

/** How GELU is computed: with the normal distribution itself, or with tanh in its place. */
export type GeluApproximation = 'none' | 'tanh';

/**
 * x Phi(x), Phi the cumulative function of the normal distribution.
 * https://pytorch.org/docs/stable/generated/torch.nn.functional.gelu.html
 *
 * @throws DTypeError unless `input` is floating, ArgumentError for another `approximate`.
 */
export const gelu = named(
  'gelu',
  ['input', 'approximate'],
  (input: Tensor, approximate: GeluApproximation = 'none'): Tensor => {
    if (approximate !== 'none' && approximate !== 'tanh') {
      const message = `approximate must be none or tanh, got ${approximate}`;
      throw opError(ArgumentError, 'gelu', message);
    }
    needsFloating('gelu', input);
    return approximate === 'tanh' ? geluApproximate(input) : geluExact(input);
  },
);
