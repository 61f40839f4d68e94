/**
 * Anomaly mode: every op is computed at once and looked at, and the first one that makes a NaN or
 * an infinity of finite numbers is named, with the place that called it. Slow: for finding a fault.
 * https://pytorch.org/docs/stable/autograd.html#anomaly-detection
 */

import { join } from 'node:path';
import { isFloating } from '../base/dtype.ts';
import { AutogradError, opError } from '../base/errors.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import type { Node, Value } from './graph.ts';
import { readSync } from './realize.ts';
import { currentTrace } from './trace.ts';

let enabled = false;
/** The node whose gradient rule runs, if any. */
let differentiated: Node | undefined;
/** Where nodes were made while the mode was on. */
const callers = new WeakMap<Node, string>();

/** Switches anomaly mode on or off. */
export function setDetectAnomaly(mode: boolean): void {
  enabled = mode;
}

export function isAnomalyEnabled(): boolean {
  return enabled;
}

/** Runs `body` in anomaly mode. `body` must be synchronous. */
export function detectAnomaly<T>(body: () => T): T {
  const before = enabled;
  enabled = true;
  try {
    return body();
  } finally {
    enabled = before;
  }
}

/** Runs `body`, which makes the gradient of `node`; errors then name that node too. */
export function differentiating<T>(node: Node, body: () => T): T {
  const before = differentiated;
  differentiated = node;
  try {
    return body();
  } finally {
    differentiated = before;
  }
}

/** Looks at what a new node gives. Throws AutogradError where finite inputs gave something else. */
export function inspect(node: Node): void {
  if (!enabled || currentTrace() !== undefined) return;
  callers.set(node, caller());
  // Computing a node may let go of its inputs.
  const { inputs } = node;
  const outputs = node.outputs.map((_, index) => ({ node, index }));
  const found = outputs.map(flaw).find((name) => name !== undefined);
  if (found === undefined || inputs.length === 0) return;
  if (inputs.some((input) => flaw(input) !== undefined)) return;
  const of = differentiated && `, in the gradient of ${differentiated.op.name}`;
  const at = callers.get(differentiated ?? node);
  throw opError(
    AutogradError,
    node.op.name,
    `made ${found} of finite numbers${of ?? ''}; called ${at ?? 'before anomaly mode was on'}`,
  );
}

function flaw(value: Value): string | undefined {
  const { dtype } = value.node.outputs[value.index]!;
  if (!isFloating(dtype)) return undefined;
  const contents = readSync(value) as Float64Array;
  if (contents.some((x) => Number.isNaN(x))) return 'a NaN';
  return contents.some((x) => !Number.isFinite(x)) ? 'an infinity' : undefined;
}

/** The library itself, as its sources and as it is compiled. */
const LIBRARY = ['src', 'dist'].map((folder) => join(PACKAGE_ROOT, folder, '/'));

/** The first place outside this library that led here. */
function caller(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const lines = new Error('called here').stack?.split('\n').slice(1) ?? [];
  Error.stackTraceLimit = limit;
  const outside = lines.find((line) => !LIBRARY.some((folder) => line.includes(folder)));
  return outside?.trim() ?? 'inside the library';
}
