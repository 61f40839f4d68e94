/**
 * The off switches of everything that only makes results come faster: native implementations by
 * their method (`onednn_winograd`), `layouts` (every native value stays row-major), planner passes
 * by their `PlanOptions` key, and fused ops by name. What is off falls back on something slower
 * that computes the same. `TORCHTS_OFF=name,name` switches off for a whole process.
 */

let off: ReadonlySet<string> = new Set(
  (process.env.TORCHTS_OFF ?? '').split(',').filter((name) => name !== ''),
);

export function isOff(name: string): boolean {
  return off.has(name);
}

/** Everything that is off, in order: part of the key of whatever was built under it. */
export function switchedOff(): readonly string[] {
  return [...off].sort();
}

/**
 * Runs `body` with `names` off as well, until it returns or its promise settles. A Program keeps
 * what was off when it was loaded.
 */
export function withOff<T>(names: readonly string[], body: () => T): T {
  const before = off;
  const restore = () => {
    off = before;
  };
  off = new Set([...off, ...names]);
  let result: T;
  try {
    result = body();
  } catch (error) {
    restore();
    throw error;
  }
  if (!(result instanceof Promise)) {
    restore();
    return result;
  }
  return result.finally(restore) as T;
}
