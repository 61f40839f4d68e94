/** Passes that make the graph smaller without changing what it computes. */

import { numel, sameShape } from '../base/shape.ts';
import type { ValueType } from '../engine/program.ts';
import type { Call, IR } from './ir.ts';
import { producers, removeDead, substitute } from './ir.ts';
import { attrsKey } from './key.ts';
import { composeViews, denseView, isDense, type View } from './views.ts';

/**
 * Removes calls that give back their input, joins chains of aliases, and copies that undo each
 * other.
 */
export function simplify(ir: IR): void {
  const made = producers(ir);
  const replacement = new Map<number, number>();
  const resolve = (value: number) => replacement.get(value) ?? value;
  ir.calls = ir.calls.map((call) => {
    const inputs = call.inputs.map(resolve);
    if (isIdentity(ir, call)) {
      replacement.set(call.outputs[0]!, inputs[0]!);
    } else if (call.kernel === 'alias') {
      const source = made.get(inputs[0]!);
      if (source?.kernel === 'alias') inputs[0] = source.inputs[0]!;
    }
    const next = joinCopies(ir, { ...call, inputs }, made);
    for (const output of call.outputs) made.set(output, next);
    return next;
  });
  ir.roots = ir.roots.map(resolve);
  removeDead(ir);
}

/** A copy of a copy that has all elements in their old order is an alias. */
function joinCopies(ir: IR, call: Call, made: ReadonlyMap<number, Call>): Call {
  if (call.kernel !== 'copy_view') return call;
  let view: View | undefined = viewOf(ir, call);
  for (let source = call.inputs[0]!; ; ) {
    const maker = made.get(source);
    if (maker?.kernel !== 'copy_view' && maker?.kernel !== 'alias') return call;
    view = composeViews(viewOf(ir, maker), view);
    if (view === undefined) return call;
    source = maker.inputs[0]!;
    if (isDense(view, numel(ir.types[source]!.shape))) {
      return { ...call, kernel: 'alias', attrs: {}, inputs: [source] };
    }
  }
}

/** Where an alias or a copy finds its elements. */
function viewOf(ir: IR, { kernel, attrs, outputs }: Call): View {
  const { shape } = ir.types[outputs[0]!]!;
  if (kernel === 'alias') return denseView(shape);
  return { offset: attrs.offset as number, strides: attrs.strides as number[], shape };
}

function isIdentity(ir: IR, call: Call): boolean {
  if (call.inputs.length !== 1 || call.outputs.length !== 1) return false;
  const from = ir.types[call.inputs[0]!]!;
  const to = ir.types[call.outputs[0]!]!;
  if (from.dtype !== to.dtype || !sameShape(from.shape, to.shape)) return false;
  return call.kernel === 'alias' || call.fn === 'cast';
}

/** Computes equal calls once: the same kernel, arguments and inputs. */
export function commonSubexpressions(ir: IR): void {
  const known = new Map<string, Call>();
  const replacement = new Map<number, number>();
  for (const call of ir.calls) {
    const inputs = call.inputs.map((value) => replacement.get(value) ?? value);
    const types = call.outputs.map((output) => typeKey(ir.types[output]!));
    const key = [call.kernel, call.fn, attrsKey(call.attrs), inputs, types.join(' ')].join(';');
    const first = known.get(key);
    if (first === undefined) {
      known.set(key, call);
      continue;
    }
    for (const [i, output] of call.outputs.entries()) replacement.set(output, first.outputs[i]!);
  }
  substitute(ir, replacement);
  removeDead(ir);
}

function typeKey({ dtype, shape }: ValueType): string {
  return `${dtype}[${shape}]`;
}
