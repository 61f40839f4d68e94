/** Which calls of a compiled step can run the same trace. */

import { formatShape, sameShape } from '../base/shape.ts';
import type { ValueType } from '../engine/program.ts';

/** What a call has in common with others that run the same trace. */
export interface CallKind {
  readonly engine: string;
  readonly types: readonly ValueType[];
  readonly states: readonly string[];
}

export function sameKind(a: CallKind, b: CallKind): boolean {
  return (
    a.engine === b.engine &&
    a.types.length === b.types.length &&
    a.types.every((type, i) => sameType(type, b.types[i]!)) &&
    a.states.every((state, i) => state === b.states[i])
  );
}

function sameType(a: ValueType, b: ValueType): boolean {
  return a === b || (a.dtype === b.dtype && sameShape(a.shape, b.shape));
}

export function describeKind({ engine, types, states }: CallKind): string {
  const described = types.map(
    ({ dtype, shape }, i) => `argument ${i}: ${dtype} ${formatShape(shape)}`,
  );
  return [engine, ...described, ...states].join('\n');
}
