/**
 * The kernels an engine must provide: their names, arguments and meaning. This table is the whole
 * contract between the planner and the engines. `reference/` is its executable form in float64;
 * the native engine implements the same names, and a test fails when one is missing.
 *
 * Shapes are written as PyTorch writes them. All values are dense and row-major. "Any dtype" means
 * the output has its input's dtype. A kernel overwrites its outputs (`=`) unless it says `+=`.
 * Zero-sized operands are legal everywhere and give empty outputs (or the fill value).
 */

import type { ComputeType } from '../base/dtype.ts';

/** Reductions: `argmax`/`argmin` give the first index of the extreme as int64; NaN wins. */
export type Reduction = 'sum' | 'prod' | 'amax' | 'amin';

/** What is left at a place that something is scattered to. */
export type ScatterFn = 'set' | 'add' | 'mul' | 'amax' | 'amin';
export type ScanFn = 'sum' | 'prod' | 'logsumexp';

/**
 * What a kernel may do to its first output before it stores it, in this order and each at most
 * once: add a bias of one value for each channel (1-D), add a tensor of the output's shape, keep
 * what is positive (`relu`; NaN stays), one of the two kinds of gelu, multiply by a tensor of the
 * output's shape. `bias`, `add` and `mul` each take one input after the kernel's own, of the
 * output's dtype. After gelu there may be one more output: gelu's derivative at the values that it
 * was given.
 */
export const EPILOGUE_ORDER = ['bias', 'add', 'relu', 'gelu', 'gelu_tanh', 'mul'] as const;
export type Epilogue = (typeof EPILOGUE_ORDER)[number];
/** The parts that read an operand. */
export const EPILOGUE_OPERANDS: readonly Epilogue[] = ['bias', 'add', 'mul'];
export interface WithEpilogue {
  /** Nothing when left out. */
  epilogue?: readonly Epilogue[];
  /** With a bias: the dimension it runs along, the kernel's `EPILOGUES[...].channel`. */
  channel?: number;
}

export interface KernelAttrs {
  /**
   * `out` is the same memory as `in` with another shape of the same numel and dtype.
   * Not a computation: the engine gives both values one place.
   */
  alias: Record<never, never>;

  /**
   * One fused pass over broadcast inputs; every output has the common shape of the outputs.
   * A straight-line program over registers: registers `0..inputs-1` are the inputs' elements
   * converted to their dtype's compute type; step `k` writes register `inputs + k`.
   *
   * - `fns[k]` is a name in `POINTWISE_FNS`; `types[k]` the compute type it works in. All its
   *   arguments have that type, except for `cast`, where `types[k]` is the target.
   * - `args` holds three register numbers a step, -1 where unused.
   * - `imms[k]` is the immediate of `const`.
   * - `results[j]` is the register stored to output `j`, converted to the output's dtype (float to
   *   integer truncates, integers wrap, bool is `!= 0`, floats round to nearest even).
   */
  pointwise: {
    fns: readonly PointwiseFn[];
    types: readonly ComputeType[];
    args: readonly number[];
    imms: readonly number[];
    results: readonly number[];
  };

  /**
   * in (...) -> out without `dims` (ascending). Empty `dims` copies. Any dtype; sum of bool and
   * uint8/int32 is int64 by the op's rule. amax/amin propagate NaN. float sums accumulate in
   * float32 blocks or better. An empty sum is 0, prod 1; amax/amin of nothing cannot be asked.
   */
  reduce: { fn: Reduction; dims: readonly number[] };

  /** in -> out int64 without `dim`: index of the first extreme along it; NaN counts as extreme. */
  arg_reduce: { fn: 'argmax' | 'argmin'; dim: number };

  /** out[i0, i1, ...] = in.flat[offset + sum(ik * strides[k])]; out's shape is the value's. */
  copy_view: { offset: number; strides: readonly number[] };

  /**
   * out = fill everywhere, then out.flat[offset + sum(ik * strides[k])] = in[i0, i1, ...]. The
   * transpose of copy_view; the addressed places are distinct.
   */
  place_view: { offset: number; strides: readonly number[]; fill: number };

  /** Joins the inputs along `dim`. */
  cat: { dim: number };

  /** out = value. */
  fill: { value: number };

  /** out[i] = start + i * step; one dimension. */
  arange: { start: number; step: number };

  /**
   * Philox4x32-10 (Salmon et al. 2011). Inputs: seed int64 (), counter int64 (). Element i takes
   * word `i % 4` of the block with counter words (i/4 low 32, i/4 high 32, stream low, stream
   * high), stream = counter + `offset`, and key (seed low, seed high).
   * `uniform`: (word >> 8) * 2^-24, in [0, 1). `normal`: Box-Muller over word pairs (0,1), (2,3):
   * u = ((a >> 8) + 1) * 2^-24, r = sqrt(-2 ln u), t = 2 pi (b >> 8) * 2^-24; r cos t, r sin t.
   * `bits`: the word as an integer (int64 output).
   */
  philox: { fn: 'uniform' | 'normal' | 'bits'; offset: number };

  /**
   * x floating, seed int64 (), counter int64 () -> y, mask (bool), both of x's shape: mask[i] is
   * whether word i of the stream `counter + offset` of `seed`, numbered as philox does, shifted
   * right by 8, is >= threshold; y = mask ? x * scale : 0.
   */
  dropout: DropoutAttrs;

  /**
   * a (..B, M, K) or (K, M) if `transpose_a`; b likewise; out (..B, M, N). Batch dimensions are
   * equal. Floating; accumulates in float32 or better.
   */
  matmul: { transpose_a: boolean; transpose_b: boolean } & WithEpilogue;

  /** x (N, C, H, W), w (O, C/groups, kH, kW) -> (N, O, H', W'). */
  conv2d_fwd: Conv2dAttrs & WithEpilogue;
  /** g (N, O, H', W'), w (O, C/groups, kH, kW) -> x's gradient (N, C, H, W). */
  conv2d_bwd_data: Conv2dAttrs;
  /** g (N, O, H', W'), x (N, C, H, W) -> w's gradient (O, C/groups, kH, kW). */
  conv2d_bwd_weight: Conv2dAttrs;

  /**
   * x (N, C, H, W) -> y (N, C, H', W'), indices int32 (N, C, H', W'): the flat place h * W + w in
   * the plane of the first maximum of each window (NaN is maximal). Padding counts as -inf.
   */
  max_pool2d_fwd: Pool2dAttrs;

  /**
   * x (N, C, H, W) -> y (N, C, H', W'): y[p][q] is the sum of x over the window (row_begin[p] to
   * row_end[p], column_begin[q] to column_end[q], ends excluded) / (row_divisor[p] *
   * column_divisor[q]). Floating. A window may be empty: its sum is 0.
   */
  avg_pool2d_fwd: AvgPool2dAttrs;
  /** g (N, C, H', W') -> x's gradient (N, C, H, W). */
  avg_pool2d_bwd: AvgPool2dAttrs;

  /**
   * x (N, C, ...), weight (C), bias (C) -> y (N, C, ...), mean (C), variance (C): over all elements
   * of a channel, biased; y = (x - mean) / sqrt(variance + eps) * weight + bias. Of no elements the
   * mean and variance are 0. x and y have one floating dtype; the others are float64 where x is,
   * else float32.
   */
  batch_norm_fwd: { eps: number } & WithEpilogue;
  /**
   * g (N, C, ...), x, weight (C), mean (C), variance (C) -> the gradients of x, weight and bias. g
   * first goes through `prologue`, at most one `add` and then one `relu`, with one more input of
   * x's type each: `add` adds it, `relu` makes g 0 where it is <= 0. A fourth output, if there is
   * one, is the g this gives.
   */
  batch_norm_bwd: { eps: number; prologue: readonly Prologue[] };

  /**
   * g (N, C, H', W'), indices int32 as max_pool2d_fwd gave them -> x's gradient (N, C, H, W): each
   * g added at its index, zero elsewhere. An index outside its window may be ignored or make the
   * run fail.
   */
  max_pool2d_bwd: Pool2dAttrs;

  /**
   * Cross entropy along the last dimension: x (..R, C) floating, target (..R) int32 or int64,
   * [weight (C)] -> loss, lse (..R), total (). With w = 1 without `weight` and s = label_smoothing,
   *   losses = (1 - s) w[t] (lse - x[t]) + s / C sum_c w[c] (lse - x[c]),  lse = log(sum(exp(x))),
   * and 0 where t is `ignore_index`; total is the sum of w[t] over the others. loss is `losses`
   * (..R) for the reduction `none`, else a scalar: their `sum`, or that by total for `mean`. Any
   * other target outside [0, C) makes the run fail with an error.
   */
  cross_entropy_fwd: CrossEntropyAttrs;
  /** g of loss's shape, x, target, [weight], lse, total -> x's gradient, 0 where t is ignored. */
  cross_entropy_bwd: CrossEntropyAttrs;

  /** x -> log(softmax(x)) along `dim`; floating. */
  log_softmax: { dim: number };
  /** x -> softmax(x) along `dim`; floating. */
  softmax: { dim: number };

  /**
   * x (..., D) -> y = (x - mean) rstd [weight] [+ bias], mean, rstd; D are the last `dims`
   * dimensions, weight and bias (D) where their flags are set; mean and rstd (...) with
   * rstd = 1 / sqrt(mean((x - mean)^2) + eps). One floating dtype; sums in float32 or better.
   */
  layer_norm_fwd: LayerNormAttrs;
  /** g, x, [weight], mean, rstd -> x's gradient, [weight's], [bias's]. */
  layer_norm_bwd: LayerNormAttrs;

  /**
   * gx (T, B, 4H): the inputs' part of the gate sums, gates in the order input, forget, cell,
   * output; w (4H, H); h0, c0 (B, H) -> y (T, B, H), hn, cn (B, H), then for backward: gates (as
   * gx, after sigmoid and tanh) and cells (as y). One floating dtype, computed in it.
   */
  lstm_fwd: LstmAttrs;
  /** Gradients of y, hn, cn; w, h0, c0, y, gates, cells -> gradients of gx, w, h0, c0. */
  lstm_bwd: LstmAttrs;

  /**
   * q (B, H, Q, D), k, v (B, H, K, D) -> out (B, H, Q, D) = softmax(scale q kᵀ) v, lse (B, H, Q) =
   * log(sum(exp(scale q kᵀ))). With `causal`, query i sees keys 0..i. One floating dtype.
   */
  attention_fwd: AttentionAttrs;
  /**
   * g, q, k, v, out, lse -> the gradients of q, k and v, either three values or, where `views` says
   * so, parts of one.
   */
  attention_bwd: AttentionAttrs;

  /**
   * table (N, ...), index (int32 or int64) -> out[i...] = table[index[i...]]. An index out of range
   * makes the run fail with an error.
   */
  gather_rows: Record<never, never>;
  /**
   * src (index.., ...), index -> out (N, ...), zero then out[index[i]] += src[i] in ascending
   * order, but for the indices equal to `padding`. Same range rule as gather_rows. Floating.
   */
  scatter_rows: { padding: number };

  /**
   * x, index (int32 or int64; x's rank, no larger than x outside `dim`) -> out[i][j][k] =
   * x[i][index[i][j][k]][k] for dim 1. An index out of range makes the run fail with an error.
   */
  gather: { dim: number };
  /**
   * x, index, src (of index's shape) -> out: x, then for dim 1, in ascending order of the source's
   * flat index, `fn` of out[i][index[i][j][k]][k] and src[i][j][k]: the latter for `set`, sum,
   * product, or the extreme, which NaN wins. Same range rule as gather; `set` is for any dtype.
   */
  scatter: { dim: number; fn: ScatterFn };
  /**
   * src, index (one shape) -> out, zero then out[i][index[i][j][k]][k] += src[i][j][k] for dim 1,
   * in ascending order of the source's flat index. Same range rule as gather.
   */
  scatter_add: { dim: number };

  /**
   * x (..R, N) -> values (..R, K), indices int64 (..R, K): the first `count` = K of the rows in
   * order, and where they stood. Equal elements keep their order; NaN is the largest.
   */
  sort: { descending: boolean; count: number };
  /**
   * sorted (..R, N), values (..R, M) -> int64 (..R, M): how many elements of the row, which
   * ascends, are smaller than the value, or with `right` not larger. NaN is the largest.
   */
  search_sorted: { right: boolean };

  /**
   * x -> the sums, products or log(sum(exp)) of all elements up to each along `dim`; no bool.
   * Floating for `logsumexp`, whose sum of nothing but -inf is -inf.
   */
  scan: { dim: number; fn: ScanFn };
  /**
   * x -> the extreme of all elements up to each along `dim`, and its int64 index along it, the last
   * one of equal ones. NaN is extreme.
   */
  scan_extreme: { dim: number; fn: 'amax' | 'amin' };

  // The kernels from here to matrix_exp need LAPACK on the cpu. Operands are float32 or float64, of
  // one dtype, ..B any leading dimensions. `fails_as` is the name of an op for which a matrix
  // without the factors it needs makes the run fail; with '' it does not, and `info` says so.

  /**
   * a (..B, N, N), of which the lower triangle is read -> l (..B, N, N) with a = l lᵀ, 0 above its
   * diagonal, and info int32 (..B): 0, or the order of the first leading minor that is not
   * positive. Then l is of no use, and with `fails_as` the run fails.
   */
  cholesky: { fails_as: string };
  /**
   * a (..B, M, N) -> lu (..B, M, N): U on and above the diagonal, below it L without its ones;
   * pivots int32 (..B, K), K = min(M, N): row i was exchanged with row pivots[i], counted from 1,
   * to get from a to L U; and info int32 (..B): 0, or the first place (from 1) where U's diagonal
   * is 0, which with `fails_as` makes the run fail. Pivots are the first largest magnitudes of
   * their columns.
   */
  lu_factor: { fails_as: string };
  /**
   * pivots int32 (..B, K) as lu_factor's -> int64 (..B, size): the row of a that is row i of L U. A
   * pivot outside [1, size] makes the run fail.
   */
  permutation: { size: number };
  /**
   * a (..B, N, N), b (..B, N, K) -> x (..B, N, K) with a x = b, or aᵀ x = b. Only the triangle is
   * read, and with `unitriangular` its diagonal counts as ones. A 0 there gives infinity or NaN.
   */
  triangular_solve: { upper: boolean; transpose: boolean; unitriangular: boolean };
  /**
   * a (..B, M, N) -> q (..B, M, K) with orthonormal columns, r (..B, K, N), 0 below its diagonal,
   * with a = q r; K is M, or min(M, N), as the outputs say. By Householder's reflections, which
   * decide the signs: r's diagonal has the sign that the column's element on it had not.
   */
  qr: Record<never, never>;
  /**
   * a (..B, M, N), tau (..B, K), M >= N >= K -> (..B, M, N): the first N columns of H1 H2 .. HK,
   * with Hi = 1 - tau[i] v vᵀ, v = (0, .., 0, 1, a[i + 1 ..][i]).
   */
  householder_product: Record<never, never>;
  /**
   * a (..B, M, N) -> u (..B, M, P), s (..B, K), vh (..B, R, N) with a = u diag(s) vh, K = min(M,
   * N), P = M and R = N with `full_matrices`, else both K; without `vectors` s alone. s falls and
   * is not negative. Which signs (and which vectors of equal values) is the engine's choice. NaN or
   * infinity makes the run fail.
   */
  svd: { full_matrices: boolean; vectors: boolean };
  /**
   * a (..B, N, N), of which one triangle is read -> w (..B, N) rising, v (..B, N, N) with a = v
   * diag(w) vᵀ; without `vectors` w alone. Signs as for svd; NaN of NaN or infinity.
   */
  eigh: { upper: boolean; vectors: boolean };
  /** a (..B, N, N) -> e^a; NaN of NaN or infinity. */
  matrix_exp: Record<never, never>;

  /**
   * One step of SGD for any number of parameters. Inputs: lr (), damping () (1 at the first step,
   * then 1 - dampening), scale () if `scaled`, then p, g and, if `momentum` is not 0, the momentum
   * buffer m of each parameter, all of one shape. Outputs: p', and m' where there is an m, of each.
   * All of one floating dtype. g' = scale * g, negated if `maximize`, + weight_decay * p; m' =
   * momentum * m + damping * g'; p' = p - lr * (nesterov ? g' + momentum * m' : m' or g').
   */
  fused_sgd: SgdAttrs;
  /**
   * One step of Adam for any number of parameters. Inputs: step_size () = lr / (1 - beta1^t),
   * root_scale () = 1 / sqrt(1 - beta2^t), keep () = the factor of decoupled decay, scale () if
   * `scaled`, then p, g, m, v and, if `amsgrad`, the largest v so far x of each parameter, all of
   * one shape. Outputs: p', m', v' and x' where there is an x, of each. All of one floating dtype.
   * g' = scale * g, negated if `maximize`, + weight_decay * p; m' = beta1 * m + (1 - beta1) * g';
   * v' = beta2 * v + (1 - beta2) * g'^2; x' = max(x, v'); p' = keep * p - step_size * m' / (sqrt(v'
   * or x') * root_scale + eps).
   */
  fused_adam: AdamAttrs;
  /**
   * Any number of tensors of one floating dtype -> norm (): the `norm_type` norm of all their
   * elements together (Infinity: the largest magnitude), and scale () = min(1, max_norm / (norm +
   * 1e-6)). NaN anywhere makes both NaN. Sums are float64 sums of short blocks.
   */
  clip_norm: { max_norm: number; norm_type: number };
}

export interface DropoutAttrs {
  /** Of 2^24. */
  threshold: number;
  scale: number;
  offset: number;
}

export interface SgdAttrs {
  momentum: number;
  weight_decay: number;
  nesterov: boolean;
  maximize: boolean;
  /** Is there a factor for the gradients? */
  scaled: boolean;
}

export interface AdamAttrs {
  beta1: number;
  beta2: number;
  eps: number;
  /** Of the decay that is part of the gradient; 0 where decay is decoupled. */
  weight_decay: number;
  amsgrad: boolean;
  maximize: boolean;
  /** Is there a factor for the gradients? */
  scaled: boolean;
}

export interface LstmAttrs {
  /** The layout of sequences: (B, T, ...) if true, else (T, B, ...). */
  batch_first: boolean;
  /** Steps are taken from the last to the first. */
  reverse: boolean;
}

export type KernelName = keyof KernelAttrs;

/** Those that the cpu engine has only where it was built with LAPACK. */
export const LAPACK_KERNELS: readonly KernelName[] = [
  'cholesky',
  'lu_factor',
  'permutation',
  'triangular_solve',
  'qr',
  'householder_product',
  'svd',
  'eigh',
  'matrix_exp',
];

/** What a kernel may do to the gradient that is its first input, before anything else. */
export type Prologue = 'add' | 'relu';
/** The kernels that take a `prologue`, and give what it made as one more output. */
export const PROLOGUES: readonly KernelName[] = ['batch_norm_bwd'];

/**
 * The kernels that take an epilogue, which parts of it, and the output's dimension of channels
 * (counted from the end where negative).
 */
export const EPILOGUES: {
  readonly [K in KernelName]?: { readonly parts: readonly Epilogue[]; readonly channel: number };
} = {
  matmul: { parts: EPILOGUE_ORDER, channel: -1 },
  conv2d_fwd: { parts: ['bias', 'add', 'relu'], channel: 1 },
  batch_norm_fwd: { parts: ['add', 'relu'], channel: 1 },
};

export interface Conv2dAttrs {
  stride: readonly number[];
  /** (top, left); the bottom and right follow from the sizes. */
  padding: readonly number[];
  dilation: readonly number[];
  groups: number;
}

export interface CrossEntropyAttrs {
  ignore_index: number;
  label_smoothing: number;
  reduction: 'none' | 'sum' | 'mean';
  /** Is there a weight? */
  weight: boolean;
}

export interface Pool2dAttrs {
  kernel_size: readonly number[];
  stride: readonly number[];
  padding: readonly number[];
  dilation: readonly number[];
}

export interface LayerNormAttrs {
  dims: number;
  eps: number;
  weight: boolean;
  bias: boolean;
}

export interface AvgPool2dAttrs {
  row_begin: readonly number[];
  row_end: readonly number[];
  row_divisor: readonly number[];
  column_begin: readonly number[];
  column_end: readonly number[];
  column_divisor: readonly number[];
}

export interface AttentionAttrs {
  /** B, H, Q, K, D. */
  sizes: readonly number[];
  causal: boolean;
  scale: number;
  /**
   * Where the operands lie, as four numbers each: element (b, h, t, d) of the operand is element
   * offset + b * batch + h * head + t * position + d of the value. Forward: of q, k, v and out;
   * backward: of g, q, k, v, out and the three gradients. Empty: all are dense.
   */
  views: readonly number[];
}

/**
 * What a pointwise step can do, with its number of arguments. Comparisons give 0 or 1 in the
 * compute type they work in. Integer division and remainder by zero give 0.
 */
export const POINTWISE_FNS = {
  const: 0,
  cast: 1,
  /** Narrowing inside a group, so that fusing changes no result. */
  to_bfloat16: 1,
  to_float16: 1,
  to_int32: 1,
  to_uint8: 1,
  to_bool: 1,
  neg: 1,
  abs: 1,
  /** max(a, 0); NaN stays. */
  relu: 1,
  sign: 1,
  exp: 1,
  expm1: 1,
  log: 1,
  log1p: 1,
  sqrt: 1,
  rsqrt: 1,
  reciprocal: 1,
  sin: 1,
  cos: 1,
  tanh: 1,
  sigmoid: 1,
  erf: 1,
  /** x Phi(x), Phi the normal distribution; its approximation by tanh; their derivatives. */
  gelu: 1,
  gelu_tanh: 1,
  gelu_derivative: 1,
  gelu_tanh_derivative: 1,
  tan: 1,
  asin: 1,
  acos: 1,
  atan: 1,
  sinh: 1,
  cosh: 1,
  asinh: 1,
  acosh: 1,
  atanh: 1,
  exp2: 1,
  log2: 1,
  log10: 1,
  /** 1 - erf, with its own digits; and erf's inverse. */
  erfc: 1,
  erfinv: 1,
  /** e^(a^2) erfc(a); and the inverse of the normal distribution's cumulative function. */
  erfcx: 1,
  ndtri: 1,
  /**
   * Bessel functions; an e at the end: times e^-|a|; scaled: times e^a. NaN for infinite a where
   * not scaled, and for a < 0 of the Y and K, which are infinite at 0.
   */
  i0: 1,
  i0e: 1,
  i1: 1,
  i1e: 1,
  modified_bessel_k0: 1,
  modified_bessel_k1: 1,
  scaled_modified_bessel_k0: 1,
  scaled_modified_bessel_k1: 1,
  bessel_j0: 1,
  bessel_j1: 1,
  bessel_y0: 1,
  bessel_y1: 1,
  /** Airy's function; NaN for infinite a. */
  airy_ai: 1,
  /** log |Gamma|, and its derivative. */
  lgamma: 1,
  digamma: 1,
  /** a = mantissa * 2^exponent, |mantissa| in [1/2, 1); 0, NaN and infinities have exponent 0. */
  frexp_mantissa: 1,
  frexp_exponent: 1,
  floor: 1,
  ceil: 1,
  round: 1,
  trunc: 1,
  isnan: 1,
  isinf: 1,
  logical_not: 1,
  add: 2,
  sub: 2,
  mul: 2,
  div: 2,
  pow: 2,
  atan2: 2,
  /**
   * Hurwitz's: the sum over k >= 0 of (b + k)^-a. NaN for a < 1 and for b < 0 with a no integer;
   * infinite at a = 1 and b = 0, -1, ...; 0 at b = Infinity.
   */
  zeta: 2,
  maximum: 2,
  minimum: 2,
  /**
   * The regularized incomplete gamma functions of b, from below and from above, with parameter a;
   * NaN for negative a and b.
   */
  gammainc: 2,
  gammaincc: 2,
  /** Orthogonal polynomials at a, of the degree b without its fraction; 0 for negative degrees. */
  chebyshev_polynomial_t: 2,
  chebyshev_polynomial_u: 2,
  chebyshev_polynomial_v: 2,
  chebyshev_polynomial_w: 2,
  hermite_polynomial_h: 2,
  hermite_polynomial_he: 2,
  laguerre_polynomial_l: 2,
  legendre_polynomial_p: 2,
  /**
   * The neighbour of a towards b; b where they are equal. In bfloat16 and float16, of numbers that
   * the dtype can hold.
   */
  nextafter: 2,
  nextafter_bfloat16: 2,
  nextafter_float16: 2,
  /** C's fmod: the sign of the dividend. */
  fmod: 2,
  eq: 2,
  ne: 2,
  lt: 2,
  le: 2,
  gt: 2,
  ge: 2,
  logical_and: 2,
  logical_or: 2,
  logical_xor: 2,
  /** Of integers in two's complement, and of 0 and 1. */
  bitwise_and: 2,
  bitwise_or: 2,
  bitwise_xor: 2,
  /** a times or by 2^b; b < 0 and b > 63 shift every bit out, to the right leaving the sign's. */
  bitwise_left_shift: 2,
  bitwise_right_shift: 2,
  /** The greatest common divisor of integers, not negative. */
  gcd: 2,
  /** where(condition, a, b): condition != 0 ? a : b. */
  where: 3,
} as const;

export type PointwiseFn = keyof typeof POINTWISE_FNS;
