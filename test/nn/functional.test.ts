/**
 * Functions of `nn.functional` made of other ops: differentiated twice, in a compiled step,
 * misused.
 */

import { describe, expect, test } from 'vitest';
import {
  compile,
  errors,
  gradcheck,
  gradgradcheck,
  manualSeed,
  nn,
  rand,
  randn,
  type Tensor,
  tensor,
} from '../../src/index.ts';

const F = nn.functional;
const int = (values: number[] | number[][]) => tensor(values, { dtype: 'int64' });
const double = (...shape: number[]) => randn(shape, { dtype: 'float64', requires_grad: true });

const classes = int([1, 0, 3]);
const labels = int([
  [1, 2, -1, 0],
  [0, -1, 1, 1],
  [3, 0, 1, -1],
]);
const perClass = tensor([1, 2, 0.5, 1], { dtype: 'float64' });
const table = rand([2, 4, 4], { dtype: 'float64' });

const UNARY = [
  ...[F.celu, F.elu, F.gelu, F.hardshrink, F.hardsigmoid, F.hardswish, F.hardtanh, F.leakyRelu],
  ...[F.logsigmoid, F.mish, F.relu6, F.selu, F.silu, F.softplus, F.softshrink, F.softsign],
  ...[F.tanhshrink, F.softmin, F.glu, F.normalize],
] as readonly (((x: Tensor) => Tensor) & { readonly op: string })[];

/** Of x and y (3, 4). */
const BINARY: Record<string, (x: Tensor, y: Tensor) => Tensor> = {
  huber_loss: (x, y) => F.huberLoss(x, y),
  smooth_l1_loss: (x, y) => F.smoothL1Loss(x, y),
  kl_div: (x, y) => F.klDiv(x, y.sigmoid()),
  poisson_nll_loss: (x, y) => F.poissonNllLoss(x, y, { full: true }),
  gaussian_nll_loss: (x, y) => F.gaussianNllLoss(x, y, y.exp()),
  binary_cross_entropy: (x, y) => F.binaryCrossEntropy(x.sigmoid(), y.sigmoid()),
  binary_cross_entropy_with_logits: (x, y) =>
    F.binaryCrossEntropyWithLogits(x, y.sigmoid(), { pos_weight: y.exp() }),
  multi_margin_loss: (x) => F.multiMarginLoss(x, classes, { p: 2 }),
  multilabel_margin_loss: (x) => F.multilabelMarginLoss(x, labels),
  multilabel_soft_margin_loss: (x, y) => F.multilabelSoftMarginLoss(x, y),
  cosine_embedding_loss: (x, y) => F.cosineEmbeddingLoss(x, y, tensor([1, -1, 1])),
  triplet_margin_loss: (x, y) => F.tripletMarginLoss(x, y, y.mul(2), { swap: true }),
  cosine_similarity: (x, y) => F.cosineSimilarity(x, y),
  pdist: (x) => F.pdist(x, 3),
  cross_entropy: (x) => F.crossEntropy(x, classes, { label_smoothing: 0.1, weight: perClass }),
  nll_loss: (x) => F.nllLoss(x, classes),
  bilinear: (x, y) => F.bilinear(x, y, table),
};

describe('gradients, once and twice', () => {
  test.each(UNARY.map((fn) => [fn.op, fn] as const))('%s', (_, fn) => {
    manualSeed(1);
    const x = double(3, 4);
    gradcheck(fn, [x]);
    gradgradcheck(fn, [x]);
    expect(fn(randn([2, 4], { dtype: 'bfloat16' })).dtype).toBe('bfloat16');
    expect(fn(randn([0, 4])).shape[0]).toBe(0);
  });

  test.each(Object.entries(BINARY))('%s', (_, fn) => {
    manualSeed(1);
    const inputs = [double(3, 4), double(3, 4)];
    gradcheck(fn, inputs);
    gradgradcheck(fn, inputs);
  });
});

test('what needs indices of its own works in a compiled step', async () => {
  manualSeed(3);
  const lstm = new nn.LSTM({ input_size: 2, hidden_size: 3, num_layers: 2 });
  const loss = (x: Tensor) => {
    const lengths = { lengths: [3, 1, 2], enforce_sorted: false };
    const [output] = lstm.call(nn.utils.rnn.packPaddedSequence(x, lengths));
    const ctc = F.ctcLoss(F.logSoftmax(x, 2), int([1, 1, 1]), [3, 3, 3], [1, 1, 1]);
    return output.data
      .sum()
      .add(F.pdist(x.select(0, 0)).sum())
      .add(ctc);
  };
  const step = compile(loss, { state: [lstm] });
  const inputs = [rand([3, 3, 2]), rand([3, 3, 2])];
  for (const x of inputs) {
    const compiled = await step(x);
    expect(compiled.item()).toBeCloseTo(loss(x).item(), 5);
  }
});

const f = (...shape: number[]) => rand(shape);
const { ArgumentError, DTypeError, ShapeError } = errors;
const heads = () => new nn.MultiheadAttention({ embed_dim: 4, num_heads: 2 });
const cell = () => new nn.GRUCell({ input_size: 3, hidden_size: 5 });
const x = f(3, 2, 4);

test.each([
  [ShapeError, () => cell().call(f(3, 4))],
  [ShapeError, () => cell().call(f(3, 3), f(2, 5))],
  [ShapeError, () => cell().call(f(3, 3), f(3, 1, 1, 5))],
  [ArgumentError, () => new nn.GRU({ input_size: 3, hidden_size: 0 })],
  [
    DTypeError,
    () =>
      F.crossEntropy(
        f(2, 3),
        int([
          [0, 0, 0],
          [0, 0, 0],
        ]),
      ),
  ],
  [ArgumentError, () => F.crossEntropy(f(2, 3), f(2, 3), { ignore_index: 1 })],
  [DTypeError, () => F.nllLoss(f(3, 4), classes, { weight: perClass })],
  [ArgumentError, () => F.mseLoss(f(2), f(2), { reduction: 'most' as 'mean' })],
  [ArgumentError, () => F.gaussianNllLoss(f(2, 2), f(2, 2), f(2, 2).sub(2))],
  [ArgumentError, () => F.binaryCrossEntropy(f(2).add(2), f(2))],
  [ShapeError, () => F.linear(f(3, 4), f(2, 4), f(3))],
  [ShapeError, () => F.embeddingBag(classes, f(5, 3))],
  [ArgumentError, () => F.embeddingBag(classes, f(5, 3), int([1, 2]))],
  [ArgumentError, () => F.ctcLoss(f(5, 1, 4), int([[1, 2]]), [6], [2])],
  [ArgumentError, () => new nn.MultiheadAttention({ embed_dim: 5, num_heads: 2 })],
  [ShapeError, () => heads().call(x, x, f(5, 2, 4))],
  [ShapeError, () => heads().call(x, x, x, { attn_mask: f(2, 3) })],
  [ShapeError, () => heads().call(x, x, x, { key_padding_mask: f(3, 3) })],
  [ArgumentError, () => heads().call(x, x, x, { is_causal: true })],
])('%o for what does not fit, %#', (type, misuse) => {
  expect(misuse).toThrow(type);
});
