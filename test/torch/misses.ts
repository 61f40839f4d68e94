/** The names that are not (quite) as in PyTorch, each with the reason. docs/coverage.md repeats it. */

const WAITING = 'some of its arguments or of its errors are not there yet';

const WHOLE = 'PyTorch refuses 50.0 steps, which a number of JavaScript cannot be told from 50';
const SPARSE = 'one error sample is of a sparse window, recorded without what makes it one';

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
  'signal.windows.bartlett': SPARSE,
  'signal.windows.blackman': SPARSE,
  'signal.windows.cosine': SPARSE,
  'signal.windows.exponential': SPARSE,
  'signal.windows.gaussian': SPARSE,
  'signal.windows.general_cosine': SPARSE,
  'signal.windows.general_hamming': SPARSE,
  'signal.windows.hamming': SPARSE,
  'signal.windows.hann': SPARSE,
  'signal.windows.kaiser': SPARSE,
  'signal.windows.nuttall': SPARSE,
};
