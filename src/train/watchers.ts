/** Who looks at a run from outside its loop, and writes what others want to see of it. */

import type { LoadedConfig } from '../config/load.ts';
import type { NamedCallback } from './callbacks.ts';
import type { TrainEvent } from './events.ts';
import type { Resumed } from './resume.ts';
import type { RunDirectory } from './run-directory.ts';
import { readRecords } from './run-files.ts';
import type { Task } from './task.ts';
import { TensorBoard } from './tensorboard.ts';

export class Watchers {
  readonly #tensorboard: TensorBoard | undefined;

  /** @throws ConfigError when the config wants to see what there is not. */
  constructor(loaded: LoadedConfig, task: Task) {
    this.#tensorboard = TensorBoard.build(loaded, task);
  }

  /** What they do is no part of training, nor of a checkpoint. */
  get callbacks(): NamedCallback[] {
    if (this.#tensorboard === undefined) return [];
    return [{ type: 'TensorBoard', callback: this.#tensorboard, internal: true }];
  }

  /** Called with every event, before anyone else hears of it. */
  event(event: TrainEvent): void {
    if (event.event === 'metrics') this.#tensorboard?.record(event);
  }

  /** The run goes on, with the records that it has kept. */
  async goOn(run: RunDirectory, { checkpoint, branches }: Resumed): Promise<void> {
    const { records } = await readRecords(run.path);
    if (branches) this.#tensorboard?.copy(records);
    else this.#tensorboard?.restore(checkpoint.state, records);
  }
}
