/** Which engine computes. One engine serves the process; tests switch to `reference`. */

import type { Engine } from '../engine/engine.ts';
import { CpuEngine, cpuEngine } from '../engine/native/cpu.ts';

export { type EngineInfo, engineInfo } from '../engine/native/info.ts';

let current: Engine | undefined;

/** The engine new tensors live on. The first call loads the native addon. */
export function engine(): Engine {
  current ??= cpuEngine();
  return current;
}

/** Computes on `next` from now on. Tensors made before stay with the engine that made them. */
export function setEngine(next: Engine): void {
  current = next;
}

/** Runs `body` with `next` as the engine. */
export function withEngine<T>(next: Engine, body: () => T): T {
  const before = current;
  current = next;
  try {
    return body();
  } finally {
    current = before;
  }
}

/** The most threads a kernel may use; 1 for an engine that has none of its own. */
export function threads(): number {
  const used = engine();
  return used instanceof CpuEngine ? used.threads : 1;
}

/** Sets what `threads()` gives, for Programs loaded from now on. */
export function setThreads(threads: number): void {
  const used = engine();
  if (used instanceof CpuEngine) used.setThreads(threads);
}
