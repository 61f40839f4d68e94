/** Which engine computes. One engine serves the process; tests switch to `reference`. */

import type { Engine } from '../engine/engine.ts';
import { cpuEngine } from '../engine/native/cpu.ts';

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
