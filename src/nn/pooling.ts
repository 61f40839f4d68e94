/** Pooling layers: the functions of `nn.functional` with fixed arguments. */

import { z } from 'zod';
import { ArgumentError, opError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import { Tensor } from '../core/tensor.ts';
import * as average from '../ops/avg-pooling.ts';
import * as irregular from '../ops/irregular-pooling.ts';
import * as power from '../ops/lp-pooling.ts';
import * as maximum from '../ops/pooling.ts';
import { layerOf, registerLayers } from './layer-of.ts';
import { Buffer, Module } from './module.ts';
import { argumentsText, windowText } from './module-text.ts';
import { modules, schemas } from './registry.ts';

const flag = (value: boolean) => z.boolean().default(value);

/** `stride` defaults to the kernel size. */
const window = (dims: number) => ({
  kernel_size: schemas.sizes(dims),
  stride: schemas.sizes(dims).nullable().default(null),
});

// ---- maxima ------------------------------------------------------------------------------------

const maxOptions = (dims: number) =>
  strict({
    ...window(dims),
    padding: schemas.sizes(dims, 0).default(0),
    dilation: schemas.sizes(dims).default(1),
    return_indices: flag(false),
    ceil_mode: flag(false),
  });

const maxLayer = (dims: number, pool: typeof maximum.maxPool2d) =>
  layerOf(
    maxOptions(dims),
    (o, x) =>
      pool(x, o.kernel_size, o.stride, o.padding, o.dilation, o.ceil_mode, o.return_indices),
    ({ return_indices: _, ...o }) => argumentsText({ ...o, stride: o.stride ?? o.kernel_size }),
  );

/** (N, C, L) -> (N, C, L'). https://pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html */
export class MaxPool1d extends maxLayer(1, maximum.maxPool1d) {}

/**
 * (N, C, H, W) -> (N, C, H', W'). https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 */
export class MaxPool2d extends maxLayer(2, maximum.maxPool2d) {}

/**
 * (N, C, D, H, W) -> (N, C, D', H', W').
 * https://pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html
 */
export class MaxPool3d extends maxLayer(3, maximum.maxPool3d) {}

// ---- means -------------------------------------------------------------------------------------

const avgOptions = (dims: number) => ({
  ...window(dims),
  padding: schemas.sizes(dims, 0).default(0),
  ceil_mode: flag(false),
  count_include_pad: flag(true),
});
const divisor_override = z.int().nullable().default(null);

const avgLayer = (dims: number, pool: typeof average.avgPool2d) =>
  layerOf(
    strict({ ...avgOptions(dims), divisor_override }),
    (o, x) => {
      const window = [
        o.kernel_size,
        o.stride,
        o.padding,
        o.ceil_mode,
        o.count_include_pad,
      ] as const;
      return pool(x, ...window, o.divisor_override);
    },
    ({ kernel_size, stride, padding }) =>
      argumentsText({ kernel_size, stride: stride ?? kernel_size, padding }),
  );

/** (N, C, L) -> (N, C, L'). https://pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html */
export class AvgPool1d extends layerOf(
  strict(avgOptions(1)),
  (o, x) =>
    average.avgPool1d(x, o.kernel_size, o.stride, o.padding, o.ceil_mode, o.count_include_pad),
  ({ kernel_size, stride, padding }) => windowText(1, kernel_size, stride, padding),
) {}

/**
 * (N, C, H, W) -> (N, C, H', W'). https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
 */
export class AvgPool2d extends avgLayer(2, average.avgPool2d) {}

/**
 * (N, C, D, H, W) -> (N, C, D', H', W').
 * https://pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html
 */
export class AvgPool3d extends avgLayer(3, average.avgPool3d) {}

// ---- windows that cover the input --------------------------------------------------------------

/** One size, or one a dimension; null keeps the input's. */
const output_size = (dims: number) => {
  const size = z.int().min(0).nullable();
  return z.union([size, z.array(size).length(dims)]);
};
const adaptive = (dims: number) => strict({ output_size: output_size(dims) });
const adaptiveMax = (dims: number) =>
  strict({ output_size: output_size(dims), return_indices: flag(false) });

/** https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html */
export class AdaptiveAvgPool1d extends layerOf(adaptive(1), (options, x) =>
  average.adaptiveAvgPool1d(x, options.output_size),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html */
export class AdaptiveAvgPool2d extends layerOf(adaptive(2), (options, x) =>
  average.adaptiveAvgPool2d(x, options.output_size),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool3d.html */
export class AdaptiveAvgPool3d extends layerOf(adaptive(3), (options, x) =>
  average.adaptiveAvgPool3d(x, options.output_size),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html */
export class AdaptiveMaxPool1d extends layerOf(adaptiveMax(1), (options, x) =>
  irregular.adaptiveMaxPool1d(x, options.output_size, options.return_indices),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html */
export class AdaptiveMaxPool2d extends layerOf(adaptiveMax(2), (options, x) =>
  irregular.adaptiveMaxPool2d(x, options.output_size, options.return_indices),
) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool3d.html */
export class AdaptiveMaxPool3d extends layerOf(adaptiveMax(3), (options, x) =>
  irregular.adaptiveMaxPool3d(x, options.output_size, options.return_indices),
) {}

// ---- norms -------------------------------------------------------------------------------------

const lpOptions = (dims: number) =>
  strict({ norm_type: z.number(), ...window(dims), ceil_mode: flag(false) });

const lpLayer = (dims: number, pool: typeof power.lpPool2d) =>
  layerOf(lpOptions(dims), (o, x) => pool(x, o.norm_type, o.kernel_size, o.stride, o.ceil_mode));

/** https://pytorch.org/docs/stable/generated/torch.nn.LPPool1d.html */
export class LPPool1d extends lpLayer(1, power.lpPool1d) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html */
export class LPPool2d extends lpLayer(2, power.lpPool2d) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.LPPool3d.html */
export class LPPool3d extends lpLayer(3, power.lpPool3d) {}

// ---- windows at random places ------------------------------------------------------------------

const fractionalOptions = (dims: number) => {
  const ratio = z.number().gt(0).lt(1);
  return strict({
    kernel_size: schemas.sizes(dims),
    output_size: schemas.sizes(dims).nullable().default(null),
    /** Of the input's size; instead of `output_size`. */
    output_ratio: z
      .union([ratio, z.array(ratio).length(dims)])
      .nullable()
      .default(null),
    return_indices: flag(false),
    /** (N, C, dimensions): taken instead of random numbers. */
    _random_samples: z
      .custom<Tensor>((value) => value instanceof Tensor)
      .nullable()
      .default(null),
  });
};

type FractionalSchema = ReturnType<typeof fractionalOptions>;

abstract class FractionalMaxPool extends Module {
  readonly _random_samples: Buffer | null;
  readonly #options: z.output<FractionalSchema>;
  readonly #pool: typeof irregular.fractionalMaxPool2d;

  constructor(
    pool: typeof irregular.fractionalMaxPool2d,
    name: string,
    options: z.output<FractionalSchema>,
  ) {
    super();
    const { output_size, output_ratio, _random_samples } = options;
    if ((output_size === null) === (output_ratio === null)) {
      throw opError(ArgumentError, name, 'needs either output_size or output_ratio');
    }
    this._random_samples = _random_samples && new Buffer(_random_samples);
    this.#options = options;
    this.#pool = pool;
  }

  forward(input: Tensor): Tensor {
    const { kernel_size, output_size, output_ratio, return_indices } = this.#options;
    const size = [output_size, output_ratio] as const;
    return this.#pool(input, kernel_size, ...size, return_indices, this._random_samples);
  }
}

const FRACTIONAL = { 2: fractionalOptions(2), 3: fractionalOptions(3) } as const;

/** https://pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool2d.html */
export class FractionalMaxPool2d extends FractionalMaxPool {
  constructor(given: z.input<FractionalSchema>) {
    const options = parseOptions('FractionalMaxPool2d', FRACTIONAL[2], given);
    super(irregular.fractionalMaxPool2d, 'FractionalMaxPool2d', options);
  }
}

/** https://pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool3d.html */
export class FractionalMaxPool3d extends FractionalMaxPool {
  constructor(given: z.input<FractionalSchema>) {
    const options = parseOptions('FractionalMaxPool3d', FRACTIONAL[3], given);
    super(irregular.fractionalMaxPool3d, 'FractionalMaxPool3d', options);
  }
}

registerLayers(modules, {
  ...{ AdaptiveAvgPool1d, AdaptiveAvgPool2d, AdaptiveAvgPool3d },
  ...{ AdaptiveMaxPool1d, AdaptiveMaxPool2d, AdaptiveMaxPool3d },
  ...{ AvgPool1d, AvgPool2d, AvgPool3d },
  ...{ LPPool1d, LPPool2d, LPPool3d, MaxPool1d, MaxPool2d, MaxPool3d },
});
for (const [Class, schema] of [
  [FractionalMaxPool2d, FRACTIONAL[2]],
  [FractionalMaxPool3d, FRACTIONAL[3]],
] as const) {
  modules.register(Class.name, { schema, create: (given) => new Class(given) });
}
