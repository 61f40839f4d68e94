/**
 * The names that may stand after `type:` for modules and losses, and how a spec becomes a module.
 */

import { z } from 'zod';
import { adoptClass } from '../base/adopt.ts';
import { BuildError, buildError } from '../base/build-error.ts';
import { ArgumentError } from '../base/errors.ts';
import { Registry, type Spec } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { Trace, tracing } from '../core/trace.ts';
import { placed } from './argument-names.ts';
import { modelOptions } from './model-options.ts';
import { type AnyModule, Module, tensorOutputs } from './module.ts';

/** What is known while a module is built from a spec. */
export interface BuildContext {
  /** The input the module will get: a symbolic tensor, from which left-out sizes are inferred. */
  readonly input?: Tensor;
  /** What it will get beside that. */
  readonly more?: readonly Tensor[];
  /** Which of its arguments these are, where they are named. */
  readonly as?: readonly string[] | undefined;
  /** Is it a node of a Graph, which is named by its key and says what it takes? */
  readonly isNode?: boolean;
  /** Told of every module built, innermost first, with its path in the spec. */
  readonly observe?: (report: LayerReport) => void;
  /** Where this spec stands in the whole one. */
  readonly path?: readonly (string | number)[];
}

export interface LayerReport {
  readonly path: readonly (string | number)[];
  readonly type: string;
  readonly module: AnyModule;
  readonly inputs: readonly Tensor[];
  /** The first is what is passed on. */
  readonly outputs: readonly Tensor[];
}

const PAGES = 'https://pytorch.org/docs/stable/generated/torch.nn.*.html';

/** A name that the keys of a state dict can hold. */
export const word = () =>
  z.string().regex(/^[A-Za-z_]\w*$/, 'expected a word of letters, digits and underscores');

/**
 * Modules by type. `name` is the layer's name in its container, and so in the state_dict keys. A
 * user's class gets its arguments and, as a second argument, the context's `input`.
 */
export const modules = new Registry<AnyModule, BuildContext>(
  'module',
  {
    name: word()
      .optional()
      .describe("The layer's name in its container, and so in the keys of the state dict."),
    from: z
      .union([z.string(), z.array(z.string()).min(1), z.record(z.string(), z.string())])
      .optional()
      .describe(
        'In a Graph: the nodes and inputs it takes, in order, or by the names of its arguments. ' +
          'Default: the node written above.',
      ),
    ...modelOptions,
  },
  PAGES,
);

modules.adopt(
  adoptClass<AnyModule, BuildContext>(
    Module,
    'nn.Module',
    (type, options, { input }) => new type(options, { input }),
  ),
);

export const losses = new Registry<Module>('loss', {}, PAGES);

losses.adopt(adoptClass(Module, 'nn.Module', (type, options) => new type(options)));

/**
 * Builds a module from the object a config would hold: `{ type: 'Linear', in_features: 2, ... }`.
 * The caller knows the type of a module that takes or gives more than tensors.
 * With `context.input`, left-out input sizes are inferred and all shapes are checked.
 * @throws BuildError with the path of the part at fault.
 */
export function build<M extends AnyModule = Module>(spec: unknown, context: BuildContext = {}): M {
  const path = context.path ?? [];
  checkCommonKeys(spec, path, context.isNode ?? false);
  try {
    const module = modules.build(spec, { ...context, path }) as M;
    const { input, more = [], as, observe } = context;
    // Without an observer the outermost module checks those inside it.
    if (input !== undefined && (observe !== undefined || path.length === 0)) {
      const inputs = [input, ...more];
      const outputs = forwardOnce(module, inputs, as);
      const { type } = (typeof spec === 'string' ? { type: spec } : spec) as Spec;
      observe?.({ path, type, module, inputs, outputs });
    }
    return module;
  } catch (error) {
    throw buildError(error, path);
  }
}

/** `from`, `name` and what is said of whole models, where they would have no effect. */
function checkCommonKeys(spec: unknown, path: readonly (string | number)[], isNode: boolean): void {
  if (typeof spec !== 'object' || spec === null) return;
  const { from, name } = spec as Spec;
  if (!isNode && from !== undefined) {
    throw new BuildError('only a node of a Graph says what it takes', [...path, 'from']);
  }
  if (isNode && name !== undefined) {
    throw new BuildError('a node of a Graph has its key as name', [...path, 'name']);
  }
  const misplaced = Object.keys(modelOptions).find((key) => key in spec);
  if (misplaced !== undefined) {
    const message = `only the model of a config, as a whole, has ${misplaced}`;
    throw new BuildError(message, [...path, misplaced]);
  }
}

/**
 * The outputs for symbolic inputs, the main one first: nothing is computed, no state or random
 * number is used up.
 * @param as the arguments that the inputs are, where they are named.
 */
export function forwardOnce(
  module: AnyModule,
  inputs: readonly Tensor[],
  as?: readonly string[],
): Tensor[] {
  const trace = new Trace('build');
  try {
    return tracing(trace, () => tensorOutputs(module.forward(...placed(module, inputs, as))));
  } finally {
    trace.undo();
  }
}

/**
 * The main output for symbolic inputs, which the part at `path` gives to the next one.
 * @throws BuildError that names this part for what does not fit.
 */
export function passOn(
  module: AnyModule,
  inputs: readonly Tensor[],
  path: readonly (string | number)[],
  as?: readonly string[],
): Tensor {
  try {
    return forwardOnce(module, inputs, as)[0]!;
  } catch (error) {
    throw buildError(error, path);
  }
}

/** A loss from the object a config would hold. */
export function buildLoss(spec: unknown): Module {
  return losses.build(spec, undefined);
}

/** An input size that was given, or else is `found` in the symbolic input. */
export function inferredSize(
  type: string,
  key: string,
  given: number | undefined,
  found: number | undefined,
): number {
  const size = given ?? found;
  if (size === undefined) {
    throw new ArgumentError(`[${type}] ${key} is missing, and the size of the input is not known`);
  }
  return size;
}

/** One whole number of at least `least`, or one for each of `dims` dimensions. */
function sizes(dims: number, least: 0 | 1 = 1) {
  const size = z.int().min(least);
  return z.union([size, z.array(size).length(dims)]);
}

/** Schema pieces that several modules share. */
export const schemas = {
  sizes,
  size: z.int().min(1),
  pair: z.union([z.int().min(1), z.tuple([z.int().min(1), z.int().min(1)])]),
  pairOrZero: z.union([z.int().min(0), z.tuple([z.int().min(0), z.int().min(0)])]),
  probability: z.number().min(0).max(1),
} as const;
