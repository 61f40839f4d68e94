/** Which rows of a table are for training, and which for measuring. */

import { epochOrder } from '../sampler.ts';

export interface SplitOptions {
  /** The part that is held back, in (0, 1). */
  readonly test_size: number;
  readonly random_state: number;
  /** The class of each row, to hold back the same part of each class. */
  readonly stratify: Int32Array | undefined;
}

/**
 * The rows of both parts, each in the table's order. A pure function of its arguments.
 * https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.train_test_split.html
 */
export function splitRows(
  rows: number,
  options: SplitOptions,
): Record<'train' | 'test', Int32Array> {
  const { test_size, random_state: seed, stratify } = options;
  const order = epochOrder({ length: rows, shuffle: true, seed }, 0);
  const isHeldBack = new Uint8Array(rows);
  const groups = new Map<number, number[]>();
  for (const row of order) {
    const group = stratify?.[row] ?? 0;
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [row]);
    else members.push(row);
  }
  for (const group of groups.values()) {
    for (const row of group.slice(0, Math.round(group.length * test_size))) isHeldBack[row] = 1;
  }
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  return {
    train: all.filter((row) => isHeldBack[row] === 0),
    test: all.filter((row) => isHeldBack[row] === 1),
  };
}
