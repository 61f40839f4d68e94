/** What is wrong with a transform is said at its own line, with its name and the sizes. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ConfigError } from '../../src/base/errors.ts';
import { loadConfig } from '../../src/config/load.ts';
import { checkModel } from '../../src/config/model-check.ts';
import { registries } from '../../src/config/registries.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'torchts-transforms-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The first line of the error of a config with these transforms, the first one in line 6. */
function fault(transforms: readonly string[], image = '[3, 32, 32]'): string {
  const file = path.join(folder, 'c.yaml');
  const text = `\
data:
  train:
    type: FakeData
    image_size: ${image}
    transforms:
${transforms.map((each) => `      - ${each}`).join('\n')}
  batch_size: 2
model: { type: Sequential, layers: [Flatten] }
loss: CrossEntropyLoss
optimizer: { type: SGD, lr: 0.1 }
trainer: { epochs: 1 }
`;
  writeFileSync(file, text);
  try {
    checkModel(loadConfig(file, { overrides: [], registries }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message.split('\n')[0]!.replace(file, 'c.yaml').replace('data.train.', '');
  }
  return 'nothing is wrong';
}

test.each([
  [
    '{ type: RandomCrop, size: 40 }',
    '.size: [RandomCrop] size 40 x 40 is larger than the image, 32 x 32',
  ],
  [
    '{ type: RandomCrop, size: 48, padding: 4 }',
    '.size: [RandomCrop] size 48 x 48 is larger than the padded image, 40 x 40; give it padding, or',
  ],
  ['{ type: CenterCrop, size: 0 }', '.size: expected a positive integer of at most 4096, got 0'],
  [
    '{ type: Resize, size: [8] }',
    '.size: expected a positive integer of at most 4096 or a list of 2',
  ],
  ['{ type: Resize, size: 16, max_size: 8 }', '.max_size: [Resize] max_size 8 needs a size of one'],
  [
    '{ type: Pad, padding: 40, padding_mode: reflect }',
    '.padding: [Pad] padding_mode reflect mirrors at most 31 rows and 31 columns of images of 32 x 32',
  ],
  ['{ type: GaussianBlur, kernel_size: 4 }', '.kernel_size: must be odd'],
  [
    '{ type: GaussianBlur, kernel_size: [3, 65] }',
    '.kernel_size: [GaussianBlur] kernel_size 3 x 65 (width x height) reaches over the reflected image',
  ],
  ['{ type: ColorJitter, hue: 0.7 }', '.hue: [ColorJitter] hue must be 0.5 at most, got 0.7'],
  ['{ type: RandomAffine, degrees: [9, 1] }', '.degrees: the first number must not be greater'],
  [
    '{ type: RandomRotation, degrees: 9, fill: [1, 2] }',
    '.fill: [RandomRotation] fill has 2 numbers, but the images have 3 channels',
  ],
  [
    '{ type: RandomRotation, degrees: 9, expand: true }',
    ': [RandomRotation] the images have sizes of their own; add CenterCrop,',
  ],
  ['{ type: RandAugment, magnitude: 31 }', '.magnitude: [RandAugment] magnitude 31 is not below'],
  [
    '{ type: RandomApply, transforms: [{ type: RandomCrop, size: 33 }] }',
    '.transforms[0].size: [RandomCrop] size 33 x 33 is larger than the image, 32 x 32',
  ],
  [
    '{ type: RandomOrder, transforms: [RandomVerticalFlip, { type: RandomCrop, size: 33 }] }',
    '.transforms[1].size: [RandomCrop] size 33 x 33 is larger',
  ],
  [
    '{ type: RandomChoice, transforms: [RandomVerticalFlip], p: [1, 2] }',
    '.p: [RandomChoice] p has 2 numbers and the sum 3; it needs a probability for each of the 1',
  ],
  [
    '{ type: RandomApply, transforms: [ToTensor] }',
    '.transforms[0]: [RandomApply] ToTensor cannot be',
  ],
  ['RandomErasing', ': [RandomErasing] must come after ToTensor or ToDtype; got'],
  ['RandomErasin', ': unknown transform "RandomErasin"; did you mean "RandomErasing"?'],
])('%s', (transform, expected) => {
  const message = fault(['RandomHorizontalFlip', transform, 'ToTensor']);
  expect(message).toMatch(/^c\.yaml:7:\d+ transforms\[1\]/);
  expect(message.replace(/^c\.yaml:7:\d+ transforms\[1\]/, '')).toContain(expected);
});

test.each([
  [
    '{ type: Normalize, mean: [0, 0], std: [1, 1] }',
    ': [Normalize] is given for 2 channels, but the images have 3',
  ],
  [
    '{ type: Normalize, mean: [0, 0], std: [1, 1, 1] }',
    '.mean: [Normalize] mean has 2 values and std 3: mean needs 1 or 3',
  ],
  ['{ type: Normalize, mean: [0], std: [0] }', '.std: [Normalize] std [0] has a zero in float32'],
  [
    '{ type: RandomErasing, value: [1, 2] }',
    '.value: [RandomErasing] value has 2 numbers, but the images have 3 channels',
  ],
  ['ToTensor', ': [ToTensor] ToTensor must come first, and once; got ToTensor, ToTensor'],
  ['RandomHorizontalFlip', ': [RandomHorizontalFlip] must come before ToTensor or ToDtype'],
])('after ToTensor: %s', (transform, expected) => {
  expect(fault(['ToTensor', transform])).toMatch(/^c\.yaml:7:\d+ transforms\[1\]/);
  expect(fault(['ToTensor', transform])).toContain(`transforms[1]${expected}`);
});

test('images of other channels than a transform takes', () => {
  const normalize = '{ type: Normalize, mean: [0, 0, 0], std: [1, 1, 1] }';
  expect(fault(['ToTensor', normalize], '[1, 8, 8]')).toContain(
    'transforms[1]: [Normalize] is given for 3 channels, but the images have 1',
  );
  expect(fault(['Grayscale', 'ToTensor', normalize])).toContain('but the images have 1');
  expect(fault(['ColorJitter', 'ToTensor'], '[2, 8, 8]')).toContain(
    'transforms[0]: [ColorJitter] needs images of 1 or 3 channels, got 2',
  );
});

test('no ToTensor at all', () => {
  expect(fault(['RandomHorizontalFlip'])).toBe(
    'c.yaml:6:7 transforms: [transforms] images need ToTensor; got RandomHorizontalFlip',
  );
});
