/** Files of weights under the older keys that torchvision publishes: test/fixtures/models/old_keys.py. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { load, models, nn, type Tensor, tensor, withEngine } from '../../src/index.ts';
import { expectValues, hashed32 } from './recorded.ts';
import { SMALL } from './small-designs.ts';

interface Recording {
  /** How many keys are old ones. */
  readonly keys: number;
  readonly side: number;
  readonly logits: readonly number[];
}

const FOLDER = fileURLToPath(new URL('../fixtures/models/', import.meta.url));
const recorded = Object.entries(
  JSON.parse(readFileSync(join(FOLDER, 'old-keys.json'), 'utf8')) as Record<string, Recording>,
);

const MAKE: Readonly<Record<string, () => nn.Module>> = {
  DenseNet: () => {
    const design = { growth_rate: 4, blocks: [2, 1], num_init_features: 4 };
    return new models.DenseNet(design, { num_classes: 2 });
  },
  VisionTransformer: SMALL.VisionTransformer!.make,
};

/** The head, and a key of which the file has another name. */
const HEADS: Readonly<Record<string, [head: string, key: string, old: string]>> = {
  DenseNet: [
    'classifier',
    'features.denseblock1.denselayer2.conv1.weight',
    'features.denseblock1.denselayer2.conv.1.weight',
  ],
  VisionTransformer: [
    'heads.head',
    'encoder.layers.encoder_layer_1.mlp.3.weight',
    'encoder.layers.encoder_layer_1.mlp.linear_2.weight',
  ],
};

const under = (prefix: string, state: ReadonlyMap<string, Tensor>) =>
  new Map([...state].map(([key, value]) => [`${prefix}${key}`, value]));

describe.each(recorded)('a file of %s under older keys', (name, { keys, side, logits }) => {
  const [head, key, old] = HEADS[name]!;
  const file = join(FOLDER, `old-${name}.pth`);
  const expectLogits = (model: nn.Module) => {
    const image = tensor(hashed32(3 * side * side, 999), { shape: [1, 3, side, side] });
    expectValues(model.eval().call(image), logits);
  };

  it.each(['', 'module.'])('gives torchvision’s logits, with "%s" before its keys', (prefix) =>
    withEngine(cpuEngine(), async () => {
      const state = under(prefix, await load(file));
      const model = MAKE[name]!();
      const match = nn.loadMatching(model, state);
      expect(nn.isWholeMatch(match)).toBe(true);
      expect(match.stripped).toBe(prefix);
      const renamed = [...match.pairs].filter(([own, from]) => prefix + own !== from);
      expect(renamed).toHaveLength(keys);
      expect(match.pairs.get(key)).toBe(prefix + old);
      expectLogits(model);
    }),
  );

  it('is taken by loadStateDict', () =>
    withEngine(cpuEngine(), async () => {
      const model = MAKE[name]!();
      model.loadStateDict(await load(file));
      expectLogits(model);
    }));

  it('fits in part, and is reported under its own names', () =>
    withEngine(cpuEngine(), async () => {
      const state = await load(file);
      state.set(old, state.get(old)!.flatten());
      state.set('extra', tensor([1]));
      const match = nn.matchState(MAKE[name]!(), under('net.', state), {
        prefix: 'net.',
        exclude: head,
      });
      expect(match.unexpected_keys).toEqual(['net.extra']);
      expect(match.excluded_keys).toContain(`net.${head}.weight`);
      expect(match.mismatched_keys.map((mismatch) => mismatch.key)).toEqual([key]);
      expect(match.missing_keys).toEqual([]);
    }));

  it('has one value too many where it has a key in both spellings', () =>
    withEngine(cpuEngine(), async () => {
      const state = await load(file);
      state.set(key, state.get(old)!.mul(0));
      const model = MAKE[name]!();
      const match = nn.loadMatching(model, state);
      expect(match.unexpected_keys).toEqual([old]);
      expect(match.pairs.get(key)).toBe(key);
      expect(model.stateDict().get(key)!.abs().sum().item()).toBe(0);
    }));
});
