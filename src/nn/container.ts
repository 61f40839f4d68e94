/** Modules made of modules. */

import { z } from 'zod';
import { TorchtsError, withScope } from '../base/errors.ts';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import { type AnyModule, firstOutput, Module } from './module.ts';
import { type BuildContext, BuildError, build, forwardOnce, modules } from './registry.ts';

/**
 * Passes its input through the layers in order; of a layer with several outputs, such as LSTM, the
 * first is passed on. Layers are named `0`, `1`, ... or by the keys of a
 * map, and the state_dict keys begin with these names.
 * https://pytorch.org/docs/stable/generated/torch.nn.Sequential.html
 */
export class Sequential extends Module {
  readonly #layers: readonly [string, AnyModule][];

  constructor(layers: readonly AnyModule[] | ReadonlyMap<string, AnyModule>) {
    super();
    // A map keeps its order; an object would put whole-number names first.
    this.#layers = layers instanceof Map ? [...layers] : Object.entries(layers);
  }

  override namedChildren(): [string, AnyModule][] {
    return [...this.#layers];
  }

  forward(input: Tensor): Tensor {
    return this.#layers.reduce((value, [, layer]) => firstOutput(layer.call(value)), input);
  }
}

const options = strict({ layers: z.array(z.lazy(() => modules.spec())).min(1) });

modules.register('Sequential', { schema: options, create: buildSequential });

function buildSequential(
  { layers }: z.output<typeof options>,
  { input, observe, path = [] }: BuildContext,
): Sequential {
  const named = new Map<string, AnyModule>();
  let value = input;
  for (const [i, spec] of layers.entries()) {
    const at = [...path, 'layers', i];
    const name = typeof spec.name === 'string' ? spec.name : String(i);
    if (named.has(name)) throw new BuildError(`two layers are named "${name}"`, [...at, 'name']);
    const scope = at.join('.');
    const layer = withScope(scope, () => build(spec, { input: value, observe, path: at }));
    named.set(name, layer);
    if (value !== undefined) value = passOn(layer, value, at);
  }
  return new Sequential(named);
}

/** A layer's output for a symbolic input; what does not fit is the layer's fault. */
function passOn(layer: AnyModule, input: Tensor, at: readonly (string | number)[]): Tensor {
  try {
    return forwardOnce(layer, input);
  } catch (error) {
    if (error instanceof BuildError || !(error instanceof TorchtsError)) throw error;
    throw new BuildError(error.message, at);
  }
}
