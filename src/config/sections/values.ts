/** Kinds of values that several sections of a config have. */

import { z } from 'zod';
import type { Spec } from '../../base/registry.ts';

/** What a registry offers to the schema. */
export interface SpecSource {
  spec(): z.ZodType<Spec>;
}

export const count = () => z.int().positive();

/** What a JSON Schema says of an object that needs one of `keys`: zod cannot tell a refinement. */
export const anyOfKeys = (...keys: string[]) => ({
  anyOf: keys.map((key) => ({ required: [key] })),
});
