/** Graph: a module whose parts take each other's outputs by name. */

import { z } from 'zod';
import { BuildError } from '../base/build-error.ts';
import { ArgumentError, nearestName, opError, withScope } from '../base/errors.ts';
import { strict } from '../base/registry.ts';
import { shortType } from '../base/user-code.ts';
import type { Node } from '../core/graph.ts';
import { valueType } from '../core/graph.ts';
import { placeholder } from '../core/leaf.ts';
import { Tensor } from '../core/tensor.ts';
import { collect } from '../plan/graph.ts';
import { placed } from './argument-names.ts';
import { type Entries, entriesOf } from './container-parts.ts';
import { type Names, type Sources, type Wiring, wire, wiringFaults } from './graph-wiring.ts';
import { type AnyModule, firstOutput, Module } from './module.ts';
import { modulesChanged } from './parameter.ts';
import { type BuildContext, build, forwardOnce, modules, passOn, word } from './registry.ts';

/** A part of a graph in code: a module, or a module with what it takes. */
export type GraphNode =
  | AnyModule
  | {
      readonly module: AnyModule;
      /** Inputs, and nodes that stand before this one; the one before it where it is left out. */
      readonly from?: Sources;
    };

export interface GraphOptions {
  /** The names of what `forward` takes, in order; `['input']` unless given. */
  readonly inputs?: readonly string[];
  /** By name, in the order in which they are computed; names begin the keys of the state_dict. */
  readonly nodes: Entries<GraphNode>;
  /** What `forward` gives: of one name a tensor, of a list an array. The last node unless given. */
  readonly outputs?: Names;
}

type GraphOutput = Tensor | [Tensor, ...Tensor[]];

/**
 * Computes its nodes one after the other; each takes inputs of the graph and outputs of nodes
 * before it, by name. Of a node with several outputs, such as LSTM, the first is taken.
 *
 * ```ts
 * const block = new nn.Graph({
 *   inputs: ['x'],
 *   nodes: {
 *     conv: new nn.Conv2d({ in_channels: 8, out_channels: 8, kernel_size: 3, padding: 1 }),
 *     relu: new nn.ReLU(),
 *     sum: { module: new nn.Add(), from: ['relu', 'x'] },
 *   },
 * });
 * ```
 */
export class Graph extends Module<readonly Tensor[], GraphOutput> {
  readonly #wiring: Wiring;
  readonly #modules: Map<string, AnyModule>;
  readonly #isList: boolean;

  /** @throws ArgumentError that names every node that takes what is not there, or is not used. */
  constructor({ inputs = ['input'], nodes, outputs }: GraphOptions) {
    super();
    const entries = [...entriesOf(nodes)].map(([name, node]) => {
      const { module, from } = node instanceof Module ? { module: node } : node;
      return { name, module, from };
    });
    const given = { inputs, nodes: entries, outputs };
    const faults = wiringFaults(given);
    if (faults.length > 0) {
      const texts = faults.map(({ path, message }) => `${path.join('.')}: ${message}`);
      throw new ArgumentError(`[Graph] ${texts.join('; ')}`);
    }
    this.#wiring = wire(given);
    this.#modules = new Map(entries.map(({ name, module }) => [name, module]));
    for (const { name, from, as } of this.#wiring.nodes) placed(this.#modules.get(name)!, from, as);
    this.#isList = Array.isArray(outputs);
  }

  /** The names of what `forward` takes and gives, in order. */
  get names(): { readonly inputs: readonly string[]; readonly outputs: readonly string[] } {
    const { inputs, outputs } = this.#wiring;
    return { inputs, outputs };
  }

  override namedChildren(): [string, AnyModule][] {
    return [...this.#modules];
  }

  /** Puts another module in the place of a node's. */
  override addModule(name: string, module: AnyModule): void {
    if (!this.#modules.has(name)) {
      const nearest = nearestName(name, this.#modules.keys());
      const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
      throw opError(ArgumentError, 'Graph', `there is no node "${name}"${hint}`);
    }
    this.#modules.set(name, module);
    modulesChanged();
  }

  forward(...given: readonly Tensor[]): GraphOutput {
    const { inputs, nodes, outputs } = this.#wiring;
    if (given.length !== inputs.length) {
      const names = `${inputs.length} (${inputs.join(', ')})`;
      throw opError(ArgumentError, 'Graph', `takes ${names} inputs, got ${given.length}`);
    }
    const values = new Map(inputs.map((name, i) => [name, given[i]!]));
    for (const { name, from, as } of nodes) {
      const module = this.#modules.get(name)!;
      const taken = from.map((source) => values.get(source)!);
      values.set(name, firstOutput(module.call(...placed(module, taken, as))));
    }
    const found = outputs.map((name) => values.get(name)!);
    return this.#isList ? (found as [Tensor, ...Tensor[]]) : found[0]!;
  }

  override extraRepr(): string {
    const { inputs, nodes, outputs } = this.#wiring;
    const lines = nodes.map(({ name, from }) => `${from.join(', ')} -> ${name}`);
    return [`inputs: ${inputs.join(', ')}`, ...lines, `outputs: ${outputs.join(', ')}`].join('\n');
  }
}

const options = strict({
  inputs: z.array(word()).min(1).default(['input']).describe('The names of what the graph takes.'),
  nodes: z
    .record(
      word(),
      z.lazy(() => modules.spec()),
    )
    .describe(
      'Modules by name, in the order in which they are computed; `from` says what each takes.',
    ),
  outputs: z
    .union([word(), z.array(word()).min(1)])
    .optional()
    .describe('What the graph gives: one name, or a list for several. Default: the last node.'),
}).check(({ value, issues }) => {
  const faults = Object.keys(value.nodes).length === 0 ? [NO_NODES] : wiringFaults(given(value));
  for (const { path, message } of faults) {
    issues.push({ code: 'custom', input: value, path, message });
  }
});

const NO_NODES = { path: ['nodes'], message: 'a graph needs a node at least' };

type Options = z.output<typeof options>;

function given({ inputs, nodes, outputs }: Options) {
  const entries = Object.entries(nodes).map(([name, { from }]) => ({
    name,
    from: from as Sources,
  }));
  return { inputs, nodes: entries, outputs };
}

modules.register('Graph', {
  schema: options,
  summary: 'Modules that take the outputs of others by name: residuals, branches, several heads.',
  create: buildGraph,
});

function buildGraph(parsed: Options, context: BuildContext): Graph {
  const { input, more = [], observe, path = [] } = context;
  const { inputs, nodes, outputs } = parsed;
  const values = new Map<string, Tensor>();
  if (input !== undefined) {
    const found = [input, ...more];
    if (found.length !== inputs.length) {
      const message = `the graph gets ${found.length} of its ${inputs.length} inputs`;
      throw new BuildError(message, [...path, 'inputs']);
    }
    for (const [i, name] of inputs.entries()) values.set(name, found[i]!);
  }
  const built = new Map<string, AnyModule>();
  for (const { name, from, as } of wire(given(parsed)).nodes) {
    const at = [...path, 'nodes', name];
    const taken = from.flatMap((source) => values.get(source) ?? []);
    const [first, ...others] = taken;
    const module = withScope(at.join('.'), () =>
      build<AnyModule>(nodes[name], {
        input: first,
        more: others,
        as,
        observe,
        path: at,
        isNode: true,
      }),
    );
    built.set(name, module);
    if (taken.length === 0) continue;
    values.set(name, passOn(module, taken, at, as));
    checkUse({ module, type: nodes[name]!.type, taken, from, as, at });
  }
  const wired = [...built].map(
    ([name, module]) => [name, { module, from: nodes[name]!.from as Sources }] as const,
  );
  return new Graph({ inputs, nodes: wired, outputs });
}

/** A node and what it takes. */
interface Use {
  readonly module: AnyModule;
  readonly type: string;
  readonly taken: readonly Tensor[];
  readonly from: readonly string[];
  readonly as: readonly string[] | undefined;
  readonly at: readonly (string | number)[];
}

/** Every input of a node must matter to it. */
function checkUse(use: Use): void {
  const { type, taken, from, at } = use;
  const unused = taken.length > 1 ? unusedInput(use) : -1;
  if (unused < 0) return;
  const message = `${shortType(type)} makes nothing of its input ${from[unused]}; join it with Add, Mul or Cat`;
  throw new BuildError(message, [...at, 'from']);
}

/** The place of the first input that no output depends on, or -1. */
function unusedInput({ module, taken, as }: Use): number {
  const copies = taken.map((input, i) => new Tensor(placeholder(valueType(input.value), i)));
  const outputs = forwardOnce(module, copies, as);
  const nodes = new Set(collect(outputs.map(({ value }) => value)) as Node[]);
  return copies.findIndex(({ value }) => !nodes.has(value.node));
}
