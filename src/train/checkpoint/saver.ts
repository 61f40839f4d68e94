/** Writes checkpoints to disk while training goes on; one at a time is on its way. */

import type { TrainEvent } from '../events.ts';
import type { RunDirectory } from '../run/run-directory.ts';
import type { Checkpoint } from './checkpoint.ts';

export interface SaverOptions {
  readonly run: RunDirectory;
  readonly emit: (event: TrainEvent) => void;
  /** The newest checkpoints that stay, beside the best one. */
  readonly keep: number;
}

export class Saver {
  readonly #options: SaverOptions;
  /** The newest checkpoint's folder, and where training stood then. */
  #newest: { readonly path: string; readonly place: string } | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: SaverOptions) {
    this.#options = options;
  }

  /** The folder of the newest checkpoint, if there is one. */
  get path(): string | undefined {
    return this.#newest?.path;
  }

  /** Is the newest checkpoint of this place? */
  has(place: string): boolean {
    return this.#newest?.place === place;
  }

  /** Notes that a checkpoint is there already. */
  found(path: string, place: string): void {
    this.#newest = { path, place };
  }

  /**
   * Begins to write a checkpoint, once the one before it is on disk: disks are slow to confirm.
   * Throws what writing that one threw.
   */
  async begin(checkpoint: Checkpoint, place: string): Promise<void> {
    await this.#writing;
    this.#newest = { path: this.#options.run.checkpoints.pathOf(checkpoint.state.step), place };
    this.#writing = this.#write(checkpoint);
    // Whoever waits for it hears of a failure; until then nobody may be waiting.
    this.#writing.catch(() => undefined);
  }

  async #write(checkpoint: Checkpoint): Promise<void> {
    const { run, emit, keep } = this.#options;
    const path = await run.save(checkpoint, keep);
    emit({ event: 'checkpoint', step: checkpoint.state.step, path });
  }

  /** Waits until all is on disk. Throws a `FileError` when it could not be written. */
  async done(): Promise<void> {
    await this.#writing;
  }
}
