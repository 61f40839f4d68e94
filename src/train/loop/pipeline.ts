/** Runs that are queued and not done yet: a bounded number, so that batches can be reused. */

export class Pipeline {
  #running = 0;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  readonly #settled = (): void => {
    this.#running--;
    this.#wake?.();
  };
  readonly #failed = (error: unknown): void => {
    this.#failure ??= { error };
    this.#settled();
  };

  /** @param depth how many runs may be under way at once. */
  constructor(readonly depth: number) {}

  get full(): boolean {
    return this.#running >= this.depth || this.#failure !== undefined;
  }

  get busy(): boolean {
    return this.#running > 0;
  }

  add(run: Promise<unknown>): void {
    this.#running++;
    run.then(this.#settled, this.#failed);
  }

  /** Waits until another run fits. Throws what the first failed run threw. */
  async room(): Promise<void> {
    await this.#fewerThan(this.depth);
  }

  /** Waits until everything is done. Throws as `room`. */
  async idle(): Promise<void> {
    await this.#fewerThan(1);
  }

  async #fewerThan(count: number): Promise<void> {
    while (this.#running >= count && this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
