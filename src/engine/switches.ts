/**
 * Off switches of fast paths, by name: an implementation's method, a planner pass, a fused op.
 * `TORCHTS_OFF=name,name` switches off for the whole process, `withOff` for one call.
 */

const off = new Set((process.env.TORCHTS_OFF ?? '').split(',').filter((name) => name !== ''));

/** Is the fast path called `name` switched off? */
export function isOff(name: string): boolean {
  return off.has(name);
}

/** Runs `body`, which must be synchronous, with the fast paths called `names` switched off. */
export function withOff<T>(names: readonly string[], body: () => T): T {
  const added = names.filter((name) => !off.has(name));
  for (const name of added) off.add(name);
  try {
    return body();
  } finally {
    for (const name of added) off.delete(name);
  }
}
