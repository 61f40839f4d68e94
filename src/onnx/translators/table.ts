/** Which op is translated how, and which are not: together, as a test says, the op table. */

import type { Translator, Translators } from '../translator.ts';
import { convolutions } from './convolution.ts';
import { indexing } from './indexing.ts';
import { products } from './matmul.ts';
import { movement } from './movement.ts';
import { normalization } from './normalization.ts';
import { pointwise } from './pointwise.ts';
import { pooling } from './pooling.ts';
import { recurrent } from './recurrent.ts';
import { reductions } from './reduction.ts';

const TABLE: Translators = {
  ...pointwise,
  ...movement,
  ...reductions,
  ...products,
  ...convolutions,
  ...pooling,
  ...normalization,
  ...recurrent,
  ...indexing,
};

/** How `op` is translated, if it can be. */
export function translatorOf(op: string): Translator | undefined {
  return Object.hasOwn(TABLE, op) ? TABLE[op] : undefined;
}

/**
 * Ops without a translator, by the reason. What they compute from a model's state alone is stored
 * in the file as it is; of a model's input they cannot be exported.
 */
export const UNTRANSLATED: Readonly<Record<string, readonly string[]>> = {
  'a gradient or an update: no part of a forward pass': [
    'embedding_backward',
    'gelu_derivative',
    'gelu_tanh_derivative',
    'conv2d_backward_weight',
    'max_pool2d_backward',
    'avg_pool2d_backward',
    'batch_norm_backward',
    'layer_norm_backward',
    'scaled_dot_product_attention_backward',
    'cross_entropy_backward',
    'lstm_backward',
    'clip_norm',
    'fused_sgd',
    'fused_adam',
  ],
  'taken apart before the translation': ['batch_norm', 'cross_entropy'],
  'random numbers, which no model in evaluation mode draws': ['philox', 'dropout'],
  'ONNX has no operator for it': [
    ...['erfinv', 'lgamma', 'digamma', 'zeta', 'erfcx', 'ndtri', 'gammainc', 'gammaincc'],
    ...['i0', 'i0e', 'i1', 'i1e', 'modified_bessel_k0', 'modified_bessel_k1'],
    ...['scaled_modified_bessel_k0', 'scaled_modified_bessel_k1'],
    ...['bessel_j0', 'bessel_j1', 'bessel_y0', 'bessel_y1', 'airy_ai'],
    ...['chebyshev_polynomial_t', 'chebyshev_polynomial_u', 'chebyshev_polynomial_v'],
    ...['chebyshev_polynomial_w', 'hermite_polynomial_h', 'hermite_polynomial_he'],
    ...['laguerre_polynomial_l', 'legendre_polynomial_p'],
    ...['frexp_exponent', 'frexp_mantissa', 'gcd'],
    ...['nextafter', 'nextafter_bfloat16', 'nextafter_float16'],
    // Its shift is of unsigned integers, which torchts has in 8 bits only.
    ...['bitwise_left_shift', 'bitwise_right_shift'],
    ...['cumprod', 'logcumsumexp', 'cummax', 'cummin'],
    ...['triangular_solve', 'cholesky', 'lu_factor', 'permutation', 'matrix_exp', 'qr'],
    ...['householder_product', 'svd', 'svdvals', 'eigh', 'eigvalsh'],
  ],
};

/** Why `op` has no translator. */
export function reasonAgainst(op: string): string {
  const found = Object.entries(UNTRANSLATED).find(([, ops]) => ops.includes(op));
  return found?.[0] ?? 'it has no translation';
}
