/** gradcheck finds wrong gradients, first and second. */

import { describe, expect, test } from 'vitest';
import { apply } from '../../src/core/apply.ts';
import type { Op } from '../../src/core/graph.ts';
import { gradcheck, gradgradcheck, mul, type Tensor, tensor, withEngine } from '../../src/index.ts';
import { ENGINES } from './engines.ts';

/** exp with a gradient that is `factor` times the right one. */
function scaledExp(factor: number): (x: Tensor) => Tensor {
  const op: Op<object> = {
    name: 'exp',
    kind: 'pointwise',
    vjp: ({ grads, outputs }) => [mul(mul(grads[0]!, outputs[0]!), factor)],
    infer: ([x]) => [x!],
    lower: () => ({ kernel: 'pointwise', fn: 'exp' }),
  };
  return (x) => apply(op, [x], {});
}

/** exp whose first gradient is right but not connected to x. */
const detachedExp: Op<object> = {
  name: 'exp',
  kind: 'pointwise',
  vjp: ({ grads, outputs }) => [mul(grads[0]!, outputs[0]!.detach())],
  infer: ([x]) => [x!],
  lower: () => ({ kernel: 'pointwise', fn: 'exp' }),
};

const at = (...values: number[]) => tensor(values, { dtype: 'float64', requires_grad: true });

describe.each(ENGINES)('on %s', (_, engine) => {
  const on = <T>(body: () => T): T => withEngine(engine, body);

  test('passes what is right', () => {
    on(() => {
      gradcheck(scaledExp(1), [at(0.5, -1)]);
      gradgradcheck(scaledExp(1), [at(0.5, -1)]);
      gradcheck((x, y) => [x.mul(y), x.sum(), y.gt(0)], [at(1, 2), at(3, 4)]);
      gradcheck((x, index) => x.gather(0, index), [at(1, 2), tensor([1, 1], { dtype: 'int64' })]);
    });
  });

  test('names the derivative that is wrong', () => {
    on(() => {
      expect(() => gradcheck(scaledExp(1.1), [at(0, 1)])).toThrow(
        /^\[gradcheck\] d output 0\[0\] \/ d input 0\[0\] is 1\.1 by the graph, (1|0\.99999)\S* by finite differences$/,
      );
    });
  });

  test('finds a second derivative that is lost', () => {
    on(() => {
      const lost = (x: Tensor) => apply(detachedExp, [x], {});
      gradcheck(lost, [at(0.5)]);
      expect(() => gradgradcheck(lost, [at(0.5)])).toThrow(/is 0 by the graph, 1\.\d+ by finite/);
    });
  });

  test('refuses inputs it cannot judge', () => {
    on(() => {
      expect(() => gradcheck((x) => x.exp(), [tensor([1], { requires_grad: true })])).toThrow(
        '[gradcheck] input 0 is float32: finite differences need float64',
      );
      expect(() => gradcheck((x) => x.exp(), [tensor([1])])).toThrow(
        '[gradcheck] none of the inputs requires a gradient',
      );
      expect(() => gradcheck((x) => x.detach(), [at(1)])).toThrow(
        '[gradcheck] none of the outputs requires a gradient',
      );
    });
  });
});
