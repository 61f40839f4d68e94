/** The time a run has taken, and how fast it trains. Seconds; `now` is in milliseconds. */

/** How far back the present speed is measured. */
const WINDOW = 5;

export class Clock {
  readonly #start: number;
  /** What earlier sessions of the run took. */
  #before = 0;
  /** When the pause under way began. */
  #paused: number | undefined;
  #pauses = 0;
  /** Training time and samples at moments of the last few seconds, oldest first. */
  readonly #marks: { readonly at: number; readonly samples: number }[] = [];

  constructor(readonly now: () => number = () => performance.now()) {
    this.#start = now();
  }

  /** Goes on counting from what the run took until now. */
  goOnFrom(seconds: number): void {
    this.#before = seconds;
  }

  /** Since the run started, without the time between sessions. */
  get elapsed(): number {
    return this.#before + (this.now() - this.#start) / 1000;
  }

  /** Of this session, without the pauses. */
  get training(): number {
    return ((this.#paused ?? this.now()) - this.#start) / 1000 - this.#pauses;
  }

  /** Runs `body`, which is not training: an evaluation, a checkpoint. */
  async pause<T>(body: () => Promise<T>): Promise<T> {
    this.#paused = this.now();
    try {
      return await body();
    } finally {
      this.#pauses += (this.now() - this.#paused) / 1000;
      this.#paused = undefined;
    }
  }

  /** Notes that `samples` were trained on so far; returns samples a second of late. */
  mark(samples: number): number {
    const at = this.training;
    this.#marks.push({ at, samples });
    while (this.#marks.length > 2 && this.#marks[1]!.at < at - WINDOW) this.#marks.shift();
    const first = this.#marks[0]!;
    return at === first.at ? 0 : (samples - first.samples) / (at - first.at);
  }
}
