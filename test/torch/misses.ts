/**
 * The names that are not (quite) as in PyTorch, each with the reason. docs/coverage.md repeats it.
 */

const WHOLE = 'PyTorch refuses 50.0 steps, which a number of JavaScript cannot be told from 50';

export const MISSES: Readonly<Record<string, string>> = {
  linspace: WHOLE,
  logspace: WHOLE,
};
