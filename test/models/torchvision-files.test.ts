/** Files of weights from torchvision and back: torchvision_files.py, which makes them and says how. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cpuEngine } from '../../src/engine/native/cpu.ts';
import { load, nn, noGrad, save, type Tensor, withEngine } from '../../src/index.ts';

const FOLDER = process.env.TORCHTS_TORCHVISION_FILES;

const OPTIONS: Readonly<Record<string, object>> = {
  googlenet: { dropout: 0, dropout_aux: 0 },
  inception_v3: { dropout: 0 },
};

const NAMES = [
  ...['convnext_tiny', 'densenet121', 'efficientnet_b0', 'googlenet', 'inception_v3'],
  ...['mobilenet_v3_small', 'regnet_y_400mf', 'resnet18', 'shufflenet_v2_x1_0', 'squeezenet1_1'],
  ...['swin_t', 'swin_v2_t', 'vgg11_bn', 'vit_b_32'],
];

/** The largest difference, and the largest value. */
function compared(found: Tensor, expected: Tensor): [difference: number, largest: number] {
  expect(found.shape).toEqual(expected.shape);
  return [found.sub(expected).abs().amax().item(), expected.abs().amax().item()];
}

it.skipIf(FOLDER === undefined).each(NAMES)('%s', { timeout: 600_000 }, (name) =>
  withEngine(cpuEngine(), async () => {
    const file = (ending: string) => join(FOLDER!, `${name}.${ending}`);
    const model = nn.build<nn.AnyModule>({ type: name, ...OPTIONS[name] });
    const match = nn.loadMatching(model, await load(file('pth')));
    expect(nn.misfits(match)).toEqual([]);
    await save(model.stateDict(), file('saved.pt'));
    expect(existsSync(file('saved.pt'))).toBe(true);
    const record = await load(file('safetensors'));
    const images = record.get('images')!;
    const outputs = (training: boolean) =>
      noGrad(() => nn.tensorOutputs(model.train(training).call(images)));
    const pairs: [string, Tensor][] = [['logits', outputs(false)[0]!]];
    if (record.has('training.0')) {
      for (const [i, output] of outputs(true).entries()) pairs.push([`training.${i}`, output]);
    }
    expect(pairs).toHaveLength(record.size - 1);
    for (const [key, output] of pairs) {
      const [difference, largest] = compared(output, record.get(key)!);
      const text = `${difference.toExponential(1)}, the largest is ${largest.toFixed(2)}`;
      process.stdout.write(`${name} ${key}: differ by ${text}\n`);
      expect(largest).toBeGreaterThan(0);
      expect(difference).toBeLessThanOrEqual(1e-4 * largest);
    }
  }),
);
