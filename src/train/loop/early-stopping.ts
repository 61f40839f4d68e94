/** Ends a run whose metric no longer improves. */

import type { LoadedConfig } from '../../config/load.ts';
import { defaultMonitor } from '../../config/metrics.ts';

/** What a checkpoint keeps. */
export interface EarlyStoppingState {
  readonly best: number | null;
  /** Evaluations since then. */
  readonly bad: number;
}

/**
 * As PyTorch Lightning's callback of the same name: an improvement is a change of more than
 * `min_delta`, and after `patience` evaluations without one the run ends.
 */
export class EarlyStopping {
  readonly #monitor: string;
  readonly #patience: number;
  readonly #minDelta: number;
  /** -1 where less is better. */
  readonly #sign: 1 | -1;
  #best: number | null = null;
  #bad = 0;

  constructor({ config: { data, trainer }, measured }: LoadedConfig) {
    const {
      monitor = defaultMonitor(data),
      patience,
      min_delta = 0,
      mode,
    } = trainer.early_stopping ?? {};
    this.#monitor = monitor;
    this.#patience = patience ?? Number.POSITIVE_INFINITY;
    this.#minDelta = min_delta;
    this.#sign = (mode ?? measured.get(monitor)) === 'max' ? 1 : -1;
  }

  /** Why the run is over; nothing while it is not. */
  get reason(): string | undefined {
    if (this.#bad < this.#patience) return undefined;
    const best = Number(this.#best?.toPrecision(5));
    return `${this.#monitor} has not improved on ${best} in ${this.#bad} evaluations`;
  }

  /** Looks at the newest metrics after an evaluation. */
  evaluated(metrics: Readonly<Record<string, number>>): void {
    const value = metrics[this.#monitor];
    if (value === undefined) return;
    const gain = this.#best === null ? Number.POSITIVE_INFINITY : this.#sign * (value - this.#best);
    if (gain > this.#minDelta) {
      this.#best = value;
      this.#bad = 0;
    } else this.#bad++;
  }

  state(): EarlyStoppingState {
    return { best: this.#best, bad: this.#bad };
  }

  restore({ best, bad }: EarlyStoppingState): void {
    this.#best = best;
    this.#bad = bad;
  }
}
