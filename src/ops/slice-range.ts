/** `Slice`: the part of `x[a:b:c]` between the brackets, for `index` and `indexPut`. */

/** Bounds as Python's: `null` stands for "from the beginning", "to the end", "each". */
export class SliceRange {
  constructor(
    readonly start: number | null,
    readonly stop: number | null,
    readonly step: number | null,
  ) {}
}

/** Python's `start:stop:step`, named as in PyTorch's C++ interface: `x.index([Slice(1, 3), 0])`. */
export function Slice(
  start: number | null = null,
  stop: number | null = null,
  step: number | null = null,
): SliceRange {
  return new SliceRange(start, stop, step);
}
