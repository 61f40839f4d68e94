/** Small Programs and buffers for the tests of engines. */

import { type DType, type HostArray, toHostArray } from '../../src/base/dtype.ts';
import type { Engine, Storage } from '../../src/engine/engine.ts';
import type { Attrs, Instruction, Program } from '../../src/engine/program.ts';
import { fromHost } from '../../src/engine/reference/values.ts';
import { type } from './cases/case.ts';
import { group } from './cases/groups.ts';

/** A buffer with contents. */
export function filled(engine: Engine, dtype: DType, values: readonly number[]): Storage {
  const storage = engine.allocate(dtype, values.length);
  engine.write(storage, toHostArray(dtype, values));
  return storage;
}

/** Host data as numbers. */
export const list = (values: HostArray): number[] => [...fromHost(values)];

/** `out = a + b`, float32. */
export function add(a: number, b: number, out: number, label = 'add'): Instruction {
  const attrs = group(2, [['add', 'float32', [0, 1]]]) as Attrs;
  return { kernel: 'pointwise', inputs: [a, b], outputs: [out], attrs, label };
}

/** c = a + b over three elements. */
export const SUM: Program = {
  values: [type('float32', 3), type('float32', 3), type('float32', 3)],
  instructions: [add(0, 1, 2)],
  bindings: [
    { access: 'read', value: 0 },
    { access: 'read', value: 1 },
    { access: 'write', value: 2 },
  ],
  scalars: [],
};
