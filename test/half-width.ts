/** What holds for bfloat16 must hold for float16: tables of cases say it once. */

import type { DType } from '../src/base/dtype.ts';

interface Typed {
  readonly dtype: DType;
}

interface Case {
  readonly name: string;
  readonly inputs: readonly Typed[];
  readonly outputs?: readonly Typed[];
}

/**
 * The cases, and each one that has a bfloat16 operand in float16 too, unless there is such a one.
 */
export function withFloat16<C extends Case>(cases: readonly C[]): C[] {
  const names = new Set(cases.map(({ name }) => name));
  const more = cases.filter(isBfloat16).map(inFloat16);
  return [...cases, ...more.filter(({ name }) => !names.has(name))];
}

function isBfloat16({ inputs, outputs = [] }: Case): boolean {
  return [...inputs, ...outputs].some(({ dtype }) => dtype === 'bfloat16');
}

function inFloat16<C extends Case>(given: C): C {
  const changed = <T extends Typed>(typed: T): T =>
    typed.dtype === 'bfloat16' ? { ...typed, dtype: 'float16' } : typed;
  const name = given.name.includes('bfloat16')
    ? given.name.replace('bfloat16', 'float16')
    : `${given.name}, float16`;
  return {
    ...given,
    name,
    inputs: given.inputs.map(changed),
    ...(given.outputs && { outputs: given.outputs.map(changed) }),
  };
}
