/** What each op says when sizes, dtypes or arguments do not fit: the exact message. */

import { expect, test } from 'vitest';
import { referenceEngine } from '../../src/engine/reference/engine.ts';
import * as t from '../../src/index.ts';
import { clipNorm } from '../../src/ops/clipping.ts';
import { linear } from '../../src/ops/matmul.ts';
import { sgdUpdate } from '../../src/ops/optimizer.ts';

const { adaptiveAvgPool2d, avgPool2d, batchNorm } = t.nn.functional;
const { conv2d, maxPool2d, crossEntropy, nllLoss, mseLoss, l1Loss, dropout } = t.nn.functional;
const { layerNorm, scaledDotProductAttention, embedding } = t.nn.functional;
const f = (...shape: number[]) => t.zeros(shape);
const i = (...shape: number[]) => t.zeros(shape, { dtype: 'int64' });
const b = (...shape: number[]) => t.zeros(shape, { dtype: 'bool' });

type Fault = readonly [kind: string, message: string, call: () => unknown];

const OPERANDS: Fault[] = [
  ['DTypeError', '[bitwise_and] is defined for integers, got float32', () => f(2).bitwiseAnd(i(2))],
  ['DTypeError', '[bitwise_not] is defined for integers, got float32', () => f(2).bitwiseNot()],
  [
    'DTypeError',
    '[gcd] is not defined for bool tensors; use the logical ops',
    () => b(2).gcd(b(2)),
  ],
  [
    'DTypeError',
    '[bitwiseOr_] the result is int64, which a tensor of bool cannot take',
    () => b(1).bitwiseOr_(i(1)),
  ],
  [
    'DTypeError',
    '[nextafter] needs a floating point tensor, got int64',
    () => i(2).nextafter(i(2)),
  ],
  ['DTypeError', '[frexp] needs a floating point tensor, got int64', () => i(2).frexp()],
  ['DTypeError', '[round] needs a floating point tensor, got int64', () => i(2).round(1)],
  [
    'ArgumentError',
    '[maximum] other must be a tensor, got a number',
    () => t.maximum(f(2), 1 as never),
  ],
  ['ArgumentError', '[eq] input must be a tensor, got a number', () => t.eq(1 as never, f(2))],
  ['ArgumentError', '[remainder] other must be a tensor, got a number', () => t.remainder(1, 2)],
];

const POINTWISE: Fault[] = [
  [
    'ShapeError',
    '[add] shapes (2, 3), (2,) cannot be broadcast: dimension 1 has sizes 3 and 2',
    () => f(2, 3).add(f(2)),
  ],
  [
    'ShapeError',
    '[where] shapes (2,), (3,), () cannot be broadcast: dimension 0 has sizes 2 and 3',
    () => t.where(b(2), f(3), 0),
  ],
  ['DTypeError', '[where] condition must be a bool tensor, got float32', () => t.where(f(2), 1, 0)],
  ['DTypeError', '[neg] is not defined for bool tensors; use the logical ops', () => b(2).neg()],
  [
    'DTypeError',
    '[sub] is not defined for bool tensors; use the logical ops',
    () => b(2).sub(b(2)),
  ],
  ['ArgumentError', '[clamp] needs min, max or both', () => f(2).clamp()],
  [
    'DTypeError',
    '[add_] the result is float32, which a tensor of int64 cannot take',
    () => i(2).add_(0.5),
  ],
  [
    'ShapeError',
    '[in-place] a float32 tensor of shape (2,) cannot take float32 (3, 2)',
    () => f(2).add_(f(3, 2)),
  ],
];

const REDUCTION: Fault[] = [
  [
    'ArgumentError',
    '[sum] dim 2 is out of range for a tensor of 2 dimensions (expected -2 to 1)',
    () => f(2, 3).sum(2),
  ],
  ['ArgumentError', '[sum] dim [0, -2] names a dimension twice', () => f(2, 3).sum([0, -2])],
  [
    'ArgumentError',
    '[amax] an empty dimension of (0, 3) has no extreme element',
    () => f(0, 3).amax(0),
  ],
  [
    'ArgumentError',
    '[argmin] an empty dimension of (0,) has no extreme element',
    () => f(0).argmin(),
  ],
  ['DTypeError', '[mean] needs a floating point tensor, got int64', () => i(2).mean()],
  ['DTypeError', '[var] needs a floating point tensor, got int64', () => i(2).var()],
  ['DTypeError', '[softmax] needs a floating point tensor, got int64', () => i(2).softmax(0)],
  [
    'ArgumentError',
    '[log_softmax] dim 1 is out of range for a tensor of 1 dimensions (expected -1 to 0)',
    () => f(2).logSoftmax(1),
  ],
];

const FUSED: Fault[] = [
  [
    'DTypeError',
    '[layer_norm] needs a floating point tensor, got int64',
    () => layerNorm(i(2), [2]),
  ],
  [
    'ShapeError',
    '[layer_norm] input (2, 3) must end in normalized_shape (2,)',
    () => layerNorm(f(2, 3), [2]),
  ],
  [
    'ShapeError',
    '[layer_norm] bias has shape (2,), needs (3,)',
    () => layerNorm(f(2, 3), [3], { bias: f(2) }),
  ],
  [
    'ShapeError',
    '[scaled_dot_product_attention] q float32 (2, 3), k float32 (2, 4), v float32 (2, 4) do not ' +
      'fit: one dtype, q and k with equal features, k and v with equal lengths',
    () => scaledDotProductAttention(f(2, 3), f(2, 4), f(2, 4)),
  ],
  [
    'ArgumentError',
    '[scaled_dot_product_attention] takes attn_mask or is_causal, not both',
    () =>
      scaledDotProductAttention(f(2, 3), f(2, 3), f(2, 3), { is_causal: true, attn_mask: f(2, 2) }),
  ],
  [
    'ShapeError',
    '[scaled_dot_product_attention] 3 heads of q are no multiple of 2 heads',
    () => scaledDotProductAttention(f(3, 2, 2), f(2, 2, 2), f(2, 2, 2), { enable_gqa: true }),
  ],
  [
    'DTypeError',
    '[embedding] index must be int64 or int32, got float32',
    () => embedding(f(2), f(3, 2)),
  ],
  [
    'ShapeError',
    '[embedding] weight must have 2 dimensions, got (3,)',
    () => embedding(i(2), f(3)),
  ],
  [
    'ShapeError',
    '[embedding] padding_idx 3 is no row of 3',
    () => embedding(i(2), f(3, 2), { padding_idx: 3 }),
  ],
];

const MOVEMENT: Fault[] = [
  ['ShapeError', '[reshape] shape (4, 2) is invalid for (2, 3)', () => f(2, 3).reshape([4, 2])],
  ['ShapeError', '[reshape] shape (-1, -1) is invalid for (2, 3)', () => f(2, 3).reshape([-1, -1])],
  ['ShapeError', '[reshape] shape (0, -1) is invalid for (0, 3)', () => f(0, 3).reshape([0, -1])],
  ['ShapeError', '[reshape] shape (1.5, 4) is invalid for (6,)', () => f(6).reshape([1.5, 4])],
  ['ArgumentError', '[flatten] start_dim 1 comes after end_dim 0', () => f(2, 3).flatten(1, 0)],
  [
    'ArgumentError',
    '[permute] dims [0, 0] are no order of the 2 dimensions of (2, 3)',
    () => f(2, 3).permute([0, 0]),
  ],
  ['ShapeError', '[expand] (2, 3) cannot be expanded to (4, 3)', () => f(2, 3).expand([4, 3])],
  ['ShapeError', '[expand] (2, 3) cannot be expanded to (3,)', () => f(2, 3).expand([3])],
  ['ShapeError', '[expand] (3,) cannot be expanded to (-1, 3)', () => f(3).expand([-1, 3])],
  ['ShapeError', '[slice] cannot slice a zero-dimensional tensor', () => f().slice(0, 0, 1)],
  ['ArgumentError', '[slice] step must be a positive integer, got 0', () => f(2).slice(0, 0, 2, 0)],
  ['ArgumentError', '[slice] bounds must be integers, got 0.5 and 2', () => f(2).slice(0, 0.5, 2)],
  [
    'ArgumentError',
    '[narrow] start 1 and length 2 exceed dimension 0 of size 2',
    () => f(2).narrow(0, 1, 2),
  ],
  [
    'ArgumentError',
    '[select] index 3 is out of range for dimension 1 of size 3',
    () => f(2, 3).select(1, 3),
  ],
  [
    'ArgumentError',
    '[pad] pad [1] must be pairs of integers for at most 1 dimensions',
    () => t.nn.functional.pad(f(2), [1]),
  ],
  ['ArgumentError', '[cat] needs a list of at least one tensor', () => t.cat([])],
  ['ShapeError', '[cat] zero-dimensional tensors: use stack', () => t.cat([f()])],
  [
    'ShapeError',
    '[cat] tensor 1 has shape (3, 3), tensor 0 (2, 2); they may differ only in dimension 0',
    () => t.cat([f(2, 2), f(3, 3)]),
  ],
  ['ArgumentError', '[split] sizes [1, 1] do not add up to 3', () => f(3).split([1, 1])],
  ['ArgumentError', '[split] size must be a positive integer, got 0', () => f(3).split(0)],
];

const PRODUCTS: Fault[] = [
  [
    'ShapeError',
    '[matmul] inner sizes differ: a (32, 784), b (512, 10); a.shape[1] must equal b.shape[0]',
    () => f(32, 784).matmul(f(512, 10)),
  ],
  ['ShapeError', '[matmul] needs at least one dimension: a (), b (2,)', () => f().matmul(f(2))],
  [
    'ShapeError',
    '[matmul] shapes (2,), (3,) cannot be broadcast: dimension 0 has sizes 2 and 3',
    () => f(2, 4, 4).matmul(f(3, 4, 4)),
  ],
  ['DTypeError', '[matmul] needs numbers, got bool', () => i(2, 2).gt(0).matmul(i(2, 2).gt(0))],
  [
    'ShapeError',
    "[linear] input (4, 5) does not fit weight (2, 3): the input's last size must be 3",
    () => linear(f(4, 5), f(2, 3)),
  ],
];

const WINDOW: Fault[] = [
  [
    'ShapeError',
    '[conv2d] expected an input of 4 channels in 2 groups, got 3: input (1, 3, 5, 5), weight (2, 2, 3, 3)',
    () => conv2d(f(1, 3, 5, 5), f(2, 2, 3, 3), null, { groups: 2 }),
  ],
  [
    'ShapeError',
    '[conv2d] 3 output channels cannot be split into 2 groups: input (1, 4, 5, 5), weight (3, 2, 3, 3)',
    () => conv2d(f(1, 4, 5, 5), f(3, 2, 3, 3), null, { groups: 2 }),
  ],
  [
    'ShapeError',
    '[conv2d] the kernel is larger than the padded input: input (1, 1, 2, 2), weight (1, 1, 3, 3)',
    () => conv2d(f(1, 1, 2, 2), f(1, 1, 3, 3)),
  ],
  [
    'ShapeError',
    '[conv2d] input must be (N, C, H, W) or (C, H, W) and weight (O, C/groups, kH, kW): input (2, 2), weight (1, 1, 3, 3)',
    () => conv2d(f(2, 2), f(1, 1, 3, 3)),
  ],
  [
    'DTypeError',
    '[conv2d] input and weight must have one floating point dtype, got float32 and float64',
    () => conv2d(f(1, 1, 3, 3), t.zeros([1, 1, 3, 3], { dtype: 'float64' })),
  ],
  [
    'ArgumentError',
    '[conv2d] stride must be one or two integers of at least 1, got 0',
    () => conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), null, { stride: 0 }),
  ],
  [
    'ArgumentError',
    '[conv2d] padding "same" needs stride 1',
    () => conv2d(f(1, 1, 3, 3), f(1, 1, 3, 3), null, { padding: 'same', stride: 2 }),
  ],
  [
    'ShapeError',
    '[conv2d] bias must be (2,), got (1,)',
    () => conv2d(f(1, 1, 3, 3), f(2, 1, 3, 3), f(1)),
  ],
  [
    'ShapeError',
    '[max_pool2d] input must be (N, C, H, W) or (C, H, W), none but N empty, got (2, 2)',
    () => maxPool2d(f(2, 2), { kernel_size: 2 }),
  ],
  [
    'ShapeError',
    '[max_pool2d] kernel (3,3) is larger than the padded input (1, 1, 2, 2)',
    () => maxPool2d(f(1, 1, 2, 2), { kernel_size: 3 }),
  ],
  [
    'ArgumentError',
    '[max_pool2d] padding (2,2) must be at most half of kernel_size (3,3)',
    () => maxPool2d(f(1, 1, 5, 5), { kernel_size: 3, padding: 2 }),
  ],
  [
    'DTypeError',
    '[max_pool2d] needs a floating point tensor, got bool',
    () => maxPool2d(i(1, 1, 2, 2).gt(0), { kernel_size: 2 }),
  ],
];

const AVERAGES: Fault[] = [
  [
    'ShapeError',
    '[avg_pool2d] input must be (N, C, H, W) or (C, H, W), none but N empty, got (2, 2)',
    () => avgPool2d(f(2, 2), { kernel_size: 2 }),
  ],
  [
    'DTypeError',
    '[avg_pool2d] needs a floating point tensor, got int64',
    () => avgPool2d(i(1, 1, 2, 2), { kernel_size: 2 }),
  ],
  [
    'ShapeError',
    '[avg_pool2d] kernel (3,3) is larger than the padded input (1, 1, 2, 2)',
    () => avgPool2d(f(1, 1, 2, 2), { kernel_size: 3 }),
  ],
  [
    'ArgumentError',
    '[avg_pool2d] padding (2,2) must be at most half of kernel_size (3,3)',
    () => avgPool2d(f(1, 1, 5, 5), { kernel_size: 3, padding: 2 }),
  ],
  [
    'ArgumentError',
    '[avg_pool2d] divisor_override must not be 0',
    () => avgPool2d(f(1, 1, 5, 5), { kernel_size: 3, divisor_override: 0 }),
  ],
  [
    'ArgumentError',
    '[adaptive_avg_pool2d] output_size must be one or two integers of at least 0, got [-1,2]',
    () => adaptiveAvgPool2d(f(1, 1, 4, 4), [-1, 2]),
  ],
];

const BATCH_NORM: Fault[] = [
  [
    'ArgumentError',
    '[batch_norm] needs more than one value per channel in training, got input (1, 3, 1, 1)',
    () => batchNorm(f(1, 3, 1, 1), null, null, { training: true }),
  ],
  [
    'ArgumentError',
    '[batch_norm] needs running_mean and running_var when it is not training',
    () => batchNorm(f(2, 3), null, null),
  ],
  [
    'ShapeError',
    '[batch_norm] running_var (2,) does not fit the 3 channels of input (2, 3, 4)',
    () => batchNorm(f(2, 3, 4), f(3), f(2)),
  ],
  [
    'ShapeError',
    '[batch_norm] weight (4,) does not fit the 3 channels of input (2, 3)',
    () => batchNorm(f(2, 3), null, null, { weight: f(4), training: true }),
  ],
  [
    'ShapeError',
    '[batch_norm] input must be (N, C, ...), got (3,)',
    () => batchNorm(f(3), null, null, { training: true }),
  ],
  [
    'DTypeError',
    '[batch_norm] needs a floating point tensor, got int64',
    () => batchNorm(i(2, 3), null, null, { training: true }),
  ],
  [
    'ShapeError',
    '[BatchNorm2d] input must have 4 dimensions, got (2, 3) (at BatchNorm2d)',
    () => new t.nn.BatchNorm2d({ num_features: 3 }).call(f(2, 3)),
  ],
  [
    'ShapeError',
    '[BatchNorm1d] input must have 2 or 3 dimensions, got (3,) (at BatchNorm1d)',
    () => new t.nn.BatchNorm1d({ num_features: 3 }).call(f(3)),
  ],
];

const INDEXING: Fault[] = [
  ['DTypeError', '[gather] index must be int64 or int32, got float32', () => f(2).gather(0, f(2))],
  [
    'ShapeError',
    '[gather] index (3, 1) does not fit input (2, 2): same number of dimensions, no size larger outside dim 1',
    () => f(2, 2).gather(1, i(3, 1)),
  ],
  [
    'ShapeError',
    '[scatter_add] index (3,) must fit src (2,) and, outside dim 0, the input (4,)',
    () => f(4).scatterAdd(0, i(3), f(2)),
  ],
  ['DTypeError', '[one_hot] index must be int64 or int32, got float32', () => t.oneHot(f(2), 3)],
  [
    'EngineError',
    '[gather] index 5 at element 0 is out of range for size 2 along dim 0; float32 (2,), int64 (1,) -> float32 (1,) (at gather)',
    () =>
      f(2)
        .gather(0, t.tensor([5], { dtype: 'int64' }))
        .tolist(),
  ],
];

const CREATION: Fault[] = [
  [
    'ShapeError',
    '[tensor] 3 values cannot have shape (2, 2) (4 elements)',
    () => t.tensor([1, 2, 3], { shape: [2, 2] }),
  ],
  [
    'ShapeError',
    '[tensor] ragged values: an array of 1 at depth 1 where others have 2 elements',
    () => t.tensor([[1, 2], [3]]),
  ],
  [
    'ArgumentError',
    '[tensor] expected nested arrays of numbers of one shape, found "a" at depth 1',
    () => t.tensor(['a'] as never),
  ],
  [
    'ArgumentError',
    '[tensor] NaN cannot be held in int64',
    () => t.tensor([Number.NaN], { dtype: 'int64' }),
  ],
  [
    'DTypeError',
    '[tensor] this kind of typed array has no matching dtype',
    () => t.tensor(new Int8Array(2) as never),
  ],
  [
    'DTypeError',
    '[tensor] unknown dtype "float8"',
    () => t.tensor([1], { dtype: 'float8' as never }),
  ],
  [
    'ShapeError',
    '[full] sizes must be non-negative integers, got (2, -1)',
    () => t.full([2, -1], 0),
  ],
  [
    'ShapeError',
    '[full] shape (4294967296, 4294967296) has too many elements',
    () => t.zeros([2 ** 32, 2 ** 32]),
  ],
  [
    'ArgumentError',
    '[full] Infinity cannot be held in int32',
    () => t.full([2], Infinity, { dtype: 'int32' }),
  ],
  ['ArgumentError', '[arange] cannot count from 0 to 3 by 0', () => t.arange(0, 3, 0)],
  ['DTypeError', '[rand] needs a floating dtype, got int64', () => t.rand([2], { dtype: 'int64' })],
  [
    'AutogradError',
    '[requires_grad_] only floating point tensors can require gradients, this one is int64',
    () => t.arange(3, undefined, 1, { requires_grad: true }),
  ],
];

const LOSSES: Fault[] = [
  [
    'ShapeError',
    '[cross_entropy] target (3,) does not fit input (4, 3): one class index for each of (4,)',
    () => crossEntropy(f(4, 3), i(3)),
  ],
  [
    'ShapeError',
    '[nll_loss] weight must be (3,), got (2,)',
    () => nllLoss(f(4, 3), i(4), { weight: f(2) }),
  ],
  [
    'DTypeError',
    '[cross_entropy] target must be int64, int32 or uint8 class indices, got float32',
    () => crossEntropy(f(4, 3), f(4, 2)),
  ],
  [
    'ArgumentError',
    '[cross_entropy] label_smoothing must be between 0 and 1, got 2',
    () => crossEntropy(f(4, 3), i(4), { label_smoothing: 2 }),
  ],
  [
    'ShapeError',
    '[mse_loss] shapes (2,), (3,) cannot be broadcast: dimension 0 has sizes 2 and 3',
    () => mseLoss(f(2), f(3)),
  ],
  [
    'ShapeError',
    '[l1_loss] weight and input must have one shape: weight (1,), input (2,)',
    () => l1Loss(f(2), f(2), { weight: f(1) }),
  ],
  ['ArgumentError', '[dropout] p must be between 0 and 1, got 1.5', () => dropout(f(2), 1.5)],
];

const update = { momentum: 0, weight_decay: 0, nesterov: false, maximize: false };
const factors = { lr: f(), damping: f() };

const OPTIMIZERS: Fault[] = [
  [
    'ShapeError',
    '[fused_sgd] a parameter has shape (2,), but its gradient or state (3,)',
    () => sgdUpdate([{ parameter: f(2), gradient: f(3) }], factors, update),
  ],
  [
    'DTypeError',
    '[clip_norm] needs tensors of one floating dtype, got int64 and int64',
    () => clipNorm([i(2)], { max_norm: 1, norm_type: 2 }),
  ],
  [
    'ArgumentError',
    '[clip_norm] there are no tensors',
    () => clipNorm([], { max_norm: 1, norm_type: 2 }),
  ],
];

const FAULTS = [
  ...POINTWISE,
  ...REDUCTION,
  ...MOVEMENT,
  ...PRODUCTS,
  ...WINDOW,
  ...AVERAGES,
  ...BATCH_NORM,
  ...INDEXING,
  ...CREATION,
  ...LOSSES,
  ...OPTIMIZERS,
  ...OPERANDS,
  ...FUSED,
];

test.each(FAULTS)('%s: %s', (kind, message, call) => {
  t.withEngine(referenceEngine(), () => {
    expect(call).toThrow(expect.objectContaining({ name: kind, message }) as unknown as Error);
  });
});

test('a message names the module it comes from', () => {
  const layers = new Map([['fc', new t.nn.Linear({ in_features: 3, out_features: 2 })]]);
  const model = new t.nn.Sequential(layers);
  expect(() => model.call(f(4, 5))).toThrow("the input's last size must be 3 (at fc)");
});
