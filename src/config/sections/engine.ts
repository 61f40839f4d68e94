/** `engine:`, how things are computed. */

import { z } from 'zod';
import { strict } from '../../base/registry.ts';

/** How the engine computes; never what. */
export const engine = strict({
  recompute: z
    .boolean()
    .default(false)
    .describe(
      'Computes cheap values again for backward instead of keeping them: less memory, more time.',
    ),
  winograd: z
    .boolean()
    .default(true)
    .describe(
      "Winograd's algorithm for 3 x 3 convolutions: fewer multiplications, larger rounding errors.",
    ),
});
