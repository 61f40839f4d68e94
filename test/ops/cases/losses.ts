/** Functional losses with all their options. */

import { withOff } from '../../../src/engine/switches.ts';
import { manualSeed, nn, type Tensor } from '../../../src/index.ts';
import { bf16, f32, f64, type OpCase, opCase, type Slot, values } from '../case.ts';

const { crossEntropy, nllLoss, mseLoss, l1Loss, logSoftmax } = nn.functional;

const REDUCTIONS = ['mean', 'sum', 'none'] as const;
const TARGET = values('int64', [4], [2, 0, 1, 2]);
const SOME_IGNORED = values('int64', [4], [2, -100, 1, -100]);
const WEIGHT = values('float32', [3], [0.5, 2, 1.25]);

interface Options {
  readonly reduction?: (typeof REDUCTIONS)[number];
  readonly ignore_index?: number;
  readonly label_smoothing?: number;
}

function keywords(options: Options): string {
  return Object.entries(options)
    .map(([key, value]) => `, ${key}=${JSON.stringify(value)}`)
    .join('');
}

/** A classification loss without and with class weights. */
function classification(
  op: 'cross_entropy' | 'nll_loss',
  detail: string,
  options: Options,
  input: Slot = f32(4, 3),
  target: Slot = TARGET,
): OpCase[] {
  const fn = op === 'cross_entropy' ? crossEntropy : nllLoss;
  // nll_loss takes log-probabilities; from logits the gradient reaches them through log_softmax.
  const prepared = (x: Tensor) => (op === 'nll_loss' ? logSoftmax(x, x.ndim === 1 ? 0 : 1) : x);
  const dim = input.shape.length === 1 ? 0 : 1;
  const torchInput = op === 'nll_loss' ? `F.log_softmax(a, ${dim})` : 'a';
  return [
    opCase(op, detail, [input, target], (x, y) => fn(prepared(x), y, options), {
      torch: `F.${op}(${torchInput}, b${keywords(options)})`,
    }),
    opCase(
      op,
      `${detail}, weighted`,
      [input, target, { ...WEIGHT, dtype: input.dtype }],
      (x, y, w) => fn(prepared(x), y, { ...options, weight: w.detach() }),
      {
        torch: `F.${op}(${torchInput}, b, weight=c.detach()${keywords(options)})`,
        smooth: false,
      },
    ),
  ];
}

const BOTH = (['cross_entropy', 'nll_loss'] as const).flatMap((op) => [
  ...REDUCTIONS.flatMap((reduction) => [
    ...classification(op, reduction, { reduction }),
    ...classification(op, `${reduction}, some ignored`, { reduction }, f32(4, 3), SOME_IGNORED),
    ...classification(op, `${reduction}, ignore_index 2`, { reduction, ignore_index: 2 }),
  ]),
  ...classification(op, 'per pixel', {}, f32(2, 3, 2, 1), values('int64', [2, 2, 1], [0, 2, 1, 1])),
  ...classification(op, 'without a batch', {}, f32(3), values('int64', [], [1])),
  ...classification(op, 'float64', {}, f64(4, 3)),
  ...classification(op, 'bfloat16', {}, bf16(4, 3)),
  opCase(
    op,
    'all ignored',
    [f32(1, 3), values('int64', [1], [-100])],
    (x, y) => (op === 'nll_loss' ? nllLoss : crossEntropy)(x, y),
    {
      torch: `F.${op}(a, b)`,
      grad: false,
    },
  ),
  opCase(
    op,
    'an empty batch, summed',
    [f32(0, 3), values('int64', [0], [])],
    (x, y) => (op === 'nll_loss' ? nllLoss : crossEntropy)(x, y, { reduction: 'sum' }),
    {
      torch: `F.${op}(a, b, reduction='sum')`,
    },
  ),
]);

const SMOOTHED = REDUCTIONS.flatMap((reduction) => [
  ...classification('cross_entropy', `${reduction}, smoothed`, { reduction, label_smoothing: 0.1 }),
  ...classification(
    'cross_entropy',
    `${reduction}, smoothed, some ignored`,
    { reduction, label_smoothing: 0.25 },
    f32(4, 3),
    SOME_IGNORED,
  ),
  ...classification('cross_entropy', `${reduction}, smoothed whole`, {
    reduction,
    label_smoothing: 1,
  }),
  ...classification(
    'cross_entropy',
    `${reduction}, smoothed per pixel`,
    { reduction, label_smoothing: 0.1 },
    f32(2, 3, 2),
    values('int64', [2, 2], [0, 2, 1, 1]),
  ),
]);

/** Rows that add up to one. */
const MIXED = values('float32', [2, 3], [0.5, 0.25, 0.25, 0, 1, 0]);
const PROBABILITIES = REDUCTIONS.flatMap((reduction) =>
  [0, 0.1].flatMap((label_smoothing) =>
    classification(
      'cross_entropy',
      `${reduction}, probabilities, smoothed by ${label_smoothing}`,
      { reduction, label_smoothing },
      f32(2, 3),
      MIXED,
    ),
  ),
);

const ELEMENTWISE = (
  [
    ['mse_loss', mseLoss],
    ['l1_loss', l1Loss],
  ] as const
).flatMap(([op, fn]) => [
  ...REDUCTIONS.map((reduction) =>
    opCase(op, reduction, [f32(2, 3), f32(2, 3)], (x, y) => fn(x, y, { reduction }), {
      torch: `F.${op}(a, b, reduction='${reduction}')`,
    }),
  ),
  opCase(op, 'scalars', [f32(), f32()], (x, y) => fn(x, y), { torch: `F.${op}(a, b)` }),
  opCase(op, 'bfloat16', [bf16(4), bf16(4)], (x, y) => fn(x, y), { torch: `F.${op}(a, b)` }),
  opCase(op, 'float64', [f64(4), f64(4)], (x, y) => fn(x, y), { torch: `F.${op}(a, b)` }),
  opCase(op, 'where they are equal', [values('float32', [2], [1, 2])], (x) => fn(x, x.detach()), {
    torch: `F.${op}(a, a.detach())`,
    smooth: false,
  }),
]);

const { dropout } = nn.functional;
/** Draws the same numbers each time it is called. */
const repeated = (x: Tensor, p: number) => {
  manualSeed(3);
  return dropout(x, p);
};
const DROPOUT: OpCase[] = [
  opCase(
    'dropout',
    'of half',
    [values('float32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8])],
    (x) => repeated(x, 0.5),
    { expected: [[2, 0, 6, 8, 0, 12, 0, 16]] },
  ),
  opCase(
    'dropout',
    'the same by ordinary ops',
    [f32(3, 40)],
    (x) =>
      repeated(x, 0.1)
        .sub(withOff(['dropout'], () => repeated(x, 0.1)))
        .abs()
        .sum(),
    { expected: [[0]], smooth: false },
  ),
  opCase('dropout', 'in evaluation', [f32(2, 3)], (x) => dropout(x, 0.5, false), { torch: 'a' }),
  opCase('dropout', 'of nothing', [f32(2, 3)], (x) => dropout(x, 0), {
    torch: 'F.dropout(a, 0.0)',
  }),
  opCase('dropout', 'of everything', [f32(2, 3)], (x) => dropout(x, 1), {
    torch: 'F.dropout(a, 1.0)',
  }),
];

export const LOSSES = [...BOTH, ...SMOOTHED, ...PROBABILITIES, ...ELEMENTWISE, ...DROPOUT];
