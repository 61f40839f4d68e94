/** Steps of the optimizers over several parameters, and the norm of gradients. */

import type { DType } from '../../../src/base/dtype.ts';
import type { AdamAttrs, SgdAttrs } from '../../../src/engine/kernels.ts';
import {
  between,
  type CaseInput,
  cycle,
  type Fill,
  input,
  type KernelCase,
  kernelCase,
  type,
} from './case.ts';

/** Parameters of odd sizes, among them an empty one and one that two threads share. */
const SHAPES = [[3], [0, 4], [5, 7], [1], [40_001]];
const SMALL = [[2, 3]];

const scalar = (dtype: DType, value: number): CaseInput => input(dtype, [], () => value);

/**
 * `fills` are those of a parameter's operands; all but the gradient, the second, have an output.
 */
function operands(dtype: DType, shapes: readonly number[][], fills: readonly (Fill | undefined)[]) {
  return {
    inputs: shapes.flatMap((shape) => fills.map((fill) => input(dtype, shape, fill))),
    outputs: shapes.flatMap((shape) => fills.slice(1).map(() => type(dtype, ...shape))),
  };
}

function sgd(
  name: string,
  given: Partial<SgdAttrs>,
  { dtype = 'float32' as DType, shapes = SHAPES } = {},
): KernelCase {
  const plain = { momentum: 0, weight_decay: 0, nesterov: false, maximize: false, scaled: false };
  const attrs: SgdAttrs = { ...plain, ...given };
  const fills = attrs.momentum === 0 ? [undefined, undefined] : [undefined, undefined, undefined];
  const { inputs, outputs } = operands(dtype, shapes, fills);
  const scalars = [0.1, 0.75, ...(attrs.scaled ? [0.3] : [])].map((x) => scalar(dtype, x));
  return kernelCase('fused_sgd', name, attrs, [...scalars, ...inputs], outputs);
}

function adam(
  name: string,
  given: Partial<AdamAttrs>,
  { dtype = 'float32' as DType, shapes = SHAPES } = {},
): KernelCase {
  const attrs: AdamAttrs = {
    ...{ beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0 },
    ...{ amsgrad: false, maximize: false, scaled: false },
    ...given,
  };
  const square = between(0.01, 4);
  const fills = [undefined, undefined, undefined, square, ...(attrs.amsgrad ? [square] : [])];
  const { inputs, outputs } = operands(dtype, shapes, fills);
  const scalars = [0.01, 1.5, 0.875, ...(attrs.scaled ? [0.3] : [])].map((x) => scalar(dtype, x));
  return kernelCase('fused_adam', name, attrs, [...scalars, ...inputs], outputs);
}

function clip(
  name: string,
  norm_type: number,
  { dtype = 'float32' as DType, shapes = SHAPES, fill = undefined as Fill | undefined } = {},
): KernelCase {
  const inputs = shapes.map((shape) => input(dtype, shape, fill));
  const outputs = [type(dtype), type(dtype)];
  return kernelCase('clip_norm', name, { max_norm: 1.25, norm_type }, inputs, outputs);
}

export const OPTIMIZER_CASES: readonly KernelCase[] = [
  sgd('plain', {}),
  sgd('momentum', { momentum: 0.9 }),
  sgd('nesterov, decay', { momentum: 0.9, nesterov: true, weight_decay: 0.1 }),
  sgd('maximize, scaled', { momentum: 0.9, maximize: true, scaled: true, weight_decay: 0.1 }),
  sgd('plain, decay', { weight_decay: 0.1 }, { shapes: SMALL }),
  sgd('float64', { momentum: 0.9, nesterov: true, scaled: true }, { dtype: 'float64' }),
  sgd('bfloat16', { momentum: 0.9 }, { dtype: 'bfloat16', shapes: SMALL }),
  sgd('scalars', { momentum: 0.9 }, { shapes: [[], []] }),
  sgd('nothing', { momentum: 0.9 }, { shapes: [[0]] }),
  adam('plain', {}),
  adam('amsgrad', { amsgrad: true }),
  adam('decay, maximize, scaled', { weight_decay: 0.1, maximize: true, scaled: true }),
  adam('a small first beta', { beta1: 0.25 }, { shapes: SMALL }),
  adam('all at once', { amsgrad: true, weight_decay: 0.1, scaled: true }, { dtype: 'float64' }),
  adam('bfloat16', {}, { dtype: 'bfloat16', shapes: SMALL }),
  adam('nothing', {}, { shapes: [[0]] }),
  clip('2-norm', 2),
  clip('1-norm', 1),
  clip('3.5-norm, float64', 3.5, { dtype: 'float64' }),
  clip('largest', Number.POSITIVE_INFINITY),
  clip('2-norm, bfloat16', 2, { dtype: 'bfloat16', shapes: SMALL }),
  clip('short enough', 2, { shapes: SMALL, fill: between(-0.1, 0.1) }),
  clip('zeros', 2, { shapes: SMALL, fill: () => 0 }),
  clip('nothing', 2, { shapes: [[0]] }),
  clip('the largest of nothing', Number.POSITIVE_INFINITY, { shapes: [[0]] }),
  clip('NaN', 2, { fill: cycle([1, Number.NaN, 2]) }),
  clip('the largest with NaN', Number.POSITIVE_INFINITY, { fill: cycle([1, Number.NaN, 2]) }),
  clip('infinite', 2, { shapes: SMALL, fill: cycle([1, Number.NEGATIVE_INFINITY]) }),
];
