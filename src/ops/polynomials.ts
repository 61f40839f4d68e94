/**
 * Orthogonal polynomials of degree `n` at `input`; both broadcast, either may be a number. A
 * fraction of `n` does not count; negative degrees give 0. Integers are computed in float32. As in
 * PyTorch, there are no gradients. https://pytorch.org/docs/stable/special.html
 */

import type { Tensor } from '../core/tensor.ts';
import type { PointwiseFn } from '../engine/kernels.ts';
import { named } from './named.ts';
import { mul, type Operand, sub } from './pointwise.ts';
import { binary } from './pointwise-rows.ts';

function polynomial(name: PointwiseFn) {
  const compute = binary(name, 'nondiff', { floating: true });
  return named(name, ['input', 'n'], (input: Operand, n: Operand): Tensor => compute(input, n));
}

/** Of [0, 1] what `of` is of [-1, 1]: at 2 input - 1. */
function shifted(of: ReturnType<typeof polynomial>) {
  return named(`shifted_${of.op}`, ['input', 'n'], (input: Operand, n: Operand): Tensor => {
    const place = typeof input === 'number' ? 2 * input - 1 : sub(mul(input, 2), 1);
    return of(place, n);
  });
}

/** Chebyshev's polynomials of the first to the fourth kind. */
export const chebyshevPolynomialT = polynomial('chebyshev_polynomial_t');
export const chebyshevPolynomialU = polynomial('chebyshev_polynomial_u');
export const chebyshevPolynomialV = polynomial('chebyshev_polynomial_v');
export const chebyshevPolynomialW = polynomial('chebyshev_polynomial_w');
export const shiftedChebyshevPolynomialT = shifted(chebyshevPolynomialT);
export const shiftedChebyshevPolynomialU = shifted(chebyshevPolynomialU);
export const shiftedChebyshevPolynomialV = shifted(chebyshevPolynomialV);
export const shiftedChebyshevPolynomialW = shifted(chebyshevPolynomialW);
/** Hermite's polynomials, the physicists'; NaN above degree 128 (512 in float64). */
export const hermitePolynomialH = polynomial('hermite_polynomial_h');
/** Hermite's polynomials, the probabilists'; NaN above degree 128 (512 in float64). */
export const hermitePolynomialHe = polynomial('hermite_polynomial_he');
/** Laguerre's polynomials. */
export const laguerrePolynomialL = polynomial('laguerre_polynomial_l');
/** Legendre's polynomials. */
export const legendrePolynomialP = polynomial('legendre_polynomial_p');
