/** The checkpoints of one run: `step-N` folders, and the links `last` and `best` to two of them. */

import { cp, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileError, fsyncDirectory, writeDirectoryAtomic } from '../../io/atomic.ts';
import { type Checkpoint, type RunState, readCheckpoint, writeCheckpoint } from './checkpoint.ts';

/** What a writer leaves behind when it is killed: a checkpoint half done, or on its way out. */
const LEFTOVER = /^\.(step-\d+)\..*\.tmp$/;

export class CheckpointFolder {
  constructor(readonly path: string) {}

  pathOf(step: number): string {
    return join(this.path, nameOf(step));
  }

  /** Steps that have a checkpoint, in order. */
  async steps(): Promise<number[]> {
    const steps = (await this.#names()).flatMap((name) => stepOf(name) ?? []);
    return steps.sort((a, b) => a - b);
  }

  /** Whether there is a checkpoint, or what may turn out to be one when it is recovered. */
  async mayHoldSome(): Promise<boolean> {
    const names = await this.#names();
    return names.some((name) => stepOf(name) !== undefined || LEFTOVER.test(name));
  }

  /**
   * Writes the checkpoint of a step and points `last` at it, and `best` at the best one. The
   * newest `keep` and the best stay. Returns the checkpoint's folder.
   */
  async save(checkpoint: Checkpoint, keep: number): Promise<string> {
    const path = this.pathOf(checkpoint.state.step);
    await writeCheckpoint(path, checkpoint);
    await this.settle(checkpoint.state, keep);
    return path;
  }

  /** What follows the writing of a checkpoint; again where a run was killed in between. */
  async settle({ step, best }: RunState, keep: number): Promise<void> {
    const steps = await this.steps();
    // The best is gone where a run goes on from before a better one, whose checkpoint is damaged.
    const bestStep = best !== null && steps.includes(best.step) ? best.step : step;
    await Promise.all([this.#link('last', step), this.#link('best', bestStep)]);
    for (const old of steps.slice(0, -keep)) {
      if (old !== bestStep) await this.#remove(nameOf(old));
    }
  }

  /** Makes a copy of another run's checkpoint, whole or not at all. */
  async adopt(folder: string): Promise<void> {
    const copy = (temporary: string) => cp(folder, temporary, { recursive: true });
    await writeDirectoryAtomic(join(this.path, basename(folder)), copy);
  }

  /** Takes a damaged checkpoint out of the way, and keeps it. */
  async setAside(folder: string): Promise<void> {
    const path = `${folder}.damaged`;
    await rm(path, { recursive: true, force: true });
    await rename(folder, path);
  }

  /**
   * Clears away what a killed process left half done. A checkpoint that was whole but not, or no
   * longer, under its name gets it back.
   */
  async recover(): Promise<void> {
    for (const name of await this.#names()) {
      const owner = LEFTOVER.exec(name)?.[1];
      if (owner !== undefined) await this.#recover(join(this.path, name), join(this.path, owner));
      else if (name.endsWith('.tmp')) await rm(join(this.path, name), { recursive: true });
    }
  }

  async #recover(leftover: string, path: string): Promise<void> {
    const isWanted = !(await this.#names()).includes(basename(path));
    const isWhole = isWanted && (await readCheckpoint(leftover).catch(() => undefined));
    if (isWhole) await rename(leftover, path);
    else await rm(leftover, { recursive: true });
  }

  /** Points the link at the checkpoint of `step`, replacing the old link in one move. */
  async #link(name: 'last' | 'best', step: number): Promise<void> {
    const path = join(this.path, name);
    const target = nameOf(step);
    const temporary = `${path}.tmp`;
    try {
      if ((await readlink(path).catch(() => '')) === target) return;
      await rm(temporary, { force: true });
      await symlink(target, temporary);
      await rename(temporary, path);
      await fsyncDirectory(this.path);
    } catch (error) {
      throw fileError(`cannot write ${path}`, error);
    }
  }

  /** Half of a checkpoint must never be found under its name. */
  async #remove(name: string): Promise<void> {
    const path = join(this.path, name);
    const temporary = join(this.path, `.${name}.old.tmp`);
    try {
      await rm(temporary, { recursive: true, force: true });
      await rename(path, temporary);
      await rm(temporary, { recursive: true });
    } catch (error) {
      throw fileError(`cannot remove ${path}`, error);
    }
  }

  /** The names in the folder; none where there is no such folder. */
  async #names(): Promise<string[]> {
    return readdir(this.path).catch(() => []);
  }
}

/** The step of a checkpoint by its folder's name; nothing for other names. */
export function stepOf(name: string): number | undefined {
  const digits = /^step-(\d+)$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function nameOf(step: number): string {
  return `step-${step}`;
}
