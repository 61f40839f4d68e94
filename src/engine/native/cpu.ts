/** The CPU engine: buffers and Programs of the native addon behind the engine's interfaces. */

import { type DType, type HostArray, hostArray, itemsize } from '../../base/dtype.ts';
import { EngineError } from '../../base/errors.ts';
import { numel } from '../../base/shape.ts';
import type {
  Engine,
  Executable,
  FilePart,
  KernelTiming,
  MemoryPlan,
  RunArguments,
  RunClock,
  Storage,
} from '../engine.ts';
import { type ImageOp, shapeAfterAll } from '../image-ops/op.ts';
import type { Pixels } from '../image-ops/pixels.ts';
import type {
  BatchSlot,
  BatchStream,
  BatchStreamRequest,
  ImageSource,
  Images,
  WorkOf,
} from '../images.ts';
import { type KernelName, LAPACK_KERNELS } from '../kernels.ts';
import type { Program } from '../program.ts';
import { switchedOff } from '../switches.ts';
import { encodeOps, encodeWork } from './encode-ops.ts';
import {
  type Addon,
  loadAddon,
  type NativeExecutable,
  type NativeImageSources,
  type NativeStorage,
} from './loader.ts';

/** What the engine's clock, which is that of `hrtime`, is ahead of `performance.now()`, in ms. */
const CLOCK_OFFSET = Number(process.hrtime.bigint()) / 1e6 - performance.now();

class CpuStorage implements Storage {
  readonly #native: NativeStorage;
  readonly #id: number;
  #disposed = false;

  constructor(
    addon: Addon,
    readonly dtype: DType,
    readonly numel: number,
    file?: FilePart,
  ) {
    this.#native = new addon.Storage(dtype, numel, file);
    this.#id = this.#native.id;
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    this.#disposed = true;
    this.#native.dispose();
  }

  /** The addon's object. Throws once disposed. */
  static native(storage: Storage): NativeStorage {
    CpuStorage.#check(storage);
    return (storage as CpuStorage).#native;
  }

  /** The number a run knows the buffer by. Throws once disposed. */
  static id(storage: Storage): number {
    CpuStorage.#check(storage);
    return (storage as CpuStorage).#id;
  }

  static #check(storage: Storage): void {
    if (!(storage instanceof CpuStorage)) {
      throw new EngineError('[storage] the buffer belongs to another engine, not to cpu');
    }
    if (storage.#disposed) {
      throw new EngineError(
        `[storage] a buffer of ${storage.numel} ${storage.dtype} elements is used after dispose()`,
      );
    }
  }
}

class CpuExecutable implements Executable {
  readonly memory: MemoryPlan;
  readonly kernels: readonly KernelTiming[];
  readonly #native: NativeExecutable;

  constructor(addon: Addon, program: Program) {
    checkLapack(addon, program);
    this.#native = new addon.Executable(program, switchedOff());
    this.memory = {
      arena_bytes: this.#native.arenaBytes,
      binding_bytes: bindingBytes(program),
    };
    this.kernels = withFlops(this.#native.kernels, program);
  }

  run(storages: readonly Storage[], scalars: readonly number[]): Promise<void> {
    try {
      this.#setArguments(storages, scalars);
      return this.#native.run();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  runMany(runs: readonly RunArguments[]): Promise<void> {
    try {
      const { bindings, scalars } = this.#native;
      const ids = new Uint32Array(runs.length * bindings.length);
      const numbers = new Float64Array(runs.length * scalars.length);
      runs.forEach((run, i) => {
        this.#setArguments(run.storages, run.scalars);
        ids.set(bindings, i * bindings.length);
        numbers.set(scalars, i * scalars.length);
      });
      return runs.length === 0
        ? Promise.resolve()
        : this.#native.runMany(ids, numbers, runs.length);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  runSync(storages: readonly Storage[], scalars: readonly number[]): void {
    this.#setArguments(storages, scalars);
    this.#native.runSync();
  }

  async profile(storages: readonly Storage[], scalars: readonly number[]): Promise<RunClock> {
    this.#setArguments(storages, scalars);
    const clock = await this.#native.profile();
    return clock.map((nanoseconds) => nanoseconds / 1e6 - CLOCK_OFFSET);
  }

  plan(): string {
    return this.#native.plan();
  }

  dispose(): void {
    this.#native.dispose();
  }

  #setArguments(storages: readonly Storage[], scalars: readonly number[]): void {
    const native = this.#native;
    if (storages.length !== native.bindings.length || scalars.length !== native.scalars.length) {
      throw new EngineError(
        `[run] the Program takes ${native.bindings.length} buffers and ` +
          `${native.scalars.length} scalars, got ${storages.length} and ${scalars.length}`,
      );
    }
    for (let i = 0; i < storages.length; i++) native.bindings[i] = CpuStorage.id(storages[i]!);
    for (let i = 0; i < scalars.length; i++) native.scalars[i] = scalars[i]!;
  }
}

/**
 * Throws an `EngineError` that says how to get LAPACK where the Program needs it and it is missing.
 */
function checkLapack(addon: Addon, { instructions }: Program): void {
  const needs = instructions.find(({ kernel }) => LAPACK_KERNELS.includes(kernel as KernelName));
  if (needs === undefined || addon.info().lapack !== null) return;
  throw new EngineError(
    `[${needs.kernel}] needs LAPACK, which the native engine does without here: ` +
      `install it (on Debian: apt-get install liblapack-dev), then run \`npm run build\` (at ${needs.label})`,
  );
}

/** Adds what the Program knows of each instruction; the reorders that loading added do no work. */
function withFlops(kernels: NativeExecutable['kernels'], { instructions }: Program) {
  return kernels.map(({ source, ...kernel }) => ({
    ...kernel,
    flops: instructions[source]?.flops ?? 0,
  }));
}

function bindingBytes(program: Program): number {
  let bytes = 0;
  for (const binding of program.bindings) {
    const { dtype, shape } = program.values[binding.value]!;
    bytes += numel(shape) * itemsize(dtype);
  }
  return bytes;
}

class CpuImages implements Images {
  readonly #addon: Addon;
  readonly #native: NativeImageSources;

  constructor(addon: Addon, sources: readonly ImageSource[]) {
    this.#addon = addon;
    this.#native = new addon.ImageSources(
      sources.map((source) => ({
        ...source,
        first: source.first ?? 0,
        workers: source.workers ?? 1,
        images: CpuStorage.native(source.images),
        labels: CpuStorage.native(source.labels),
      })),
    );
  }

  gather(indices: Int32Array, epoch: number, slot: BatchSlot, work?: WorkOf): void {
    const [inputs, targets] = CpuImages.#natives(slot);
    const ops = work && encodeWork(work(indices, epoch));
    this.#native.gather(indices, epoch, inputs!, targets!, ops);
  }

  stream(request: BatchStreamRequest): BatchStream {
    const { order, batch_size, epoch, slots, tail, ahead, work } = request;
    let drawn = 0;
    const nextOps = () => {
      const indices = order.subarray(drawn, drawn + batch_size);
      drawn += indices.length;
      if (work === undefined || indices.length === 0) return undefined;
      return encodeWork(work(indices, epoch));
    };
    const first = Array.from({ length: ahead }, nextOps).filter((ops) => ops !== undefined);
    const native = new this.#addon.ImageStream(
      this.#native,
      order,
      batch_size,
      epoch,
      slots.flatMap(CpuImages.#natives),
      tail === undefined ? [] : CpuImages.#natives(tail),
      ahead,
      first,
    );
    return { take: () => native.take(nextOps()), dispose: () => native.dispose() };
  }

  static #natives({ inputs, targets }: BatchSlot) {
    return [inputs, targets].map((storage) => CpuStorage.native(storage));
  }
}

/** Runs Programs with the kernels of the native addon, on its own thread. */
export class CpuEngine implements Engine {
  readonly name = 'cpu';
  readonly #addon: Addon;

  /** Throws an `EngineError` when the addon is missing or cannot be loaded. */
  constructor() {
    this.#addon = loadAddon();
  }

  allocate(dtype: DType, numel: number): Storage {
    return new CpuStorage(this.#addon, dtype, numel);
  }

  map(part: FilePart): Storage {
    return new CpuStorage(this.#addon, 'uint8', part.length, part);
  }

  write(storage: Storage, data: HostArray): void {
    CpuStorage.native(storage).write(data);
  }

  readSync(storage: Storage): HostArray {
    return CpuStorage.native(storage).readSync(hostArray(storage.dtype, storage.numel));
  }

  async read(storage: Storage): Promise<HostArray> {
    return CpuStorage.native(storage).read(hostArray(storage.dtype, storage.numel));
  }

  load(program: Program): Executable {
    return new CpuExecutable(this.#addon, program);
  }

  images(...sources: readonly ImageSource[]): Images {
    return new CpuImages(this.#addon, sources);
  }

  applyOps(image: Pixels, ops: readonly ImageOp[]): Pixels {
    const { channels, height, width } = image;
    const from = { channels, height, width };
    const to = shapeAfterAll(ops, from);
    return { ...to, data: this.#addon.applyOps(image.data, from, encodeOps(ops), to) };
  }

  /** Threads a kernel may use. */
  get threads(): number {
    return this.#addon.threads();
  }

  /** Sets the threads of Programs loaded from now on; those already loaded keep theirs. */
  setThreads(threads: number): void {
    this.#addon.setThreads(threads);
  }

  /** The implementations present of each kernel, by kernel name. */
  implementations(): Record<string, string[]> {
    return this.#addon.implementations();
  }
}

let engine: CpuEngine | undefined;

/** The process's CPU engine, made at the first call. Throws as `new CpuEngine()` does. */
export function cpuEngine(): CpuEngine {
  engine ??= new CpuEngine();
  return engine;
}
