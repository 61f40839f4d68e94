/**
 * Computing values outside `compile`: plan the graph they need, run it once, keep their buffers.
 * Graphs of the same structure share one loaded Program, so an eager training loop plans once.
 */

import type { HostArray } from '../base/dtype.ts';
import { CompileError, EngineError } from '../base/errors.ts';
import { numel } from '../base/shape.ts';
import type { Executable, Storage } from '../engine/engine.ts';
import { switchedOff } from '../engine/switches.ts';
import { collect, type PlanNode } from '../plan/graph.ts';
import { plan } from '../plan/plan.ts';
import { signature } from '../plan/signature.ts';
import { engine } from './device.ts';
import type { Node, Value } from './graph.ts';
import { valueType } from './graph.ts';

/** Computes those of `values` that have no buffer yet, blocking until they are done. */
export function realizeSync(values: readonly Value[]): void {
  const run = prepare(values);
  if (run === undefined) return;
  run.executable.runSync(run.storages, run.scalars);
  run.keep();
}

/** The same without blocking the event loop. */
export async function realize(values: readonly Value[]): Promise<void> {
  await start(values);
}

function start(values: readonly Value[]): Promise<void> | undefined {
  const run = prepare(values);
  if (run === undefined) return undefined;
  const done = run.executable.run(run.storages, run.scalars);
  // Runs happen in order, so whatever is queued from now on finds the buffers filled.
  run.keep();
  // What a failed run was to compute cannot be read as if it had succeeded.
  done.catch(run.discard);
  return done;
}

/** The contents of a value, computing it first where needed. Blocks. */
export function readSync(value: Value): HostArray {
  realizeSync([value]);
  return engine().readSync(storageOf(value));
}

/** The same without blocking: the contents as of the runs queued before this call. */
export async function read(value: Value): Promise<HostArray> {
  const computed = start([value]);
  const [contents] = await Promise.all([engine().read(storageOf(value)), computed]);
  return contents;
}

/** The buffer of a realised value. Throws when it was disposed of or overwritten. */
export function storageOf(value: Value): Storage {
  const storage = value.node.storages[value.index];
  if (storage === undefined) throw new EngineError('[storage] the value is not computed yet');
  if (storage.disposed) throw new EngineError('[storage] the tensor was disposed of');
  if (value.node.overwritten) {
    throw new CompileError(
      '[storage] a compiled step has overwritten a tensor that this value was still to be computed ' +
        'from; read the value before calling the step',
    );
  }
  return storage;
}

export function allocateFor(value: Value): Storage {
  const { dtype, shape } = valueType(value);
  return engine().allocate(dtype, numel(shape));
}

interface Run {
  readonly executable: Executable;
  readonly storages: readonly Storage[];
  readonly scalars: readonly number[];
  /** Gives the computed values their buffers. */
  keep(): void;
  /** Frees those buffers. */
  discard(): void;
}

/** A loaded Program with its bindings by position in the collected graph. */
interface Loaded {
  readonly executable: Executable;
  readonly bindings: readonly (
    | { readonly kind: 'leaf'; readonly node: number; readonly index: number }
    | { readonly kind: 'root'; readonly root: number }
  )[];
  readonly scalars: readonly number[];
}

/** Loaded Programs by engine and structure, the least recently used first. */
const loaded = new Map<string, Loaded>();
const MAX_LOADED = 64;

function prepare(values: readonly Value[]): Run | undefined {
  const missing = values.filter((value) => value.node.storages[value.index] === undefined);
  if (missing.length === 0) return undefined;
  const wanted = distinct(missing);
  const nodes = collect(wanted);
  const known = new Set(wanted.map((value) => value.node));
  const parameters = parametersAmong(nodes as Node[]).filter((value) => !known.has(value.node));
  const roots = [...wanted, ...parameters];
  const program = lookUp(nodes, roots);
  const outputs = roots.map(allocateFor);
  return {
    executable: program.executable,
    storages: program.bindings.map((binding) =>
      binding.kind === 'root'
        ? outputs[binding.root]!
        : storageOf({ node: nodes[binding.node] as Node, index: binding.index }),
    ),
    scalars: program.scalars.map((node) => readScalar(nodes[node] as Node)),
    keep: () => {
      for (const [i, root] of roots.entries()) root.node.realize(root.index, outputs[i]!);
    },
    discard: () => {
      for (const output of outputs) output.dispose();
    },
  };
}

/** Each value once, however many handles were passed for it. */
function distinct(values: readonly Value[]): Value[] {
  return [...new Map(values.map((value) => [`${value.node.id}.${value.index}`, value])).values()];
}

/**
 * Parameters on the way are kept too. Otherwise a loop that updates them by hand and reads its loss
 * would compute every earlier step again.
 */
function parametersAmong(nodes: readonly Node[]): Value[] {
  return nodes
    .filter((node) => node.variable !== undefined && node.storages[0] === undefined)
    .map((node) => ({ node, index: 0 }));
}

/** The current number of a scalar leaf. */
export function readScalar(node: Node): number {
  if (node.source.kind !== 'scalar') throw new EngineError('[scalar] the node is no scalar');
  return node.source.read();
}

function lookUp(nodes: readonly PlanNode[], roots: readonly Value[]): Loaded {
  const key = `${engine().name}:${switchedOff()}:${signature(nodes, roots)}`;
  const known = loaded.get(key);
  const program = known ?? load(nodes, roots);
  loaded.delete(key);
  loaded.set(key, program);
  for (const [oldest, entry] of loaded) {
    if (loaded.size <= MAX_LOADED) break;
    entry.executable.dispose();
    loaded.delete(oldest);
  }
  return program;
}

function load(nodes: readonly PlanNode[], roots: readonly Value[]): Loaded {
  const { program, bindings, scalars } = plan({ roots });
  const position = new Map(nodes.map((node, i) => [node, i]));
  return {
    executable: engine().load(program),
    bindings: bindings.map((binding) => {
      if (binding.kind === 'root') return binding;
      const { node, index } = binding.leaf;
      return { kind: 'leaf' as const, node: position.get(node)!, index };
    }),
    scalars: scalars.map((node) => position.get(node)!),
  };
}
