/** The names that are not (quite) as in PyTorch, each with the reason. docs/coverage.md repeats it. */

const WAITING = 'some of its arguments or of its errors are not there yet';

const WHOLE = 'PyTorch refuses 50.0 steps, which a number of JavaScript cannot be told from 50';

export const MISSES: Readonly<Record<string, string>> = {
  atan2: WAITING,
  eq: WAITING,
  fmod: WAITING,
  ge: WAITING,
  gt: WAITING,
  le: WAITING,
  logical_and: WAITING,
  logical_or: WAITING,
  logical_xor: WAITING,
  lt: WAITING,
  maximum: WAITING,
  minimum: WAITING,
  ne: WAITING,
  round: WAITING,
  zero_: WAITING,
  norm: 'the nuclear norm needs singular values, and there are none yet',
  linspace: WHOLE,
  logspace: WHOLE,
};
