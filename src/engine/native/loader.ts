/** Finds and loads the native addon; the types of what it exports. */

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DTYPES, type DType, type HostArray } from '../../base/dtype.ts';
import { assert, EngineError } from '../../base/errors.ts';
import { PACKAGE_ROOT } from '../../base/package-root.ts';
import type { FilePart, KernelTiming } from '../engine.ts';
import type { ImageShape } from '../image-ops/pixels.ts';
import type { ImageSource } from '../images.ts';
import type { Program } from '../program.ts';

/** A buffer; see `native/addon/storage.h`. */
export interface NativeStorage {
  readonly id: number;
  write(data: HostArray): void;
  readSync<T extends HostArray>(into: T): T;
  read<T extends HostArray>(into: T): Promise<T>;
  dispose(): void;
}

/** An instruction of a loaded Program, in the order in which they run. */
export interface NativeKernel extends Omit<KernelTiming, 'flops'> {
  /** The instruction's place in the Program that was given; -1 for what loading added. */
  readonly source: number;
}

/** A loaded Program; see `native/addon/executable.h`. */
export interface NativeExecutable {
  /** Where the ids of a run's storages are written before the run. */
  readonly bindings: Uint32Array;
  readonly scalars: Float64Array;
  readonly kernels: readonly NativeKernel[];
  readonly arenaBytes: number;
  run(): Promise<void>;
  runMany(ids: Uint32Array, scalars: Float64Array, runs: number): Promise<void>;
  runSync(): void;
  /** A run, timed: nanoseconds; see `native/runtime/loaded_program.h`. */
  profile(): Promise<Float64Array>;
  plan(): string;
  dispose(): void;
}

/** Images and what becomes of them; see `native/addon/image_source.h`. */
export interface NativeImageSources {
  gather(
    indices: Int32Array,
    epoch: number,
    inputs: NativeStorage,
    targets: NativeStorage,
    ops: Float64Array | undefined,
  ): void;
}

/** Batches made ahead; `ops` are those of a later batch. */
export interface NativeImageStream {
  take(ops: Float64Array | undefined): void;
  dispose(): void;
}

/** One shared object of kernels that was loaded, or why it was not. */
export interface ProviderInfo {
  readonly name: string;
  readonly loaded: boolean;
  readonly reason: string | null;
}

export interface NativeInfo {
  /** The instruction set of the CPU kernels in use. */
  readonly isa: string;
  /** oneDNN's version, or null when its kernels are not in use. */
  readonly onednn: string | null;
  /** LAPACK's version, and whose it is where it says so; null when its kernels are not in use. */
  readonly lapack: string | null;
  readonly cpu: string;
  /** CPUs this process may use, by affinity and quota. */
  readonly cpus: number;
  /** Threads a kernel may use. */
  readonly threads: number;
  readonly providers: readonly ProviderInfo[];
}

export interface Addon {
  readonly dtypes: readonly string[];
  readonly Storage: new (
    dtype: DType,
    numel: number,
    file?: Pick<FilePart, 'fd' | 'path' | 'offset'>,
  ) => NativeStorage;
  readonly Executable: new (program: Program, off: readonly string[]) => NativeExecutable;
  info(): NativeInfo;
  implementations(): Record<string, string[]>;
  threads(): number;
  setThreads(threads: number): void;
  /** One image changed at once; see `native/addon/image_source.h`. */
  applyOps(data: Uint8Array, from: ImageShape, ops: Float64Array, to: ImageShape): Uint8Array;
  setErrorClass(errorClass: new (message: string) => Error): void;
  readonly ImageSources: new (
    sources: readonly (Omit<ImageSource, 'images' | 'labels'> & {
      readonly images: NativeStorage;
      readonly labels: NativeStorage;
    })[],
  ) => NativeImageSources;
  readonly ImageStream: new (
    sources: NativeImageSources,
    order: Int32Array,
    batch_size: number,
    epoch: number,
    slots: readonly NativeStorage[],
    tail: readonly NativeStorage[],
    ahead: number,
    ops: readonly Float64Array[],
  ) => NativeImageStream;
}

const BUILD_COMMAND = 'npm run build';

let loaded: Addon | undefined;

/**
 * The addon, loaded at the first call. Throws an `EngineError` that says which command builds it
 * when it is missing, or why the file that is there cannot be loaded.
 */
export function loadAddon(): Addon {
  loaded ??= loadFrom(addonPath());
  return loaded;
}

/** Where the addon is looked for: `build/torchts.node` in the package. */
export function addonPath(): string {
  return join(PACKAGE_ROOT, 'build', 'torchts.node');
}

/** Loads the addon at `path`; see `loadAddon`. */
export function loadFrom(path: string): Addon {
  if (!existsSync(path)) {
    throw new EngineError(
      `[engine] the native engine is not built: ${path} does not exist; ` +
        `run \`${BUILD_COMMAND}\` in ${PACKAGE_ROOT}`,
    );
  }
  let addon: Addon;
  try {
    addon = createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw new EngineError(
      `[engine] ${path} cannot be loaded: ${(cause as Error).message}; ` +
        `rebuild it with \`${BUILD_COMMAND}\` in ${PACKAGE_ROOT}`,
    );
  }
  assert(addon.dtypes.join() === DTYPES.join(), `the addon's dtypes are ${addon.dtypes.join()}`);
  addon.setErrorClass(EngineError);
  return addon;
}
