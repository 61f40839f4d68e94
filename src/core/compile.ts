/**
 * Compile once, replay: a step is traced once per kind of arguments and becomes one Program; every
 * later call is one run of it, with no TypeScript per op.
 */

import { ArgumentError, CompileError } from '../base/errors.ts';
import { formatShape } from '../base/shape.ts';
import type {
  Executable,
  KernelTiming,
  MemoryPlan,
  RunArguments,
  RunClock,
  Storage,
} from '../engine/engine.ts';
import { withOff } from '../engine/switches.ts';
import type { PlanBinding, PlanOptions } from '../plan/plan.ts';
import { plan } from '../plan/plan.ts';
import { printProgram } from '../plan/print.ts';
import { type CallKind, describeKind, sameKind } from './call-kind.ts';
import { engine } from './device.ts';
import type { Node, Value } from './graph.ts';
import { valueType } from './graph.ts';
import { bufferLeaf, placeholder } from './leaf.ts';
import { advanceGenerator } from './random.ts';
import { allocateFor, readScalar, realizeSync, storageOf } from './realize.ts';
import { flatten, type StepResult } from './step-result.ts';
import { Tensor } from './tensor.ts';
import { forbidNesting, Trace, type Traceable, tracing } from './trace.ts';

/** Something whose tensors a step may update: a module, an optimizer. */
export interface Stateful {
  stateTensors(): readonly Tensor[];
  /** As of `Traceable`. */
  traceKey?(): string;
}

export interface CompileOptions {
  /** Everything the step may update. Updating anything else throws. */
  readonly state?: readonly (Tensor | Stateful)[];
  /** Shown in messages. */
  readonly name?: string;
  /** Called with the reason for every trace after the first. Default: a line on standard error. */
  readonly onRetrace?: (reason: string) => void;
  readonly plan?: PlanOptions;
  /** Fast paths that the step must do without; see `engine/switches.ts`. */
  readonly off?: readonly string[];
}

export interface CompiledStep<Args extends readonly Tensor[], Result extends StepResult> {
  /**
   * Runs the step; resolves when it is done. Calls run in the order they were made. After a call
   * that was rejected (an index out of range) the state is undefined: restore it before going on.
   */
  (...args: Args): Promise<Result>;
  /**
   * Runs the step once for each list of arguments, in order, as so many calls would; the engine is
   * asked once for all of one kind, so that small steps cost it nothing in between.
   */
  many(calls: readonly Args[]): Promise<Result[]>;
  /** Runs the step, blocking until it is done. */
  sync(...args: Args): Result;
  /** Runs the step as a call does, and times each of its kernels. */
  profile(...args: Args): Promise<StepProfile<Result>>;
  /** Plans for these arguments without running; what the Program needs and looks like. */
  inspect(...args: Args): StepInspection;
  /** Frees the loaded Programs. */
  dispose(): void;
}

export interface StepProfile<Result> {
  readonly result: Result;
  readonly kernels: readonly KernelTiming[];
  readonly clock: RunClock;
}

export interface StepInspection {
  readonly memory: MemoryPlan;
  readonly kernels: readonly KernelTiming[];
  /** The Program, and the engine's plan of it, as text. */
  readonly program: string;
  readonly plan: string;
}

/**
 * Compiles `step`. It is traced with symbolic arguments: it must be a pure function of them, of
 * the listed state and of tensors it captures; reading a value inside it throws.
 */
export function compile<Args extends readonly Tensor[], Result extends StepResult>(
  step: (...args: Args) => Result,
  options: CompileOptions = {},
): CompiledStep<Args, Result> {
  const compiler = new Compiler(step, options);
  const call = async (...args: Args): Promise<Result> => {
    const run = compiler.prepare(args);
    const done = run.executable.run(run.storages, run.scalars);
    const result = run.finish();
    await done;
    return result;
  };
  return Object.assign(call, {
    many: async (calls: readonly Args[]): Promise<Result[]> => {
      const results: Result[] = [];
      const done: Promise<void>[] = [];
      for (const runs of compiler.prepareMany(calls)) {
        done.push(runs.executable.runMany(runs.list));
        results.push(...runs.results);
      }
      await Promise.all(done);
      return results;
    },
    sync: (...args: Args): Result => {
      const run = compiler.prepare(args);
      run.executable.runSync(run.storages, run.scalars);
      return run.finish();
    },
    profile: async (...args: Args): Promise<StepProfile<Result>> => {
      const run = compiler.prepare(args);
      const done = run.executable.profile(run.storages, run.scalars);
      const result = run.finish();
      return { result, kernels: run.executable.kernels, clock: await done };
    },
    inspect: (...args: Args): StepInspection => {
      const { executable, text } = compiler.traced(args);
      const { memory, kernels } = executable;
      return { memory, kernels, program: text, plan: executable.plan() };
    },
    dispose: () => compiler.dispose(),
  });
}

/** One trace, loaded. */
interface Traced<Result> {
  /** The kind of arguments and the state's keys it was made for. */
  readonly key: string;
  /** What it used beside its state, and that had this key. */
  readonly uses: readonly Traceable[];
  readonly usesKey: string;
  readonly executable: Executable;
  readonly text: string;
  readonly bindings: readonly Source[];
  readonly scalars: readonly Node[];
  readonly updated: readonly Tensor[];
  readonly rootValues: readonly Value[];
  readonly randomNodes: number;
  readonly effects: readonly (() => void)[];
  /** Puts tensors over the roots' buffers into the shape the step returned. */
  pack(outputs: readonly Tensor[]): Result;
}

/** Where the buffer of a binding is found at each call. */
type Source =
  | { readonly kind: 'argument'; readonly argument: number }
  | { readonly kind: 'state'; readonly tensor: Tensor }
  | { readonly kind: 'captured'; value: Value }
  | { readonly kind: 'root'; readonly root: number };

interface PreparedRun<Result> extends RunArguments {
  readonly executable: Executable;
  /** After queueing: moves the state on and gives the result. */
  finish(): Result;
}

interface PreparedRuns<Result> {
  readonly executable: Executable;
  readonly list: RunArguments[];
  readonly results: Result[];
}

class Compiler<Args extends readonly Tensor[], Result extends StepResult> {
  readonly #name: string;
  #traces: Traced<Result>[] = [];
  /** The newest call, so that calls like it need not be described again. */
  #last: { readonly kind: CallKind; readonly traced: Traced<Result> } | undefined;

  constructor(
    readonly step: (...args: Args) => Result,
    readonly options: CompileOptions,
  ) {
    this.#name = options.name ?? (step.name === '' ? 'step' : step.name);
  }

  prepare(args: Args): PreparedRun<Result> {
    forbidNesting(this.#name);
    const traced = this.traced(args);
    realizeSync(args.map((arg) => arg.value));
    const outputs = traced.rootValues.map(allocateFor);
    const storages = traced.bindings.map((source) => this.#storage(source, args, outputs));
    const scalars = traced.scalars.map(readScalar);
    return {
      executable: traced.executable,
      storages,
      scalars,
      finish: () => {
        advanceGenerator(traced.randomNodes);
        for (const effect of traced.effects) effect();
        for (const tensor of traced.updated) tensor.overwritten();
        const tensors = traced.rootValues.map(
          (root, i) => new Tensor(bufferLeaf(valueType(root), outputs[i]!)),
        );
        return traced.pack(tensors);
      },
    };
  }

  /**
   * Calls of one Program after the other, to be queued together; the state has moved on past them.
   */
  *prepareMany(calls: readonly Args[]): Generator<PreparedRuns<Result>, void> {
    let runs: PreparedRuns<Result> | undefined;
    for (const args of calls) {
      const run = this.prepare(args);
      if (runs !== undefined && runs.executable !== run.executable) {
        yield runs;
        runs = undefined;
      }
      runs ??= { executable: run.executable, list: [], results: [] };
      runs.list.push(run);
      runs.results.push(run.finish());
    }
    if (runs !== undefined) yield runs;
  }

  /** The trace for this kind of arguments, made now if there is none. */
  traced(args: Args): Traced<Result> {
    const kind = this.#kind(args);
    const last = this.#last;
    if (last !== undefined && sameKind(kind, last.kind) && stillFits(last.traced)) {
      return last.traced;
    }
    const key = describeKind(kind);
    let traced = this.#traces.find((known) => known.key === key && stillFits(known));
    if (traced === undefined) {
      const before = this.#traces.at(-1);
      if (before !== undefined) this.#reportRetrace(before, key);
      traced = withOff(this.options.off ?? [], () => this.#trace(args, key));
      this.#traces.push(traced);
    }
    this.#last = { kind, traced };
    return traced;
  }

  dispose(): void {
    for (const traced of this.#traces) traced.executable.dispose();
    this.#traces = [];
    this.#last = undefined;
  }

  #kind(args: Args): CallKind {
    return {
      engine: engine().name,
      types: args.map((arg, i) => {
        if (arg instanceof Tensor) return valueType(arg.value);
        throw new ArgumentError(`[${this.#name}] argument ${i} is not a Tensor`);
      }),
      states: (this.options.state ?? []).map((item) =>
        item instanceof Tensor ? '' : (item.traceKey?.() ?? ''),
      ),
    };
  }

  #reportRetrace(last: Traced<Result>, key: string): void {
    const before = `${last.key}\n${last.usesKey}`.split('\n');
    const now = `${key}\n${keyOf(last.uses)}`.split('\n');
    const changed = now.filter((line, i) => line !== before[i]);
    const reason = `compile(${this.#name}) is traced again: ${changed.join('; ')}`;
    if (this.options.onRetrace !== undefined) this.options.onRetrace(reason);
    else process.stderr.write(`torchts: ${reason}\n`);
  }

  #stateTensors(): Tensor[] {
    const items = this.options.state ?? [];
    return [
      ...new Set(items.flatMap((item) => (item instanceof Tensor ? [item] : item.stateTensors()))),
    ];
  }

  #trace(args: Args, key: string): Traced<Result> {
    const state = this.#stateTensors();
    this.#checkArguments(args, new Set(state));
    realizeSync(state.map((tensor) => tensor.value));
    const trace = new Trace(this.#name);
    const symbolic = args.map((arg, i) => new Tensor(placeholder(valueType(arg.value), i)));
    let result: Result;
    let results: Map<Tensor, Value>;
    try {
      result = tracing(trace, () => this.step(...(symbolic as unknown as Args)));
    } finally {
      results = trace.undo();
    }
    this.#checkUpdates(results, new Set(state));

    const { tensors, pack } = flatten(this.#name, result);
    const roots = tensors.map((tensor) => results.get(tensor) ?? tensor.value);
    const updates = [...results].map(([tensor, value]) => ({ leaf: tensor.value, result: value }));
    realizeOlder(trace, [...roots, ...results.values()]);
    const planned = plan({ roots, updates }, this.options.plan);
    const owners = new Map(state.map((tensor) => [tensor.value.node, tensor]));
    const listed = new Set<unknown>(this.options.state);
    const uses = [...trace.uses].filter((used) => !listed.has(used));
    return {
      key,
      uses,
      usesKey: keyOf(uses),
      executable: engine().load(planned.program),
      text: printProgram(planned.program),
      bindings: planned.bindings.map((binding) => sourceOf(binding, owners)),
      scalars: planned.scalars as Node[],
      updated: [...results.keys()],
      rootValues: roots,
      randomNodes: trace.randomNodes,
      effects: trace.effects,
      pack: pack as (outputs: readonly Tensor[]) => Result,
    };
  }

  #checkArguments(args: Args, state: ReadonlySet<Tensor>): void {
    const i = args.findIndex((arg) => state.has(arg));
    if (i < 0) return;
    throw new CompileError(
      `[${this.#name}] argument ${i} is part of the step's state; the step reads it without being ` +
        'given it',
    );
  }

  #checkUpdates(results: ReadonlyMap<Tensor, Value>, state: ReadonlySet<Tensor>): void {
    for (const tensor of results.keys()) {
      if (state.has(tensor)) continue;
      throw new CompileError(
        `[${this.#name}] the step updates a tensor of shape ${formatShape(tensor.shape)} that is ` +
          'not in its state; pass it to compile(step, { state: [...] })',
      );
    }
  }

  #storage(source: Source, args: Args, outputs: readonly Storage[]): Storage {
    switch (source.kind) {
      case 'argument':
        return storageOf(args[source.argument]!.value);
      case 'state':
        return source.tensor.buffer();
      case 'captured':
        // A captured tensor is read as it is now, also when it was rebound since the trace.
        while (source.value.node.successor) source.value = source.value.node.successor;
        realizeSync([source.value]);
        return storageOf(source.value);
      case 'root':
        return outputs[source.root]!;
    }
  }
}

/** Whether what the trace used is as it was then. */
function stillFits({ uses, usesKey }: Traced<unknown>): boolean {
  return keyOf(uses) === usesKey;
}

function keyOf(uses: readonly Traceable[]): string {
  return uses.map((used) => used.traceKey()).join('\n');
}

/** Computes what was lazy before the trace began, once, instead of again at every call. */
function realizeOlder(trace: Trace, roots: readonly Value[]): void {
  const older = new Set<Value>();
  const seen = new Set<Node>();
  const pending = [...roots];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value.node.leaf(value.index) !== undefined) continue;
    if (trace.isOlder(value)) older.add(value);
    else if (!seen.has(value.node)) {
      seen.add(value.node);
      pending.push(...value.node.inputs);
    }
  }
  realizeSync([...older]);
}

function sourceOf(binding: PlanBinding, owners: ReadonlyMap<Node, Tensor>): Source {
  if (binding.kind === 'root') return binding;
  const value = binding.leaf as Value;
  const { source } = value.node;
  if (source.kind === 'placeholder') return { kind: 'argument', argument: source.argument };
  const tensor = owners.get(value.node);
  return tensor === undefined ? { kind: 'captured', value } : { kind: 'state', tensor };
}
