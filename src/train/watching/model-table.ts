/** The layers of a config's model as people look at them. */

import type { Spec } from '../../base/registry.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { checkModel } from '../../config/model-check.ts';
import type { LayerDescription } from '../../nn/index.ts';

/** @throws ConfigError that points at the layer whose shapes do not fit. */
export function modelTable(loaded: LoadedConfig) {
  const { layers, input_shape } = checkModel(loaded);
  const whole = layers.at(-1)!;
  return {
    layers: layers.map((layer) => ({ ...layer, path: stateKey(loaded.config.model, layer.path) })),
    input_shape,
    parameters: whole.parameters,
    flops: whole.flops,
  };
}

/** The layer's key in the model's state dict: names where given, else indices. */
function stateKey(model: Spec, path: LayerDescription['path']): string {
  const keys: (string | number)[] = [];
  let spec: unknown = model;
  for (let i = 0; i < path.length; i++) {
    const part = path[i]!;
    spec = (spec as Record<string | number, unknown>)[part];
    // The name of a list or a map of parts is not in their keys.
    const child = CONTAINERS.includes(part) ? path[++i] : undefined;
    if (child === undefined) keys.push(part);
    else {
      spec = (spec as Record<string | number, unknown>)[child];
      keys.push((spec as { name?: string }).name ?? child);
    }
  }
  return keys.join('.');
}

const CONTAINERS: readonly (string | number)[] = ['layers', 'nodes'];
