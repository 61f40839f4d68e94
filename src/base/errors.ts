/**
 * The errors users see. Every message follows one form: `[where] what is wrong: the sizes; what
 * would be right (at module.path)`. A typed error is a user's mistake or a failing machine;
 * `assert` is for what only a bug of ours can break.
 */

/** Base of every error torchts throws on purpose; its message is complete without a stack trace. */
export class TorchtsError extends Error {
  override readonly name: string = 'TorchtsError';
}

/** Sizes that do not fit together. */
export class ShapeError extends TorchtsError {
  override readonly name = 'ShapeError';
}

/** An element type an op cannot take. */
export class DTypeError extends TorchtsError {
  override readonly name = 'DTypeError';
}

/** An argument out of its range, or of the wrong kind. */
export class ArgumentError extends TorchtsError {
  override readonly name = 'ArgumentError';
}

/** Something asked of autograd that the graph cannot give. */
export class AutogradError extends TorchtsError {
  override readonly name = 'AutogradError';
}

/** A misuse of `compile`: reading a value while tracing, state that was not listed. */
export class CompileError extends TorchtsError {
  override readonly name = 'CompileError';
}

/** The engine could not load or run a Program. */
export class EngineError extends TorchtsError {
  override readonly name = 'EngineError';
}

/** A file that is missing, truncated, malformed or cannot be written. */
export class FileError extends TorchtsError {
  override readonly name = 'FileError';
}

/** The command line or the config is wrong (exit code 2). */
export class ConfigError extends TorchtsError {
  override readonly name = 'ConfigError';
}

/** A broken invariant of ours. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`torchts internal error: ${message}; please report this`);
}

const moduleScope: string[] = [];

/** Runs `body` while errors and graph nodes name `path` as the module they come from. */
export function withScope<T>(path: string, body: () => T): T {
  moduleScope.push(path);
  try {
    return body();
  } finally {
    moduleScope.pop();
  }
}

/** The innermost module path, or `''` outside any module. */
export function currentScope(): string {
  return moduleScope[moduleScope.length - 1] ?? '';
}

type ErrorClass = new (message: string) => TorchtsError;

/** Builds an error in the one form: `[op] message (at module.path)`. */
export function opError(type: ErrorClass, op: string, message: string): TorchtsError {
  const scope = currentScope();
  return new type(`[${op}] ${message}${scope === '' ? '' : ` (at ${scope})`}`);
}

/**
 * The nearest of `known` to `name` by edit distance, when near enough to be a likely typo; else the
 * one that `name` is the beginning of: `kernel` for `kernel_size`.
 */
export function nearestName(name: string, known: Iterable<string>): string | undefined {
  const lower = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  const longer: string[] = [];
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
    if (candidate.toLowerCase().startsWith(lower)) longer.push(candidate);
  }
  return best ?? (lower.length >= SHORTEST_STEM && longer.length === 1 ? longer[0] : undefined);
}

/** Fewer letters are the beginning of too much. */
const SHORTEST_STEM = 4;

/** Letters to insert, leave out, replace, or exchange with their neighbour. */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const exchanged = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const exchange = exchanged ? beforePrevious[j - 2]! + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(row[j - 1]! + 1, previous[j]! + 1, substitution, exchange));
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length]!;
}
