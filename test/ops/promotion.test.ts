/** The dtype of every mixture of operands, as PyTorch has it. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DType } from '../../src/base/dtype.ts';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import { add, div, eq, ones, type Tensor, withEngine } from '../../src/index.ts';

const FILE = new URL('../fixtures/torch/training.json', import.meta.url);
const { promotion } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  promotion: Record<string, string>;
};
type Operand = Tensor | number;
const OPS: Record<string, (a: never, b: never) => Tensor> = { add, div, eq };

/** `float32` is a vector, `float32()` a zero-dimensional tensor, anything else a number. */
function operand(name: string): Operand {
  const dtype = name.replace('()', '') as DType;
  if (!Number.isNaN(Number(name))) return Number(name);
  return ones(name.endsWith('()') ? [] : [2], { dtype });
}

describe.each(Object.keys(OPS))('%s', (op) => {
  test.each(Object.entries(promotion).filter(([key]) => key.startsWith(`${op} `)))(
    '%s gives %s',
    (key, expected) => {
      withEngine(referenceEngine(), () => {
        const [, a, b] = key.split(' ') as [string, string, string];
        const compute = OPS[op] as (a: Operand, b: Operand) => Tensor;
        expect(compute(operand(a), operand(b)).dtype).toBe(expected);
      });
    },
  );
});
