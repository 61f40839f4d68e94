/** Methods that reduce, scan, sort or normalise along dimensions. */

import * as comparison from '../comparison.ts';
import { corrcoef, cov } from '../covariance.ts';
import * as diagonals from '../diagonals.ts';
import { diff } from '../differences.ts';
import * as extremes from '../extremes.ts';
import { histc, histogram } from '../histograms.ts';
import { nanquantile, quantile } from '../quantile.ts';
import * as reduction from '../reduction.ts';
import * as scanning from '../scanning.ts';
import { logSoftmax, softmax } from '../softmax.ts';
import * as sorting from '../sorting.ts';
import { bincount } from '../unique.ts';

export const reductions = {
  all: extremes.all,
  allclose: comparison.allclose,
  amax: reduction.amax,
  amin: reduction.amin,
  aminmax: extremes.aminmax,
  any: extremes.any,
  argmax: reduction.argmax,
  argmin: reduction.argmin,
  argsort: sorting.argsort,
  countNonzero: extremes.countNonzero,
  cummax: scanning.cummax,
  cummin: scanning.cummin,
  cumprod: scanning.cumprod,
  cumsum: scanning.cumsum,
  equal: comparison.equal,
  kthvalue: sorting.kthvalue,
  logcumsumexp: scanning.logcumsumexp,
  logSoftmax,
  logsumexp: reduction.logsumexp,
  max: extremes.max,
  mean: reduction.mean,
  min: extremes.min,
  mode: sorting.mode,
  msort: sorting.msort,
  nanmean: extremes.nanmean,
  nansum: extremes.nansum,
  prod: reduction.prod,
  softmax,
  sort: sorting.sort,
  std: reduction.std,
  sum: reduction.sum,
  topk: sorting.topk,
  trace: diagonals.trace,
  var: reduction.variance,
  diff,
  nanquantile,
  quantile,
  corrcoef,
  cov,
  histc,
  histogram,
  bincount,
} as const;
