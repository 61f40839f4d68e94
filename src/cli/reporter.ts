/** Who shows a run's events to a reader. */

import type { ShownEvent } from './event-lines.ts';

export interface Reporter {
  /** Shows one event, now or merged with later ones. */
  event(event: ShownEvent): void;
  /** Leaves the terminal as it was found; called also when the run failed. */
  close?(): void;
}
