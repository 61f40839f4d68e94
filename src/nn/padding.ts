/** Padding layers: `pad` with fixed arguments. */

import { z } from 'zod';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { pad } from '../ops/padding.ts';
import { layerOf, registerLayers } from './layer-of.ts';
import { modules } from './registry.ts';

/** One number for all sides, or (before, after) pairs from the last dimension backwards. */
const padding = (dims: number) => z.union([z.int(), z.array(z.int()).length(2 * dims)]);

const sides = (given: number | readonly number[], dims: number) =>
  typeof given === 'number' ? new Array<number>(2 * dims).fill(given) : given;

const zeroLayer = (dims: number) =>
  layerOf(strict({ padding: padding(dims) }), (options, x: Tensor) =>
    pad(x, sides(options.padding, dims)),
  );

const constantLayer = (dims: number) =>
  layerOf(strict({ padding: padding(dims), value: z.number() }), (options, x: Tensor) =>
    pad(x, sides(options.padding, dims), 'constant', options.value),
  );

const continuedLayer = (dims: number, mode: 'reflect' | 'replicate' | 'circular') =>
  layerOf(strict({ padding: padding(dims) }), (options, x: Tensor) =>
    pad(x, sides(options.padding, dims), mode),
  );

/** https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html */
export class ZeroPad1d extends zeroLayer(1) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html */
export class ZeroPad2d extends zeroLayer(2) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad3d.html */
export class ZeroPad3d extends zeroLayer(3) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html */
export class ConstantPad1d extends constantLayer(1) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html */
export class ConstantPad2d extends constantLayer(2) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad3d.html */
export class ConstantPad3d extends constantLayer(3) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html */
export class ReflectionPad1d extends continuedLayer(1, 'reflect') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html */
export class ReflectionPad2d extends continuedLayer(2, 'reflect') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad3d.html */
export class ReflectionPad3d extends continuedLayer(3, 'reflect') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html */
export class ReplicationPad1d extends continuedLayer(1, 'replicate') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html */
export class ReplicationPad2d extends continuedLayer(2, 'replicate') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad3d.html */
export class ReplicationPad3d extends continuedLayer(3, 'replicate') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html */
export class CircularPad1d extends continuedLayer(1, 'circular') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html */
export class CircularPad2d extends continuedLayer(2, 'circular') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.CircularPad3d.html */
export class CircularPad3d extends continuedLayer(3, 'circular') {}

registerLayers(modules, {
  ...{ CircularPad1d, CircularPad2d, CircularPad3d },
  ...{ ConstantPad1d, ConstantPad2d, ConstantPad3d },
  ...{ ReflectionPad1d, ReflectionPad2d, ReflectionPad3d },
  ...{ ReplicationPad1d, ReplicationPad2d, ReplicationPad3d },
  ...{ ZeroPad1d, ZeroPad2d, ZeroPad3d },
});
