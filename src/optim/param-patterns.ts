/** Parameter groups by patterns of names: `param_groups` beside the arguments of an optimizer. */

import { z } from 'zod';
import { BuildError } from '../base/build-error.ts';
import { chosen, idlePatterns, type Patterns } from '../base/patterns.ts';
import { strict } from '../base/registry.ts';
import type { Tensor } from '../core/tensor.ts';
import type { GivenGroup, GroupOptions } from './param-groups.ts';

const pattern = z.string().min(1);

/** The key `param_groups` of an optimizer with these options: a group may have its own of each. */
export function paramGroupsKey(options: z.ZodRawShape): z.ZodRawShape {
  const group = strict({
    params: z
      .union([pattern, z.array(pattern).min(1)])
      .describe('The parameters, by patterns of their names, such as `fc.*`.'),
    name: z
      .string()
      .regex(/^[A-Za-z_]\w*$/, 'expected a word of letters, digits and underscores')
      .optional()
      .describe('Its rate is recorded as `lr_NAME`. Default: its place in the list, from 0.'),
    ...Object.fromEntries(
      Object.entries(options).map(([key, schema]) => [key, withoutDefault(schema as z.ZodType)]),
    ),
  });
  return {
    param_groups: z
      .array(group)
      .min(1)
      .optional()
      .describe('Parameters with options of their own; all others have those of the optimizer.'),
  };
}

/** What a group does not say is the optimizer's, not the default. */
function withoutDefault(schema: z.ZodType): z.ZodType {
  const inner = schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema;
  return inner.optional();
}

/** A group as it stands in a config. */
export type PatternGroup = {
  readonly params: Patterns;
  readonly name?: string | undefined;
} & Readonly<Record<string, unknown>>;

/**
 * Puts every parameter into exactly one group: those that no pattern names come first, in a group
 * with the optimizer's options.
 *
 * @throws BuildError for a pattern that matches nothing, or a parameter of two groups.
 */
export function groupByPatterns<Options extends GroupOptions>(
  named: readonly (readonly [string, Tensor])[],
  groups: readonly PatternGroup[],
): GivenGroup<Options>[] {
  const names = named.map(([name]) => name);
  const owners = new Map<string, number>();
  for (const [index, { params }] of groups.entries()) {
    const [idle] = idlePatterns(params, names, 'parameter that is trained');
    if (idle !== undefined) throw refusal(index, idle.message);
    const own = chosen(params, names);
    if (own.size === 0) throw refusal(index, 'its patterns leave no parameter');
    for (const name of own) {
      const other = owners.get(name);
      if (other !== undefined) {
        throw refusal(index, `${name} is in group ${other} already`);
      }
      owners.set(name, index);
    }
  }
  const ofGroup = (index: number | undefined) =>
    named.filter(([name]) => owners.get(name) === index);
  const rest = ofGroup(undefined);
  const own = groups.map(({ params: _, name, ...options }, index) => ({
    ...options,
    params: ofGroup(index),
    name: name ?? String(index),
  }));
  const all = rest.length === 0 ? own : [{ params: rest }, ...own];
  return all as unknown as GivenGroup<Options>[];
}

function refusal(index: number, message: string): BuildError {
  return new BuildError(message, ['param_groups', index, 'params']);
}
