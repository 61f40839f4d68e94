/** cross_entropy_fwd and cross_entropy_bwd: reductions, weights, smoothing, ignored targets. */

import type { DType } from '../../../src/base/dtype.ts';
import { numel } from '../../../src/base/shape.ts';
import type { CrossEntropyAttrs } from '../../../src/engine/kernels.ts';
import { between, cycle, input, integers, type KernelCase, kernelCase, type } from './case.ts';

const PLAIN: CrossEntropyAttrs = {
  ignore_index: -100,
  label_smoothing: 0,
  reduction: 'mean',
  weight: false,
};

interface Options {
  readonly dtype?: DType;
  readonly target?: DType;
  readonly attrs?: Partial<CrossEntropyAttrs>;
  /** Targets, over and over. */
  readonly targets?: readonly number[];
  readonly fails?: RegExp;
}

function crossEntropy(
  rows: number[],
  classes: number,
  { dtype = 'float32', target = 'int64', attrs: given = {}, targets, fails }: Options = {},
): KernelCase[] {
  const attrs = { ...PLAIN, ...given };
  const name = `(${rows}) of ${classes}, ${dtype}, ${target}, ${JSON.stringify(given)} ${targets ?? ''}`;
  const x = input(dtype, [...rows, classes], between(-4, 4));
  const fill = targets ? cycle(targets) : integers(0, classes - 1);
  const operands = [
    x,
    input(target, rows, fill),
    ...(attrs.weight ? [input(dtype, [classes], between(0.5, 2))] : []),
  ];
  const loss = attrs.reduction === 'none' ? rows : [];
  return [
    kernelCase(
      'cross_entropy_fwd',
      name,
      attrs,
      operands,
      [type(dtype, ...loss), type(dtype, ...rows), type(dtype)],
      { fails },
    ),
    kernelCase(
      'cross_entropy_bwd',
      name,
      attrs,
      [
        input(dtype, loss),
        ...operands,
        // No smaller than any logit, so that no probability exceeds 1.
        input(dtype, rows, between(4, 5)),
        input(dtype, [], between(numel(rows), numel(rows) + 1)),
      ],
      [type(dtype, ...rows, classes)],
      { fails },
    ),
  ];
}

const EVERYTHING: Partial<CrossEntropyAttrs> = { weight: true, label_smoothing: 0.1 };

export const CROSS_ENTROPY_CASES: readonly KernelCase[] = [
  ...crossEntropy([4], 10),
  ...crossEntropy([1], 1),
  ...crossEntropy([], 3),
  ...crossEntropy([0], 3, { attrs: { reduction: 'sum' } }),
  ...crossEntropy([128, 16], 65),
  ...crossEntropy([7], 33, { attrs: { ...EVERYTHING, reduction: 'none' } }),
  ...crossEntropy([7], 33, { attrs: { ...EVERYTHING, reduction: 'sum' } }),
  ...crossEntropy([300], 33, { attrs: EVERYTHING }),
  ...crossEntropy([2, 3], 5, { attrs: { reduction: 'none' }, target: 'int32' }),
  ...crossEntropy([6], 5, { targets: [3, -100, 0] }),
  ...crossEntropy([6], 5, { targets: [3, 2, 0], attrs: { ignore_index: 2, ...EVERYTHING } }),
  ...crossEntropy([6], 5, { targets: [3, 5], fails: /target 5 is out of range for 5 classes/ }),
  ...crossEntropy([6], 5, { targets: [-1], fails: /target -1 is out of range for 5 classes/ }),
  ...crossEntropy([9], 20, { dtype: 'float64', attrs: EVERYTHING }),
  ...crossEntropy([9], 20, { dtype: 'bfloat16', attrs: { reduction: 'none' } }),
];
