/** Layers that PyTorch's own test lists leave out, against its numbers and gradients. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DType } from '../../src/base/dtype.ts';
import { grad, nn, type Tensor, tensor } from '../../src/index.ts';
import { camelCase } from '../torch/names.ts';

interface Listed {
  readonly shape: number[];
  readonly dtype: DType;
  readonly values: number[];
}

interface Recorded {
  readonly state: Readonly<Record<string, Listed>>;
  readonly inputs: readonly Listed[];
  readonly outputs: readonly Listed[];
  readonly gradients: readonly (Listed | null)[];
}

interface Kinks {
  readonly y: readonly number[];
  readonly gradient: readonly number[];
  /** Of NaN and the two infinities. */
  readonly special: readonly (number | string)[];
}

const FILE = new URL('../fixtures/torch/layers.json', import.meta.url);
const { layers, activations } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  layers: Record<string, Recorded>;
  activations: Record<string, Kinks>;
};

const { rnn } = nn.utils;
type Inputs = [Tensor, Tensor, Tensor];
type Run = (module: nn.AnyModule, ...inputs: Inputs) => readonly Tensor[];

const packed =
  (state: (h: Tensor, c: Tensor) => unknown = () => null): Run =>
  (module, x, h, c) => {
    const sequence = rnn.packPaddedSequence(x, [3, 1, 4, 3], { enforce_sorted: false });
    const [output, last] = module.call(sequence, state(h, c)) as [never, Tensor | Tensor[]];
    const options = { padding_value: 0.5, total_length: 5 };
    return [...rnn.padPackedSequence(output, options), ...[last].flat()];
  };

const mask = nn.generateSquareSubsequentMask(3);
const padding = tensor([
  [false, false, true],
  [false, false, false],
]);
const layer = { d_model: 4, nhead: 2, dim_feedforward: 6, dropout: 0 };
const encoder = () =>
  new nn.TransformerEncoder({
    encoder_layer: new nn.TransformerEncoderLayer({
      ...layer,
      activation: 'gelu',
      batch_first: true,
    }),
    num_layers: 2,
    norm: new nn.LayerNorm({ normalized_shape: 4 }),
  });

const CASES: Record<string, [make: () => nn.AnyModule, run: Run]> = {
  'packed LSTM': [
    () => new nn.LSTM({ input_size: 2, hidden_size: 3, num_layers: 2, bidirectional: true }),
    packed((h, c) => [h, c]),
  ],
  'packed projected LSTM': [
    () => new nn.LSTM({ input_size: 2, hidden_size: 3, proj_size: 2 }),
    packed(),
  ],
  'packed GRU': [
    () => new nn.GRU({ input_size: 2, hidden_size: 3, bidirectional: true }),
    packed((h) => h),
  ],
  'packed RNN': [
    () => new nn.RNN({ input_size: 2, hidden_size: 3, num_layers: 2, nonlinearity: 'relu' }),
    packed(),
  ],
  encoder: [
    encoder,
    (m, x) => [m.call(x, { mask }), m.call(x, { src_key_padding_mask: padding })] as Tensor[],
  ],
  decoder: [
    () =>
      new nn.TransformerDecoder({
        decoder_layer: new nn.TransformerDecoderLayer({ ...layer, norm_first: true }),
        num_layers: 2,
      }),
    (m, x, memory) => [m.call(x, memory, { tgt_mask: mask }) as Tensor],
  ],
  'adaptive softmax': [
    () =>
      new nn.AdaptiveLogSoftmaxWithLoss({
        ...{ in_features: 8, n_classes: 12, cutoffs: [3, 7], div_value: 2, head_bias: true },
      }),
    (m, x, y) => [...(m.call(x, y) as Tensor[]), (m as nn.AdaptiveLogSoftmaxWithLoss).logProb(x)],
  ],
  'triplet with distance': [
    () => new nn.TripletMarginWithDistanceLoss({ swap: true, margin: 0.5 }),
    (m, a, b, c) => [m.call(a, b, c) as Tensor],
  ],
  'cosine similarity': [
    () => new nn.CosineSimilarity({ dim: 1 }),
    (m, a, b) => [m.call(a, b) as Tensor],
  ],
  'pairwise distance': [
    () => new nn.PairwiseDistance({ p: 1.5, keepdim: true }),
    (m, a, b) => [m.call(a, b) as Tensor],
  ],
  'embedding bag': [
    () => new nn.EmbeddingBag({ num_embeddings: 5, embedding_dim: 3, mode: 'max', padding_idx: 2 }),
    (m, x, offsets) => [m.call(x, offsets) as Tensor],
  ],
  'limited embedding': [
    () =>
      new nn.Embedding({
        ...{ num_embeddings: 5, embedding_dim: 3, max_norm: 1, scale_grad_by_freq: true },
      }),
    (m, x) => [m.call(x) as Tensor],
  ],
  CTC: [
    () => new nn.CTCLoss({ reduction: 'none', zero_infinity: true }),
    (m, x, y) => [m.call(x, y, [6, 5, 3], [2, 3, 3]) as Tensor],
  ],
};

const tensorOf = ({ shape, dtype, values }: Listed, requires_grad = false) =>
  tensor(values, { shape, dtype, requires_grad: requires_grad && dtype === 'float32' });

function expectNear(actual: Tensor | null, expected: Listed): void {
  expect(actual?.shape).toEqual(expected.shape);
  expect(actual?.dtype).toBe(expected.dtype);
  const numbers = Array.from(actual!.dataSync(), Number);
  for (const [i, value] of expected.values.entries()) expect(numbers[i]).toBeCloseTo(value, 4);
}

describe('layers give what PyTorch gives', () => {
  test.each(Object.entries(layers))('%s', (name, recorded) => {
    const [make, run] = CASES[name]!;
    const module = make();
    const state = Object.entries(recorded.state).map(([k, v]) => [k, tensorOf(v)] as const);
    module.loadStateDict(new Map(state));
    const inputs = recorded.inputs.map((x) => tensorOf(x, true));
    const outputs = run(module, ...(inputs as Inputs));
    expect(outputs.length).toBe(recorded.outputs.length);
    for (const [i, output] of outputs.entries()) expectNear(output, recorded.outputs[i]!);
    const trained = [...inputs, ...module.parameters()].filter((x) => x.requires_grad);
    const total = outputs
      .filter((y) => y.dtype === 'float32')
      .map((y) => y.mul(y).sum())
      .reduce((a, b) => a.add(b));
    const gradients = grad([total], trained, { allow_unused: true });
    for (const [i, expected] of recorded.gradients.entries()) {
      if (expected !== null) expectNear(gradients[i]!, expected);
    }
  });
});

describe('activations at their kinks, far out and of what is no number', () => {
  const points = [-1e4, -100, -6, -3, -1, -0.5, 0, 0.5, 1, 3, 6, 25, 100, 1e4];

  test.each(Object.entries(activations))('%s', (name, expected) => {
    const found = (nn.functional as unknown as Record<string, unknown>)[camelCase(name)];
    const fn = found as (x: Tensor) => Tensor;
    const x = tensor(points, { requires_grad: true });
    const y = fn(x);
    const [gradient] = grad([y.sum()], [x]);
    const near = (actual: Tensor, numbers: readonly number[]) => {
      const values = Array.from(actual.dataSync(), Number);
      for (const [i, value] of numbers.entries()) {
        expect(Math.abs(values[i]! - value) / (1 + Math.abs(value))).toBeLessThan(1e-5);
      }
    };
    near(y, expected.y);
    near(gradient!, expected.gradient);
    // What PyTorch's GELU makes of infinity depends on the kernel it picks.
    if (name === 'gelu') return;
    const special = fn(tensor([Number.NaN, Infinity, -Infinity]));
    const numbers = expected.special.map((v) => Number(String(v).replace('inf', 'Infinity')));
    const values = Array.from(special.dataSync(), Number);
    for (const [i, value] of numbers.entries()) {
      if (Number.isFinite(value)) expect(values[i]).toBeCloseTo(value, 5);
      else expect(values[i]).toBe(value);
    }
  });
});
