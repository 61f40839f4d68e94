/** Which node of a graph takes what: defaults filled in, and everything that is wrong with it. */

import { nearestName } from '../base/errors.ts';

/** One name or several. */
export type Names = string | readonly string[];

/** What a node takes: in the order of its inputs, or by the names of its arguments. */
export type Sources = Names | Readonly<Record<string, string>>;

export interface GivenWiring {
  readonly inputs: readonly string[];
  /** In the order in which they are written, which is the order they are computed in. */
  readonly nodes: readonly { readonly name: string; readonly from?: Sources | undefined }[];
  readonly outputs?: Names | undefined;
}

export interface WiredNode {
  readonly name: string;
  readonly from: readonly string[];
  /** The arguments that these are, where they are named. */
  readonly as: readonly string[] | undefined;
}

export interface Wiring {
  readonly inputs: readonly string[];
  readonly nodes: readonly WiredNode[];
  readonly outputs: readonly string[];
}

/** A fault, and where it is in the spec of the graph. */
export interface WiringFault {
  readonly path: (string | number)[];
  readonly message: string;
}

/**
 * A node without `from` takes the node written above it, the first one the first input; without
 * `outputs` the last node is the output.
 */
export function wire({ inputs, nodes, outputs }: GivenWiring): Wiring {
  return {
    inputs,
    nodes: nodes.map(({ name, from }, i) => {
      if (isNamed(from)) return { name, from: Object.values(from), as: Object.keys(from) };
      const unlessGiven = i === 0 ? inputs.slice(0, 1) : nodes[i - 1]!.name;
      return { name, from: listed(from ?? unlessGiven), as: undefined };
    }),
    outputs: listed(outputs ?? nodes.slice(-1).map(({ name }) => name)),
  };
}

function isNamed(from: Sources | undefined): from is Readonly<Record<string, string>> {
  return typeof from === 'object' && !Array.isArray(from);
}

function listed(names: Names): readonly string[] {
  return typeof names === 'string' ? [names] : names;
}

/** Everything that is wrong with the names in a graph. */
export function wiringFaults(given: GivenWiring): WiringFault[] {
  const { inputs, nodes, outputs } = given;
  const wiring = wire(given);
  const faults: WiringFault[] = [];
  for (const [i, name] of inputs.entries()) {
    if (inputs.indexOf(name) === i) continue;
    faults.push({ path: ['inputs', i], message: `there is another input "${name}"` });
  }
  const known = new Set(inputs);
  const later = new Set(nodes.map(({ name }) => name));
  for (const [i, { name, from }] of wiring.nodes.entries()) {
    const path = ['nodes', name];
    if (known.has(name)) {
      const what = inputs.includes(name) ? 'an input' : 'another node';
      faults.push({ path, message: `there is ${what} "${name}" already` });
    }
    const at = placesOf([...path, 'from'], nodes[i]!.from);
    for (const [j, source] of from.entries()) {
      const message = sourceFault(source, name, known, later);
      if (message !== undefined) faults.push({ path: at(j), message });
    }
    known.add(name);
  }
  const at = placesOf(['outputs'], outputs);
  for (const [i, name] of wiring.outputs.entries()) {
    const message = known.has(name) ? undefined : unknown(name, known);
    if (message !== undefined) faults.push({ path: at(i), message });
    else if (wiring.outputs.indexOf(name) !== i) {
      faults.push({ path: at(i), message: `"${name}" is an output already` });
    }
  }
  // What a wrong name was meant for is not known, so nothing is known to be unused.
  return faults.length > 0 ? faults : unusedFaults(wiring);
}

/** Where the names of a value stand: a lone one in the value itself. */
function placesOf(path: (string | number)[], names: Sources | undefined) {
  const keys = isNamed(names) ? Object.keys(names) : undefined;
  return (i: number) => {
    if (keys !== undefined) return [...path, keys[i]!];
    return Array.isArray(names) ? [...path, i] : path;
  };
}

function sourceFault(
  source: string,
  name: string,
  known: ReadonlySet<string>,
  later: ReadonlySet<string>,
): string | undefined {
  if (known.has(source)) return undefined;
  if (source === name) return `"${name}" cannot take its own output`;
  if (!later.has(source)) return unknown(source, known);
  return `"${source}" is written below; a node takes inputs and nodes that are written above it`;
}

function unknown(name: string, known: ReadonlySet<string>): string {
  const nearest = nearestName(name, known);
  const hint =
    nearest === undefined ? `there are ${[...known].join(', ')}` : `did you mean "${nearest}"?`;
  return `there is no node or input "${name}"; ${hint}`;
}

function unusedFaults({ inputs, nodes, outputs }: Wiring): WiringFault[] {
  const used = new Set([...outputs, ...nodes.flatMap(({ from }) => from)]);
  const where = 'no "from" and no "outputs" names it';
  return [
    ...inputs.flatMap((name, i) =>
      used.has(name) ? [] : [{ path: ['inputs', i], message: `"${name}" is not used: ${where}` }],
    ),
    ...nodes.flatMap(({ name }) =>
      used.has(name) ? [] : [{ path: ['nodes', name], message: `is not used: ${where}` }],
    ),
  ];
}
