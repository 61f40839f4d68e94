/** Every layer that is of use for inference, exported and run by onnxruntime. */

import { describe, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { manualSeed, nn, withEngine } from '../../src/index.ts';
import { LAYERS } from './layers.ts';
import { verify } from './runtime.ts';

describe.each(Object.entries(LAYERS))('%s', (type, cases) => {
  it.each(cases.map((given) => [JSON.stringify(given.spec ?? {}), given] as const))(
    '%s',
    (_, { spec, shape, dtype = 'float32' }) =>
      withEngine(cpuEngine(), async () => {
        manualSeed(0);
        const module = nn.build({ type, ...spec }) as nn.Module;
        const name = `${type} ${JSON.stringify(spec ?? {})}`;
        await verify(name, { module, inputs: [{ dtype, shape }] });
      }),
  );
});
