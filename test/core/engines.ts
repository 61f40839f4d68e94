/** Engines for the tests of the core: both real ones, and one that counts what it is asked. */

import { afterEach, beforeEach } from 'vitest';
import type { Engine, Executable } from '../../src/engine/engine.ts';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { ReferenceEngine, referenceEngine } from '../../src/engine/reference/engine.ts';
import { engine, setEngine } from '../../src/index.ts';

export const ENGINES: readonly (readonly [name: string, engine: Engine])[] = [
  ['reference', referenceEngine()],
  ['cpu', cpuEngine()],
];

/** Computes the tests of the surrounding `describe` on `used`. */
export function useEngine(used: Engine): void {
  const before = engine();
  beforeEach(() => setEngine(used));
  afterEach(() => setEngine(before));
}

/** The reference engine, counting loads and runs. Use it alone in a file: Programs are cached. */
export class CountingEngine extends ReferenceEngine {
  loads = 0;
  runs = 0;

  override load(program: Parameters<Engine['load']>[0]): Executable {
    this.loads++;
    const executable = super.load(program);
    const runSync = executable.runSync.bind(executable);
    executable.runSync = (...args) => {
      this.runs++;
      runSync(...args);
    };
    return executable;
  }
}
