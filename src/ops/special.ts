/** The namespace `special`: https://pytorch.org/docs/stable/special.html */

export { logit, sinc, xlogy } from './arithmetic.ts';
export * from './bessel.ts';
export * from './distribution-functions.ts';
export { erf, expm1, log1p, round, sigmoid as expit } from './pointwise.ts';
export * from './polynomials.ts';
export { logsumexp } from './reduction.ts';
export { logSoftmax, softmax } from './softmax.ts';
export {
  digamma,
  digamma as psi,
  erfc,
  erfinv,
  exp2,
  lgamma as gammaln,
  mvlgamma as multigammaln,
  polygamma,
  zeta,
} from './transcendental.ts';
