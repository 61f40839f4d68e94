/**
 * Groups pointwise calls of one shape into single `pointwise` kernels.
 *
 * Calls are visited in execution order. A call joins the groups of its inputs while they are open;
 * a group closes as soon as a call outside it reads one of its values, because the group is
 * computed where its last member stood. So no group ever waits for something that waits for it.
 */

import { sameShape } from '../base/shape.ts';
import { buildBody, externalInputs } from './body.ts';
import type { Call, IR } from './ir.ts';
import { producers, removeDead } from './ir.ts';

/** Operands and steps of one group: more blocks would not stay in the first-level cache. */
const MAX_REGISTERS = 32;

interface Group {
  members: Call[];
  open: boolean;
}

export function fusePointwise(ir: IR, { fuse }: { fuse: boolean }): void {
  const constants = new Map<number, number>();
  const places = new Map(ir.calls.map((call, place) => [call, place]));
  const groupOf = new Map<number, Group>();
  const emitted: (Call | Group)[] = [];

  for (const call of ir.calls) {
    noteConstant(call, constants);
    if (call.fn === undefined) {
      close(call.inputs, groupOf);
      emitted.push(call);
      continue;
    }
    const group = fuse
      ? join(ir, call, groupOf, { constants, places })
      : { members: [call], open: false };
    close(call.inputs, groupOf, group);
    for (const member of group.members) groupOf.set(member.outputs[0]!, group);
    emitted.push(group);
  }
  const consumers = consumersOf(ir);
  // A group that a later one absorbed has no members left.
  const filled = emitted.filter((entry) => !('members' in entry) || entry.members.length > 0);
  ir.calls = filled.map((entry) =>
    'members' in entry
      ? buildBody(ir, entry.members, constants, neededOutside(ir, entry, consumers))
      : entry,
  );
  removeDead(ir);
}

/** A filled value is a constant, and so is one that only moves its elements. */
function noteConstant(call: Call, constants: Map<number, number>): void {
  const moves = call.kernel === 'alias' || call.kernel === 'copy_view';
  const value = moves ? constants.get(call.inputs[0]!) : call.attrs.value;
  if (value === undefined || !(moves || call.kernel === 'fill')) return;
  constants.set(call.outputs[0]!, value as number);
}

interface Known {
  readonly constants: ReadonlyMap<number, number>;
  /** Where each call stands in the list. */
  readonly places: ReadonlyMap<Call, number>;
}

/** The group `call` becomes part of: the union of its inputs' open groups of the same shape. */
function join(
  ir: IR,
  call: Call,
  groupOf: ReadonlyMap<number, Group>,
  { constants, places }: Known,
): Group {
  const group: Group = { members: [], open: true };
  const { shape } = ir.types[call.outputs[0]!]!;
  const candidates = new Set(call.inputs.map((input) => groupOf.get(input)));
  for (const candidate of candidates) {
    if (!candidate?.open) continue;
    if (!sameShape(ir.types[candidate.members[0]!.outputs[0]!]!.shape, shape)) continue;
    const union = [...group.members, ...candidate.members];
    if (!fits([...union, call], constants)) continue;
    group.members = union;
    // Its place in the list is taken over by the union, which stands later.
    candidate.members = [];
  }
  group.members = [...group.members, call].sort((a, b) => places.get(a)! - places.get(b)!);
  return group;
}

function fits(members: readonly Call[], constants: ReadonlyMap<number, number>): boolean {
  return externalInputs(members, constants).length + members.length <= MAX_REGISTERS;
}

function close(values: readonly number[], groupOf: ReadonlyMap<number, Group>, except?: Group) {
  for (const value of values) {
    const group = groupOf.get(value);
    if (group !== undefined && group.members.length > 0 && group !== except) group.open = false;
  }
}

function consumersOf(ir: IR): Map<number, Call[]> {
  const consumers = new Map<number, Call[]>();
  for (const call of ir.calls) {
    for (const input of call.inputs) {
      const list = consumers.get(input);
      if (list === undefined) consumers.set(input, [call]);
      else list.push(call);
    }
  }
  return consumers;
}

/** The values of a group that calls outside it read, or that must exist at the end. */
function neededOutside(
  ir: IR,
  group: Group,
  consumers: ReadonlyMap<number, readonly Call[]>,
): number[] {
  const members = new Set(group.members);
  const roots = new Set(ir.roots);
  const values = group.members.map((member) => member.outputs[0]!);
  return values.filter(
    (value) => roots.has(value) || consumers.get(value)?.some((call) => !members.has(call)),
  );
}

/** A pointwise call broadcasts its inputs itself, so it reads in front of an expansion. */
export function readThroughBroadcasts(ir: IR): void {
  const made = producers(ir);
  ir.calls = ir.calls.map((call) => {
    if (call.fn === undefined) return call;
    const inputs = call.inputs.map((input) => {
      let value = input;
      for (let maker = made.get(value); maker?.broadcasts; maker = made.get(value)) {
        value = maker.inputs[0]!;
      }
      return value;
    });
    return { ...call, inputs };
  });
  removeDead(ir);
}
