/** What PyTorch gives for the cases: requests to `make_ops.py`, and its recorded answers. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { DType } from '../../src/base/dtype.ts';
import { numel } from '../../src/base/shape.ts';
import { cotangent, listOf, type OpCase, tensorsOf } from './case.ts';

export interface Recorded {
  readonly request: string;
  readonly dtypes: readonly DType[];
  readonly shapes: readonly (readonly number[])[];
  readonly outputs: readonly (readonly (number | string)[])[];
  readonly gradients: readonly (readonly (number | string)[] | null)[];
}

const FILE = new URL('../fixtures/torch/ops.json', import.meta.url);

/** The recorded answers by case name. */
export function recordedCases(): Record<string, Recorded> {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { cases: Record<string, Recorded> }).cases;
}

/** What a recorded answer answers: it is void when the case changes. */
export function requestOf({ inputs, torch, grad }: OpCase): string {
  const text = JSON.stringify([inputs, torch, grad], (_, value) =>
    typeof value === 'number' && !isPlain(value) ? special(value) : value,
  );
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** The case as `make_ops.py` reads it. */
export function requestFor(opCase: OpCase): object {
  const shapes = listOf(opCase.run(...tensorsOf(opCase))).map((output) => output.shape);
  return {
    name: opCase.name,
    torch: opCase.torch,
    grad: opCase.grad,
    request: requestOf(opCase),
    inputs: opCase.inputs.map(({ dtype, shape, values }) => ({
      dtype,
      shape,
      values: values.map((value) => (isPlain(value) ? value : special(value))),
    })),
    cotangents: shapes.map((shape) => cotangent(numel(shape))),
  };
}

/** Can JSON hold it? */
const isPlain = (value: number) => Number.isFinite(value) && !Object.is(value, -0);
const special = (value: number) => (value === 0 ? '-0' : String(value));
