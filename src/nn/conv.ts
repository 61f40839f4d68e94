/** Convolution layers. */

import { z } from 'zod';
import { ArgumentError, opError } from '../base/errors.ts';
import { parseOptions, strict } from '../base/registry.ts';
import type { Shape } from '../base/shape.ts';
import type { Tensor } from '../core/tensor.ts';
import { type ConvPadding, conv1d, conv2d, conv3d, convPadding } from '../ops/conv.ts';
import { convTranspose1d, convTranspose2d, convTranspose3d } from '../ops/conv-transpose.ts';
import { zeros } from '../ops/creation.ts';
import { pad } from '../ops/padding.ts';
import { type Sizes, windowSizes } from '../ops/window.ts';
import { resetLinearLike } from './init.ts';
import { Module, Parameter } from './module.ts';
import { tupleText } from './module-text.ts';
import { inferredSize, modules, schemas } from './registry.ts';

const common = (dims: number) => ({
  /** May be left out where the input is known. */
  in_channels: schemas.size.optional(),
  out_channels: schemas.size,
  kernel_size: schemas.sizes(dims),
  stride: schemas.sizes(dims).default(1),
  dilation: schemas.sizes(dims).default(1),
  groups: schemas.size.default(1),
  bias: z.boolean().default(true),
});

const convOptions = (dims: number) =>
  strict({
    ...common(dims),
    padding: z.union([schemas.sizes(dims, 0), z.enum(['valid', 'same'])]).default(0),
    padding_mode: z.enum(['zeros', 'reflect', 'replicate', 'circular']).default('zeros'),
  });

const transposedOptions = (dims: number) =>
  strict({
    ...common(dims),
    padding: schemas.sizes(dims, 0).default(0),
    output_padding: schemas.sizes(dims, 0).default(0),
    padding_mode: z.enum(['zeros']).default('zeros'),
  });

type ConvSchema = ReturnType<typeof convOptions>;
type TransposedSchema = ReturnType<typeof transposedOptions>;
export type ConvOptions = z.input<ConvSchema> & { in_channels: number };
export type ConvTransposeOptions = z.input<TransposedSchema> & { in_channels: number };

/** What all of them have in common. */
abstract class AnyConv<Inputs extends readonly unknown[]> extends Module<Inputs> {
  readonly in_channels: number;
  readonly out_channels: number;
  readonly kernel_size: readonly number[];
  readonly stride: readonly number[];
  readonly padding: ConvPadding;
  readonly output_padding: readonly number[] = [];
  readonly padding_mode: z.output<ConvSchema>['padding_mode'] = 'zeros';
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly weight: Parameter;
  readonly bias: Parameter | null;

  constructor(
    name: string,
    dims: number,
    transposed: boolean,
    given: z.output<ConvSchema | TransposedSchema>,
  ) {
    super();
    const sizes = (key: 'kernel_size' | 'stride' | 'dilation') =>
      windowSizes(name, key, given[key], dims, 1);
    this.in_channels = inferredSize(name, 'in_channels', given.in_channels, undefined);
    this.out_channels = given.out_channels;
    this.kernel_size = sizes('kernel_size');
    this.stride = sizes('stride');
    this.dilation = sizes('dilation');
    const { padding } = given;
    this.padding =
      typeof padding === 'string' ? padding : windowSizes(name, 'padding', padding, dims, 0);
    this.groups = given.groups;
    const channels = [this.out_channels, this.in_channels] as const;
    if (channels.some((count) => count % this.groups !== 0)) {
      throw opError(
        ArgumentError,
        name,
        `in_channels ${channels[1]} and out_channels ${channels[0]} must be divisible by groups ${this.groups}`,
      );
    }
    const [first, second] = transposed ? [channels[1], channels[0]] : channels;
    this.weight = new Parameter(zeros([first, second / this.groups, ...this.kernel_size]));
    this.bias = given.bias ? new Parameter(zeros([this.out_channels])) : null;
    this.resetParameters();
  }

  /** Draws new initial values. */
  resetParameters(): void {
    resetLinearLike(this.weight, this.bias);
  }

  override extraRepr(): string {
    const { kernel_size, stride, padding, dilation, groups } = this;
    const tuple = (sizes: ConvPadding) => (typeof sizes === 'object' ? tupleText(sizes) : sizes);
    const all = (sizes: ConvPadding, n: number) =>
      typeof sizes === 'object' && sizes.every((size) => size === n);
    const sizes = `kernel_size=${tuple(kernel_size)}, stride=${tuple(stride)}`;
    return [
      `${this.in_channels}, ${this.out_channels}, ${sizes}`,
      ...(all(padding, 0) ? [] : [`padding=${tuple(padding)}`]),
      ...(all(dilation, 1) ? [] : [`dilation=${tuple(dilation)}`]),
      ...(all(this.output_padding, 0) ? [] : [`output_padding=${tuple(this.output_padding)}`]),
      ...(groups === 1 ? [] : [`groups=${groups}`]),
      ...(this.bias === null ? ['bias=False'] : []),
      ...(this.padding_mode === 'zeros' ? [] : [`padding_mode=${this.padding_mode}`]),
    ].join(', ');
  }
}

// ---- convolutions ------------------------------------------------------------------------------

type Convolve = (
  ...given: [Tensor, Tensor, Tensor | null, Sizes, ConvPadding, Sizes, number]
) => Tensor;

abstract class Conv extends AnyConv<[input: Tensor]> {
  override readonly padding_mode: z.output<ConvSchema>['padding_mode'];
  readonly #convolve: Convolve;

  constructor(name: string, dims: number, convolve: Convolve, given: z.output<ConvSchema>) {
    super(name, dims, false, given);
    this.padding_mode = given.padding_mode;
    this.#convolve = convolve;
  }

  forward(input: Tensor): Tensor {
    const { weight, bias, stride, padding, dilation, groups, padding_mode } = this;
    if (padding_mode === 'zeros') {
      return this.#convolve(input, weight, bias, stride, padding, dilation, groups);
    }
    const name = this.constructor.name;
    const { before, after } = convPadding(name, padding, this.kernel_size, { stride, dilation });
    const sides = before.flatMap((size, i) => [after[i]!, size]).reverse();
    const padded = pad(input, sides, padding_mode);
    return this.#convolve(padded, weight, bias, stride, 0, dilation, groups);
  }
}

const CONV = { 1: convOptions(1), 2: convOptions(2), 3: convOptions(3) } as const;

/**
 * (N, in_channels, L) -> (N, out_channels, L').
 * https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
 */
export class Conv1d extends Conv {
  constructor(given: ConvOptions) {
    super('Conv1d', 1, conv1d, parseOptions('Conv1d', CONV[1], given));
  }
}

/**
 * (N, in_channels, H, W) -> (N, out_channels, H', W').
 * https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
 */
export class Conv2d extends Conv {
  constructor(given: ConvOptions) {
    super('Conv2d', 2, conv2d, parseOptions('Conv2d', CONV[2], given));
  }
}

/**
 * (N, in_channels, D, H, W) -> (N, out_channels, D', H', W').
 * https://pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
 */
export class Conv3d extends Conv {
  constructor(given: ConvOptions) {
    super('Conv3d', 3, conv3d, parseOptions('Conv3d', CONV[3], given));
  }
}

// ---- transposed --------------------------------------------------------------------------------

type Transpose = (
  ...given: [Tensor, Tensor, Tensor | null, Sizes, Sizes, Sizes, number, Sizes]
) => Tensor;

/** The sizes wanted of the output: its last dimensions, or all of them. */
export type OutputSize = Shape | { readonly output_size?: Shape | null } | null;

abstract class ConvTranspose extends AnyConv<[input: Tensor, output_size?: OutputSize]> {
  declare readonly padding: readonly number[];
  override readonly output_padding: readonly number[];
  readonly #transpose: Transpose;

  constructor(name: string, dims: number, transpose: Transpose, given: z.output<TransposedSchema>) {
    super(name, dims, true, given);
    this.output_padding = windowSizes(name, 'output_padding', given.output_padding, dims, 0);
    this.#transpose = transpose;
  }

  /**
   * @throws ArgumentError for an `output_size` that no `output_padding` gives.
   */
  forward(input: Tensor, output_size: OutputSize = null): Tensor {
    const { weight, bias, stride, padding, groups, dilation } = this;
    const given = [stride, padding, this.#paddingFor(input, output_size)] as const;
    return this.#transpose(input, weight, bias, ...given, groups, dilation);
  }

  #paddingFor(input: Tensor, wanted: OutputSize): readonly number[] {
    const output_size = wanted !== null && 'output_size' in wanted ? wanted.output_size : wanted;
    if (!Array.isArray(output_size)) return this.output_padding;
    const dims = this.stride.length;
    const least = this.stride.map((step, i) => {
      const size = input.shape.at(i - dims) ?? 0;
      return (
        (size - 1) * step -
        2 * this.padding[i]! +
        this.dilation[i]! * (this.kernel_size[i]! - 1) +
        1
      );
    });
    const sizes: readonly number[] = output_size.slice(-dims);
    const more = sizes.map((size, i) => size - least[i]!);
    const known = [dims, input.ndim].includes(output_size.length);
    if (!known || more.some((n, i) => n < 0 || n >= this.stride[i]!)) {
      const most = least.map((size, i) => size + this.stride[i]! - 1);
      throw opError(
        ArgumentError,
        this.constructor.name,
        `output_size (${output_size}) must be between (${least}) and (${most})`,
      );
    }
    return more;
  }
}

const TRANSPOSED = {
  1: transposedOptions(1),
  2: transposedOptions(2),
  3: transposedOptions(3),
} as const;

/**
 * (N, in_channels, L) -> (N, out_channels, L').
 * https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
 */
export class ConvTranspose1d extends ConvTranspose {
  constructor(given: ConvTransposeOptions) {
    const options = parseOptions('ConvTranspose1d', TRANSPOSED[1], given);
    super('ConvTranspose1d', 1, convTranspose1d, options);
  }
}

/**
 * (N, in_channels, H, W) -> (N, out_channels, H', W').
 * https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
 */
export class ConvTranspose2d extends ConvTranspose {
  constructor(given: ConvTransposeOptions) {
    const options = parseOptions('ConvTranspose2d', TRANSPOSED[2], given);
    super('ConvTranspose2d', 2, convTranspose2d, options);
  }
}

/**
 * (N, in_channels, D, H, W) -> (N, out_channels, D', H', W').
 * https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html
 */
export class ConvTranspose3d extends ConvTranspose {
  constructor(given: ConvTransposeOptions) {
    const options = parseOptions('ConvTranspose3d', TRANSPOSED[3], given);
    super('ConvTranspose3d', 3, convTranspose3d, options);
  }
}

// ---- names -------------------------------------------------------------------------------------

type AnyOptions = ConvOptions & ConvTransposeOptions;

for (const [type, schema, dims] of [
  ...([Conv1d, Conv2d, Conv3d] as const).map(
    (type, i) => [type, CONV[(i + 1) as 1 | 2 | 3], i + 1] as const,
  ),
  ...([ConvTranspose1d, ConvTranspose2d, ConvTranspose3d] as const).map(
    (type, i) => [type, TRANSPOSED[(i + 1) as 1 | 2 | 3], i + 1] as const,
  ),
]) {
  modules.register(type.name, {
    schema,
    create: (given: AnyOptions, { input }) => {
      const found = input?.shape.at(-1 - dims);
      const in_channels = inferredSize(type.name, 'in_channels', given.in_channels, found);
      return new type({ ...given, in_channels });
    },
  });
}
