/** `MNIST split=test`: a spec given on the command line alone. */

import type { Registry, Spec } from '../base/registry.ts';
import { faultsOf } from './faults.ts';
import { parseInWords } from './messages.ts';
import { applyOverride } from './overrides.ts';
import { configError } from './place.ts';
import { type ObjectTree, toValue } from './tree.ts';
import { parseYaml } from './yaml.ts';

/**
 * The spec of `type` with arguments as overrides are given, checked as it would be in a config.
 *
 * @throws ConfigError that lists every fault, those of missing arguments too.
 */
export function specInWords<T, Context>(
  registry: Registry<T, Context>,
  type: string,
  overrides: readonly string[],
): Spec {
  const bare = parseYaml(`{ type: ${type} }`, { file: undefined, lines: [type] }) as ObjectTree;
  const tree = overrides.reduce(applyOverride, bare);
  const result = parseInWords(registry.spec(), toValue(tree));
  if (result.issues !== undefined) throw configError(faultsOf(result.issues, tree));
  return result.data;
}
