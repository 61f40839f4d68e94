/** `defineOp`, and the table of all rows that tests and documentation read. */

import type { Op } from '../core/graph.ts';

// biome-ignore lint/suspicious/noExplicitAny: the table holds rows of every attribute type
const rows = new Map<string, Op<any>>();

/** Adds one row to the op table. */
export function defineOp<Attrs extends object>(op: Op<Attrs>): Op<Attrs> {
  if (rows.has(op.name)) throw new Error(`op ${op.name} is defined twice`);
  rows.set(op.name, op);
  return op;
}

/** Every row, by name. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export function allOps(): ReadonlyMap<string, Op<any>> {
  return rows;
}

/** The attributes of an op that has none. */
export type NoAttrs = Record<never, never>;
