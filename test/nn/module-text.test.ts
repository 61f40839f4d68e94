/** How modules are printed, against PyTorch's texts: see make_reprs.py. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { nn } from '../../src/index.ts';
import { pythonText } from '../../src/nn/module-text.ts';

const FILE = new URL('../fixtures/torch/reprs.json', import.meta.url);
const { layers, nested } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  layers: { type: string; options: object; text: string }[];
  nested: string;
};

type Registered = { readonly [type: string]: new (options: object) => nn.AnyModule };

test.each(layers)('$text', ({ type, options, text }) => {
  const Layer = (nn as unknown as Registered)[type]!;
  expect(String(new Layer(options))).toBe(text);
});

/** Identity takes anything, as PyTorch's; the Transformer's activation may be a function. */
const STRICT = layers.filter(({ type }) => !/^(Identity|Transformer)/.test(type));

test.each(STRICT)('$text refuses what it does not know', ({ type, options }) => {
  const Layer = (nn as unknown as Registered)[type]!;
  expect(() => new Layer({ ...options, opshun: 1 })).toThrow(`[${type}] unknown key "opshun"`);
});

test('lists print equal neighbours once', () => {
  const linear = () => new nn.Linear({ in_features: 1, out_features: 1 });
  const list = new nn.ModuleList([new nn.ReLU(), linear(), linear()]);
  const encoder_layer = new nn.TransformerEncoderLayer({
    d_model: 2,
    nhead: 1,
    dim_feedforward: 2,
  });
  const encoder = new nn.TransformerEncoder({ encoder_layer, num_layers: 2 });
  expect(String(new nn.Sequential([list, encoder]))).toBe(nested);
});

test.each([
  [1e-5, '1e-05'],
  [0.0001, '0.0001'],
  [1.5e-7, '1.5e-07'],
  [1e22, '1e+22'],
  [-Infinity, '-inf'],
  [true, 'True'],
  [null, 'None'],
  ['same', "'same'"],
  [[3], '(3,)'],
  [[1, null], '(1, None)'],
])('%j is %s', (value, text) => {
  expect(pythonText(value)).toBe(text);
});
