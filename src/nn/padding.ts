/** Padding layers: `pad` with fixed arguments. */

import { z } from 'zod';
import { strict } from '../base/registry.ts';
import { pad } from '../ops/padding.ts';
import { layerOf, registerLayers } from './layer-of.ts';
import { argumentsText, tupleText } from './module-text.ts';
import { modules } from './registry.ts';

/** One number for all sides, or (before, after) pairs from the last dimension backwards. */
const padding = (dims: number) => z.union([z.int(), z.array(z.int()).length(2 * dims)]);

const sides = (given: number | readonly number[], dims: number) =>
  typeof given === 'number' ? new Array<number>(2 * dims).fill(given) : given;

const constantLayer = (dims: number) =>
  layerOf(
    strict({ padding: padding(dims), value: z.number() }),
    (options, x) => pad(x, sides(options.padding, dims), 'constant', options.value),
    (options) => argumentsText({ ...options, padding: sides(options.padding, dims) }),
  );

const padLayer = (dims: number, mode: 'constant' | 'reflect' | 'replicate' | 'circular') =>
  layerOf(
    strict({ padding: padding(dims) }),
    (options, x) => pad(x, sides(options.padding, dims), mode),
    (options) => tupleText(sides(options.padding, dims)),
  );

/** https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad1d.html */
export class ZeroPad1d extends padLayer(1, 'constant') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad2d.html */
export class ZeroPad2d extends padLayer(2, 'constant') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ZeroPad3d.html */
export class ZeroPad3d extends padLayer(3, 'constant') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html */
export class ConstantPad1d extends constantLayer(1) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad2d.html */
export class ConstantPad2d extends constantLayer(2) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad3d.html */
export class ConstantPad3d extends constantLayer(3) {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html */
export class ReflectionPad1d extends padLayer(1, 'reflect') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad2d.html */
export class ReflectionPad2d extends padLayer(2, 'reflect') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad3d.html */
export class ReflectionPad3d extends padLayer(3, 'reflect') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html */
export class ReplicationPad1d extends padLayer(1, 'replicate') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad2d.html */
export class ReplicationPad2d extends padLayer(2, 'replicate') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad3d.html */
export class ReplicationPad3d extends padLayer(3, 'replicate') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html */
export class CircularPad1d extends padLayer(1, 'circular') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.CircularPad2d.html */
export class CircularPad2d extends padLayer(2, 'circular') {}

/** https://pytorch.org/docs/stable/generated/torch.nn.CircularPad3d.html */
export class CircularPad3d extends padLayer(3, 'circular') {}

registerLayers(modules, {
  ...{ CircularPad1d, CircularPad2d, CircularPad3d },
  ...{ ConstantPad1d, ConstantPad2d, ConstantPad3d },
  ...{ ReflectionPad1d, ReflectionPad2d, ReflectionPad3d },
  ...{ ReplicationPad1d, ReplicationPad2d, ReplicationPad3d },
  ...{ ZeroPad1d, ZeroPad2d, ZeroPad3d },
});
