/** Batch normalisation layers. */

import { z } from 'zod';
import { opError, ShapeError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { formatShape } from '../base/shape.ts';
import { noGrad } from '../core/grad-mode.ts';
import type { Tensor } from '../core/tensor.ts';
import { ones, zeros } from '../ops/creation.ts';
import { Sequential } from './container.ts';
import { batchNorm } from './functional/batch-norm.ts';
import { instanceNorm } from './functional/normalization.ts';
import { ones_, zeros_ } from './init.ts';
import { type AnyModule, Buffer, Module, Parameter } from './module.ts';
import { argumentsText } from './module-text.ts';
import { modulesChanged } from './parameter.ts';
import { inferredSize, modules, schemas } from './registry.ts';

const options = strict({
  /** Channels; may be left out where the input is known. */
  num_features: schemas.size.optional(),
  eps: z.number().positive().default(1e-5),
  /** The weight of a batch in the running statistics; null averages over all batches. */
  momentum: z.number().min(0).max(1).nullable().default(0.1),
  /** A learned scale and shift of each channel. */
  affine: z.boolean().default(true),
  /** Whether there is a shift. */
  bias: z.boolean().default(true),
  track_running_stats: z.boolean().default(true),
});

export type BatchNormModuleOptions = z.input<typeof options> & { num_features: number };

/** What the layers of different dimensions have in common: (N, C, ...) -> (N, C, ...). */
export abstract class BatchNorm extends Module {
  readonly weight: Parameter | null;
  readonly bias: Parameter | null;
  readonly running_mean: Buffer | null;
  readonly running_var: Buffer | null;
  readonly num_batches_tracked: Buffer | null;
  readonly num_features: number;
  readonly eps: number;
  readonly momentum: number | null;
  #isFrozen = false;

  /** The numbers of dimensions an input may have. */
  protected abstract readonly ranks: readonly number[];

  /** While the statistics are frozen it is as in evaluation, whatever mode it is brought into. */
  override get training(): boolean {
    return super.training && !this.#isFrozen;
  }

  override set training(mode: boolean) {
    super.training = mode;
  }

  /** Keeps the statistics and normalises with them, in training too; or no longer. */
  freezeStatistics(isFrozen = true): this {
    this.#isFrozen = isFrozen;
    modulesChanged();
    return this;
  }

  constructor(given: BatchNormModuleOptions) {
    super();
    const { name } = new.target;
    const parsed = parseOptions(name, options, given);
    const { eps, momentum, affine, bias, track_running_stats } = parsed;
    const num_features = inferredSize(name, 'num_features', parsed.num_features, undefined);
    this.num_features = num_features;
    this.eps = eps;
    this.momentum = momentum;
    const size = [num_features];
    this.weight = affine ? new Parameter(ones(size)) : null;
    this.bias = affine && bias ? new Parameter(zeros(size)) : null;
    const buffer = (contents: Tensor) => (track_running_stats ? new Buffer(contents) : null);
    this.running_mean = buffer(zeros(size));
    this.running_var = buffer(ones(size));
    this.num_batches_tracked = buffer(zeros([], { dtype: 'int64' }));
  }

  /** Scale 1, shift 0, and no batch seen. */
  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight !== null) ones_(this.weight);
    if (this.bias !== null) zeros_(this.bias);
  }

  resetRunningStats(): void {
    if (this.running_mean !== null) zeros_(this.running_mean);
    if (this.running_var !== null) ones_(this.running_var);
    if (this.num_batches_tracked !== null) zeros_(this.num_batches_tracked);
  }

  forward(input: Tensor): Tensor {
    this.checkRank(input);
    const { weight, bias, eps, running_mean, running_var } = this;
    // Without running statistics every batch is normalised by its own.
    const training = this.training || running_mean === null;
    const momentum = training ? this.#count() : undefined;
    return batchNorm(input, running_mean, running_var, { weight, bias, eps, training, momentum });
  }

  /** Counts a batch; its weight in the running statistics. */
  #count(): number | Tensor | undefined {
    const seen = this.num_batches_tracked;
    if (seen === null) return undefined;
    noGrad(() => seen.add_(1));
    const count = this.running_mean?.dtype === 'float64' ? seen.double() : seen.float();
    return this.momentum ?? count.reciprocal();
  }

  protected checkRank(input: Tensor): void {
    if (this.ranks.includes(input.ndim)) return;
    throw opError(
      ShapeError,
      this.constructor.name,
      `input must have ${this.ranks.join(' or ')} dimensions, got ${formatShape(input.shape)}`,
    );
  }

  override extraRepr(): string {
    const { num_features, eps, momentum } = this;
    const [affine, bias] = [this.weight !== null, this.bias !== null];
    const options = { eps, momentum, affine, bias };
    const track_running_stats = this.running_mean !== null;
    return `${num_features}, ${argumentsText({ ...options, track_running_stats })}`;
  }
}

/**
 * Normalises (N, C) or (N, C, L) over all but C.
 * https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
 */
export class BatchNorm1d extends BatchNorm {
  protected get ranks(): readonly number[] {
    return [2, 3];
  }
}

/**
 * Normalises (N, C, H, W) over all but C.
 * https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
 */
export class BatchNorm2d extends BatchNorm {
  protected get ranks(): readonly number[] {
    return [4];
  }
}

/**
 * Normalises (N, C, D, H, W) over all but C.
 * https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm3d.html
 */
export class BatchNorm3d extends BatchNorm {
  protected get ranks(): readonly number[] {
    return [5];
  }
}

const syncOptions = options.extend({ process_group: z.null().default(null) });

/**
 * BatchNorm of any number of dimensions. There is one process, whose batch is the whole one.
 * https://pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html
 */
export class SyncBatchNorm extends BatchNorm {
  constructor({
    process_group: _,
    ...given
  }: z.input<typeof syncOptions> & { num_features: number }) {
    super(given);
  }

  protected get ranks(): readonly number[] {
    return [2, 3, 4, 5];
  }

  /** `module` with a SyncBatchNorm, of the same tensors, in place of every BatchNorm in it. */
  static convertSyncBatchnorm<M extends AnyModule>(module: M): M | SyncBatchNorm {
    if (module instanceof BatchNorm && !(module instanceof InstanceNorm)) return synced(module);
    if (module instanceof Sequential) {
      const layers = module
        .namedChildren()
        .map(([name, layer]) => [name, SyncBatchNorm.convertSyncBatchnorm(layer)] as const);
      const made = new Sequential(new Map(layers));
      made.training = module.training;
      return made as AnyModule as M;
    }
    const replace = (field: unknown) =>
      field instanceof Module ? SyncBatchNorm.convertSyncBatchnorm(field) : field;
    for (const [name, field] of Object.entries(module)) {
      const replaced = Array.isArray(field) ? field.map(replace) : replace(field);
      if (field instanceof Module || Array.isArray(field)) {
        Object.assign(module, { [name]: replaced });
      }
    }
    return module;
  }
}

function synced(from: BatchNorm): SyncBatchNorm {
  const { num_features, eps, momentum, weight, bias, running_mean } = from;
  const track_running_stats = running_mean !== null;
  const made = new SyncBatchNorm({
    ...{
      num_features,
      eps,
      momentum,
      affine: weight !== null,
      bias: bias !== null,
      track_running_stats,
    },
  });
  const { running_var, num_batches_tracked } = from;
  Object.assign(made, { weight, bias, running_mean, running_var, num_batches_tracked });
  return made.train(from.training);
}

// ---- instance norm -----------------------------------------------------------------------------

const instanceOptions = options.extend({
  affine: z.boolean().default(false),
  track_running_stats: z.boolean().default(false),
});

export type InstanceNormOptions = z.input<typeof instanceOptions> & { num_features: number };

/** As BatchNorm, but every element of the batch has its own statistics. */
export abstract class InstanceNorm extends BatchNorm {
  constructor(given: InstanceNormOptions) {
    super({ affine: false, track_running_stats: false, ...given });
  }

  override forward(input: Tensor): Tensor {
    this.checkRank(input);
    const single = input.ndim === this.ranks[0];
    const x = single ? input.unsqueeze(0) : input;
    if (x.shape[1] !== this.num_features) {
      throw opError(
        ShapeError,
        this.constructor.name,
        `input must have ${this.num_features} channels, got ${formatShape(input.shape)}`,
      );
    }
    const { weight, bias, running_mean, running_var, eps } = this;
    const y = instanceNorm(x, running_mean, running_var, {
      ...{ weight, bias, eps, momentum: this.momentum ?? 0 },
      use_input_stats: this.training || running_mean === null,
    });
    return single ? y.squeeze(0) : y;
  }
}

/**
 * Normalises each channel of (N, C, L) or (C, L).
 * https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm1d.html
 */
export class InstanceNorm1d extends InstanceNorm {
  protected get ranks(): readonly number[] {
    return [2, 3];
  }
}

/**
 * Normalises each channel of (N, C, H, W) or (C, H, W).
 * https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm2d.html
 */
export class InstanceNorm2d extends InstanceNorm {
  protected get ranks(): readonly number[] {
    return [3, 4];
  }
}

/**
 * Normalises each channel of (N, C, D, H, W) or (C, D, H, W).
 * https://pytorch.org/docs/stable/generated/torch.nn.InstanceNorm3d.html
 */
export class InstanceNorm3d extends InstanceNorm {
  protected get ranks(): readonly number[] {
    return [4, 5];
  }
}

// ---- names -------------------------------------------------------------------------------------

for (const [i, type] of [InstanceNorm1d, InstanceNorm2d, InstanceNorm3d].entries()) {
  modules.register(type.name, {
    schema: instanceOptions,
    create: (given: z.output<typeof instanceOptions>, { input }) => {
      const found = input?.shape.at(-2 - i);
      const num_features = inferredSize(type.name, 'num_features', given.num_features, found);
      return new type({ ...given, num_features });
    },
  });
}
modules.register('SyncBatchNorm', {
  schema: syncOptions,
  create: (given: z.output<typeof syncOptions>, { input }) => {
    const found = input?.shape.at(1);
    const num_features = inferredSize('SyncBatchNorm', 'num_features', given.num_features, found);
    return new SyncBatchNorm({ ...given, num_features });
  },
});
for (const type of [BatchNorm1d, BatchNorm2d, BatchNorm3d]) {
  modules.register(type.name, {
    schema: options,
    create: (given: z.output<typeof options>, { input }) =>
      new type({
        ...given,
        num_features: inferredSize(
          type.name,
          'num_features',
          given.num_features,
          input?.shape.at(1),
        ),
      }),
  });
}
