/**
 * Anomaly mode: every op is computed at once and looked at, and the first one that makes an
 * infinity of finite numbers, or a NaN of others, is named, with the place that called it. Slow:
 * for finding a fault.
 * https://pytorch.org/docs/stable/autograd.html#anomaly-detection
 */

import { join } from 'node:path';
import { isFloating } from '../base/dtype.ts';
import { AutogradError, opError, withScope } from '../base/errors.ts';
import { PACKAGE_ROOT } from '../base/package-root.ts';
import { formatShape } from '../base/shape.ts';
import { type Node, type Value, valueType } from './graph.ts';
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

/** Looks at what a new node gives. Throws AutogradError where its inputs were better than that. */
export function inspect(node: Node): void {
  if (!enabled || currentTrace() !== undefined) return;
  callers.set(node, caller());
  // Computing a node may let go of its inputs.
  const { inputs } = node;
  const outputs = node.outputs.map((_, index) => ({ node, index }));
  const found = worstOf(outputs);
  const given = worstOf(inputs);
  if (inputs.length === 0 || found <= given) return;
  const shapes = inputs.map((input) => formatShape(valueType(input).shape)).join(', ');
  const of = differentiated && `, in the gradient of ${differentiated.op.name}`;
  const at = callers.get(differentiated ?? node) ?? 'before anomaly mode was on';
  const called = at === INSIDE ? '' : `; called ${at}`;
  const message = `made ${FLAWS[found]} of ${given === 0 ? 'finite' : 'infinite'} inputs ${shapes}${of ?? ''}${called}`;
  // Gradients are computed outside of all modules: they belong to the one of the op.
  throw withScope((differentiated ?? node).scope, () =>
    opError(AutogradError, node.op.name, message),
  );
}

/** From good to bad; indices are compared. */
const FLAWS = ['nothing', 'an infinity', 'a NaN'] as const;

function worstOf(values: readonly Value[]): number {
  return Math.max(0, ...values.map(flaw));
}

function flaw(value: Value): number {
  if (!isFloating(valueType(value).dtype)) return 0;
  const contents = readSync(value) as Float64Array;
  if (contents.some((x) => Number.isNaN(x))) return 2;
  return contents.some((x) => !Number.isFinite(x)) ? 1 : 0;
}

/** The library itself, as its sources and as it is compiled. */
const LIBRARY = ['src', 'dist'].map((folder) => join(PACKAGE_ROOT, folder, '/'));

const INSIDE = 'inside the library';

/** The first place outside this library that led here. */
function caller(): string {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const lines = new Error('called here').stack?.split('\n').slice(1) ?? [];
  Error.stackTraceLimit = limit;
  const outside = lines.find((line) => !LIBRARY.some((folder) => line.includes(folder)));
  return outside?.trim() ?? INSIDE;
}
