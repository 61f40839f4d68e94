/** Losses as modules: the functions of `nn.functional` with fixed arguments. */

import { z } from 'zod';
import { parseOptions, strict } from '../base/registry.ts';
import { numel } from '../base/shape.ts';
import { Tensor } from '../core/tensor.ts';
import { tensor } from '../ops/host-data.ts';
import { reshape } from '../ops/movement.ts';
import { binaryCrossEntropy, binaryCrossEntropyWithLogits } from './functional/binary-losses.ts';
import * as classMargins from './functional/class-margin-losses.ts';
import { crossEntropy, linearCrossEntropy, nllLoss } from './functional/classification-losses.ts';
import { ctcLoss, type Lengths } from './functional/ctc-loss.ts';
import * as margins from './functional/margin-losses.ts';
import * as regression from './functional/regression-losses.ts';
import { type Compute, FunctionLayer, type LayerClass, registerLayers } from './layer-of.ts';
import { Linear } from './linear.ts';
import { Buffer, Module } from './module.ts';
import { argumentsText } from './module-text.ts';
import { losses, schemas } from './registry.ts';

const number = (value: number) => z.number().default(value);
const flag = z.boolean().default(false);
const reduction = z.enum(['mean', 'sum', 'none']).default('mean');
/** PyTorch's older way to say `reduction`. */
const legacyFlag = z.boolean().nullable().default(null);
const common = { size_average: legacyFlag, reduce: legacyFlag, reduction };
/** Numbers, or in code a tensor. */
const weight = z.array(z.number()).nullable().default(null);

/** Options that may be tensors; they become buffers of the loss. */
type TensorKeys = 'weight' | 'pos_weight';
type TensorOptions<Options> = Omit<Options, TensorKeys> & {
  readonly [K in keyof Options & TensorKeys]?: readonly number[] | Tensor | null;
};
type WithTensors<Options> = Omit<Options, TensorKeys> & {
  readonly [K in keyof Options & TensorKeys]: Tensor | null;
};

/** The class of losses that compute `compute`; see `layerOf`. */
function lossOf<
  S extends z.ZodObject,
  Inputs extends readonly unknown[] = [input: Tensor, target: Tensor],
>(
  schema: S,
  compute: Compute<WithTensors<z.output<S>>, Inputs>,
): LayerClass<Inputs, TensorOptions<z.input<S>>, WithTensors<z.output<S>>> {
  class Loss extends FunctionLayer<WithTensors<z.output<S>>, Inputs> {
    static readonly schema = schema;

    constructor(given: object = {}) {
      super(readOptions(new.target.name, schema, given) as never, compute, () => '');
    }
  }
  return Loss as never;
}

/** The options with their defaults, tensors and lists of weights as buffers. */
function readOptions(name: string, schema: z.ZodObject, given: object): object {
  const entries = Object.entries(given);
  const plain = entries.filter(([, value]) => !(value instanceof Tensor));
  const tensors = entries.filter(([, value]) => value instanceof Tensor);
  const parsed = parseOptions(name, schema as z.ZodType<object>, Object.fromEntries(plain));
  const all = Object.entries({ ...parsed, ...Object.fromEntries(tensors) });
  return Object.fromEntries(all.map(([key, value]) => [key, asBuffer(key, value)]));
}

function asBuffer(key: string, value: unknown): unknown {
  if (value instanceof Tensor) return new Buffer(value);
  return (key === 'weight' || key === 'pos_weight') && value !== null
    ? new Buffer(tensor(value as number[]))
    : value;
}

// ---- classes -----------------------------------------------------------------------------------

const nllOptions = {
  /** One weight per class. */
  weight,
  ignore_index: z.int().default(-100),
  ...common,
};

/**
 * Cross entropy between logits (N, C, ...) and int64 class indices (N, ...), or probabilities.
 * https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html
 */
export class CrossEntropyLoss extends lossOf(
  strict({ ...nllOptions, label_smoothing: schemas.probability.default(0) }),
  (options, x, y) => crossEntropy(x, y, options),
) {}

/**
 * Negative log likelihood of log-probabilities (N, C, ...) at int64 class indices (N, ...).
 * https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
 */
export class NLLLoss extends lossOf(strict(nllOptions), (options, x, y) =>
  nllLoss(x, y, options),
) {}

/** The older name of `NLLLoss`, which takes inputs of any number of dimensions. */
export class NLLLoss2d extends NLLLoss {}

const linearOptions = strict({
  in_features: schemas.size,
  num_classes: schemas.size,
  out_features: z.array(schemas.size).default([]),
  bias: flag,
  reduction,
  weight,
  ignore_index: z.int().nullable().default(null),
  label_smoothing: schemas.probability.default(0),
});
type LinearOptions = TensorOptions<z.input<typeof linearOptions>> & {
  /** How PyTorch cuts the product into pieces; no effect here. */
  readonly options?: object | null;
};

/**
 * A linear layer to `num_classes` scores, and their cross entropy.
 * https://pytorch.org/docs/stable/generated/torch.nn.LinearCrossEntropyLoss.html
 */
export class LinearCrossEntropyLoss extends Module {
  static readonly schema = linearOptions;
  readonly weight: Buffer | null;
  readonly linear: Linear;
  readonly #shape: readonly number[];
  readonly #options: z.output<typeof linearOptions>;

  constructor({ options: _, ...given }: LinearOptions) {
    super();
    const read = readOptions('LinearCrossEntropyLoss', linearOptions, given);
    const options = read as z.output<typeof linearOptions> & { weight: Buffer | null };
    const { in_features, num_classes, out_features, bias } = options;
    this.#options = options;
    this.weight = options.weight;
    this.#shape = [num_classes, ...out_features];
    this.linear = new Linear({ in_features, out_features: numel(this.#shape), bias });
  }

  forward(input: Tensor, target: Tensor): Tensor {
    const { weight: matrix, bias } = this.linear;
    const { reduction, ignore_index, label_smoothing } = this.#options;
    return linearCrossEntropy(input, reshape(matrix, [...this.#shape, matrix.shape[1]!]), target, {
      linear_bias: bias && reshape(bias, this.#shape),
      weight: this.weight,
      reduction,
      ignore_index,
      label_smoothing,
    });
  }

  override extraRepr(): string {
    const { in_features, num_classes, out_features, bias } = this.#options;
    return argumentsText({ in_features, num_classes, out_features, bias });
  }
}

/**
 * Of probabilities and targets of one shape.
 * https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html
 */
export class BCELoss extends lossOf(strict({ weight, ...common }), (options, x, y) =>
  binaryCrossEntropy(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html */
export class BCEWithLogitsLoss extends lossOf(
  strict({ weight, ...common, pos_weight: weight }),
  (options, x, y) => binaryCrossEntropyWithLogits(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html */
export class CTCLoss extends lossOf(
  strict({ blank: z.int().min(0).default(0), reduction, zero_infinity: flag }),
  (options, log_probs: Tensor, targets: Tensor, input_lengths: Lengths, target_lengths: Lengths) =>
    ctcLoss(log_probs, targets, input_lengths, target_lengths, options),
) {}

// ---- numbers -----------------------------------------------------------------------------------

const plain = strict(common);

/** https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html */
export class MSELoss extends lossOf(plain, (options, x, y) => regression.mseLoss(x, y, options)) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html */
export class L1Loss extends lossOf(plain, (options, x, y) => regression.l1Loss(x, y, options)) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html */
export class SmoothL1Loss extends lossOf(strict({ ...common, beta: number(1) }), (options, x, y) =>
  regression.smoothL1Loss(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html */
export class HuberLoss extends lossOf(strict({ reduction, delta: number(1) }), (options, x, y) =>
  regression.huberLoss(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html */
export class KLDivLoss extends lossOf(
  strict({
    ...common,
    reduction: z.enum(['mean', 'sum', 'none', 'batchmean']).default('mean'),
    log_target: flag,
  }),
  (options, x, y) => regression.klDiv(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html */
export class PoissonNLLLoss extends lossOf(
  strict({ log_input: z.boolean().default(true), full: flag, eps: number(1e-8), ...common }),
  (options, x, y) => regression.poissonNllLoss(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html */
export class GaussianNLLLoss extends lossOf(
  strict({ full: flag, eps: number(1e-6), reduction }),
  (options, input: Tensor, target: Tensor, variance: Tensor | number) =>
    regression.gaussianNllLoss(input, target, variance, options),
) {}

// ---- margins -----------------------------------------------------------------------------------

const marginOptions = strict({ margin: number(0), ...common });

/** https://pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html */
export class MarginRankingLoss extends lossOf(
  marginOptions,
  (options, input1: Tensor, input2: Tensor, target: Tensor) =>
    margins.marginRankingLoss(input1, input2, target, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html */
export class CosineEmbeddingLoss extends lossOf(
  marginOptions,
  (options, input1: Tensor, input2: Tensor, target: Tensor) =>
    margins.cosineEmbeddingLoss(input1, input2, target, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html */
export class HingeEmbeddingLoss extends lossOf(
  strict({ margin: number(1), ...common }),
  (options, x, y) => margins.hingeEmbeddingLoss(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html */
export class MultiLabelMarginLoss extends lossOf(plain, (options, x, y) =>
  classMargins.multilabelMarginLoss(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html */
export class MultiLabelSoftMarginLoss extends lossOf(
  strict({ weight, ...common }),
  (options, x, y) => classMargins.multilabelSoftMarginLoss(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html */
export class SoftMarginLoss extends lossOf(plain, (options, x, y) =>
  margins.softMarginLoss(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html */
export class MultiMarginLoss extends lossOf(
  strict({ p: z.literal([1, 2]).default(1), margin: number(1), weight, ...common }),
  (options, x, y) => classMargins.multiMarginLoss(x, y, options),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html */
export class TripletMarginLoss extends lossOf(
  strict({ margin: number(1), p: number(2), eps: number(1e-6), swap: flag, ...common }),
  (options, anchor: Tensor, positive: Tensor, negative: Tensor) =>
    margins.tripletMarginLoss(anchor, positive, negative, options),
) {}

const distanceOptions = strict({ margin: number(1), swap: flag, reduction });
type DistanceOptions = z.input<typeof distanceOptions> & {
  readonly distance_function?: margins.DistanceFunction | null;
};

/**
 * In a config the distance is always `pairwiseDistance`; in code it may be any function.
 * https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html
 */
export class TripletMarginWithDistanceLoss extends Module<
  [anchor: Tensor, positive: Tensor, negative: Tensor]
> {
  static readonly schema = distanceOptions;
  readonly #options: DistanceOptions;

  constructor(given: DistanceOptions = {}) {
    super();
    this.#options = given;
  }

  forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return margins.tripletMarginWithDistanceLoss(anchor, positive, negative, this.#options);
  }
}

registerLayers<Module, void>(losses, {
  ...{ BCELoss, BCEWithLogitsLoss, CTCLoss, CosineEmbeddingLoss, CrossEntropyLoss },
  ...{ GaussianNLLLoss, HingeEmbeddingLoss, HuberLoss, KLDivLoss, L1Loss, LinearCrossEntropyLoss },
  ...{ MSELoss, MarginRankingLoss, MultiLabelMarginLoss, MultiLabelSoftMarginLoss },
  ...{
    MultiMarginLoss,
    NLLLoss,
    NLLLoss2d,
    PoissonNLLLoss,
    SmoothL1Loss,
    SoftMarginLoss,
    TripletMarginLoss,
  },
  ...{ TripletMarginWithDistanceLoss },
});
