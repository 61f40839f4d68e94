/** PyTorch's other names for the same functions. */

export { clamp as clip } from './arithmetic.ts';
export { gammainc as igamma, gammaincc as igammac } from './distribution-functions.ts';
export {
  abs as absolute,
  atan2 as arctan2,
  div as divide,
  div as trueDivide,
  ge as greaterEqual,
  gt as greater,
  le as lessEqual,
  lt as less,
  mul as multiply,
  ne as notEqual,
  neg as negative,
  sub as subtract,
  trunc as fix,
} from './pointwise.ts';
export { outer as ger } from './products.ts';
export {
  acos as arccos,
  acosh as arccosh,
  asin as arcsin,
  asinh as arcsinh,
  atan as arctan,
  atanh as arctanh,
} from './transcendental.ts';
