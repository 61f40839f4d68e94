/** Rounding as C, IEEE 754 and Python do it. */

/** Rounds to the nearest integer, ties to even. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest < 0.5 || (rest === 0.5 && floor % 2 === 0)) return floor;
  return rest >= 0.5 ? floor + 1 : x; // what is left is NaN or an infinity
}
