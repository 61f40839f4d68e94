/**
 * What an engine is: it owns buffers and runs Programs. `reference/` computes in float64
 * TypeScript, `native/` drives the C++ addon. Everything above sees only these interfaces.
 */

import type { DType, HostArray } from '../base/dtype.ts';
import type { ImageOp } from './image-ops/op.ts';
import type { Pixels } from './image-ops/pixels.ts';
import type { ImageSource, Images } from './images.ts';
import type { Program } from './program.ts';

/** A buffer owned by an engine: `numel` elements of `dtype`, zero at birth. */
export interface Storage {
  readonly dtype: DType;
  readonly numel: number;
  readonly disposed: boolean;
  /** Frees the memory once the runs already queued with it are done; using it later throws. */
  dispose(): void;
}

/** A part of an open file; `path` is for messages. */
export interface FilePart {
  readonly fd: number;
  readonly path: string;
  /** In bytes. */
  readonly offset: number;
  readonly length: number;
}

export interface MemoryPlan {
  /** Bytes of the Program's own arena: intermediates and scratch, allocated once at load. */
  readonly arena_bytes: number;
  /** Bytes of the buffers bound at each run. */
  readonly binding_bytes: number;
}

/** One instruction of a loaded Program, as the engine will run it. */
export interface KernelTiming {
  readonly label: string;
  readonly kernel: string;
  /** The implementation that was chosen, such as `onednn_direct` or `portable`. */
  readonly method: string;
  /** Floating-point operations, of the ops that count theirs. */
  readonly flops: number;
}

/** What one run is given; see `Executable.run`. */
export interface RunArguments {
  readonly storages: readonly Storage[];
  readonly scalars: readonly number[];
}

/**
 * The clock of a timed run, in milliseconds as `performance.now()` counts them. Kernel `i` ran from
 * entry `i` to entry `i + 1`; one more entry is the end of the run, its results in place.
 */
export type RunClock = Float64Array;

/** A Program made ready to run. Runs are queued and happen in order, on the engine's own thread. */
export interface Executable {
  /**
   * Queues one run. `storages[i]` serves `program.bindings[i]`; `scalars[i]` serves
   * `program.scalars[i]` and is copied at the call. Resolves when the run is done; rejects with
   * an `EngineError` that names the instruction's label; the contents of the buffers it writes are
   * undefined then. A buffer that a run writes serves one of its bindings only.
   */
  run(storages: readonly Storage[], scalars: readonly number[]): Promise<void>;
  /**
   * Queues several runs at once, which costs little more than one. Resolves when all are done;
   * rejects as `run` when one fails, and those after it do not run.
   */
  runMany(runs: readonly RunArguments[]): Promise<void>;
  /** As `run`, blocking the caller until the run is done. */
  runSync(storages: readonly Storage[], scalars: readonly number[]): void;
  /** Queues one run as `run` does, and times each of its kernels. */
  profile(storages: readonly Storage[], scalars: readonly number[]): Promise<RunClock>;
  readonly memory: MemoryPlan;
  /** The implementation of each instruction, in order, with those that loading added. */
  readonly kernels: readonly KernelTiming[];
  /** The plan as text: each value's place and life, each instruction's implementation. */
  plan(): string;
  dispose(): void;
}

export interface Engine {
  readonly name: 'reference' | 'cpu' | 'cuda';
  allocate(dtype: DType, numel: number): Storage;
  /**
   * A uint8 buffer of bytes of a file, which may be closed then. The native engine maps them: they
   * are read from disk as they are used, shared with other processes, and dropped when memory is
   * short. What is written to the buffer does not reach the file, and the file must not be
   * shortened while the buffer lives. Throws an `EngineError` when it is shorter than the part.
   */
  map(part: FilePart): Storage;
  /** Copies host data in, after every queued run that uses the buffer. Lengths must be equal. */
  write(storage: Storage, data: HostArray): void;
  /** Copies the contents out, blocking until every queued run that uses the buffer is done. */
  readSync(storage: Storage): HostArray;
  /** Copies the contents out after every queued run. */
  read(storage: Storage): Promise<HostArray>;
  /** Throws an `EngineError` that names the instruction it cannot prepare. */
  load(program: Program): Executable;
  /**
   * Batches of the images of these sources, at least one, which are numbered one source after the
   * other. Throws an `EngineError` when the parts of one do not fit each other, or when they give
   * samples of several shapes.
   */
  images(...sources: readonly ImageSource[]): Images;
  /** One image after ops, at once. Throws an `EngineError` where an op does not fit it. */
  applyOps(image: Pixels, ops: readonly ImageOp[]): Pixels;
}
