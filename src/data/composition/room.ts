/** Room for what parts make of a batch. */

import { numel } from '../../base/shape.ts';
import type { Engine, Storage } from '../../engine/engine.ts';
import type { Field } from '../dataset.ts';
import { cutShape } from '../description.ts';

/** Storages of one field, kept for each number and length of samples that was asked for. */
export class Room {
  readonly #storages = new Map<string, Storage>();

  constructor(
    readonly engine: Engine,
    readonly field: Field,
  ) {}

  /** @param length what the field is cut to, where it varies. */
  for(samples: number, length: number | undefined): Storage {
    const key = `${samples} ${length}`;
    let storage = this.#storages.get(key);
    if (storage === undefined) {
      const { dtype } = this.field;
      storage = this.engine.allocate(dtype, samples * numel(cutShape(this.field, length)));
      this.#storages.set(key, storage);
    }
    return storage;
  }

  dispose(): void {
    for (const storage of this.#storages.values()) storage.dispose();
    this.#storages.clear();
  }
}
