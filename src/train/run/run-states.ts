/** What may be said of a folder in which runs are looked for. */

export const RUN_STATES = [
  'running',
  'finished',
  /** By a signal, after a checkpoint was written. */
  'stopped',
  'failed',
  /** It ended without a word: its process was killed, or the machine went down. */
  'killed',
  /** A run's folder that lacks its config. */
  'damaged',
  /** A folder in which there is no run. */
  'foreign',
] as const;

export type RunState = (typeof RUN_STATES)[number];
