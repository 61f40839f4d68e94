/** Seeded random graphs of pointwise, reducing, moving and multiplying ops, gradients included. */

import type { DType } from '../../src/base/dtype.ts';
import { isFloating } from '../../src/base/dtype.ts';
import { philox4x32 } from '../../src/base/philox.ts';
import { numel } from '../../src/base/shape.ts';
import { cat, grad, nn, type Tensor, tensor, where } from '../../src/index.ts';

const DTYPES: readonly DType[] = [
  'float32',
  'float64',
  'bfloat16',
  'float16',
  'int64',
  'int32',
  'uint8',
  'bool',
];

/** A stream of integers that depends on the seed alone. */
export class Dice {
  #block = 0;

  constructor(readonly seed: number) {}

  /** An integer in [0, sides). */
  roll(sides: number): number {
    return philox4x32([this.#block++, 0, 0, 0], [this.seed, 0x9a])[0] % sides;
  }

  of<T>(items: readonly T[]): T {
    return items[this.roll(items.length)]!;
  }
}

/** Inputs of few small shapes, so that many of them broadcast together. */
export function randomInputs(seed: number): Tensor[] {
  const dice = new Dice(seed);
  const [rows, columns] = [2 + dice.roll(3), 2 + dice.roll(3)];
  const shapes = [[rows, columns], [columns], [rows, 1], [], [columns, rows], [2, rows, columns]];
  return shapes.map((shape, i) => {
    const dtype = i === 0 ? 'float32' : dice.of(DTYPES);
    const values = Array.from({ length: numel(shape) }, () => (dice.roll(65) - 32) / 16);
    return tensor(Float64Array.from(values), { dtype, shape });
  });
}

type Step = (dice: Dice, x: Tensor, y: Tensor) => Tensor | undefined;

const number = (x: Tensor) => (x.dtype === 'bool' ? x.to('int32') : x);
const float = (x: Tensor) => (isFloating(x.dtype) ? x : x.to('float32'));

/** Do the shapes broadcast? */
function together({ shape: a }: Tensor, { shape: b }: Tensor): boolean {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const lead = long.length - short.length;
  return short.every((size, i) => size === 1 || long[lead + i] === 1 || size === long[lead + i]);
}

const STEPS: readonly Step[] = [
  // Bounded functions, so that nothing grows past what a dtype holds.
  (dice, x) => dice.of([float(x).sin(), float(x).tanh(), float(x).sigmoid(), float(x).cos()]),
  (dice, x) => dice.of([number(x).neg(), number(x).abs(), number(x).sign(), number(x).floor()]),
  (dice, x) => dice.of([number(x).relu(), number(x).clamp(-1, 1), x.isnan(), x.logicalNot()]),
  (dice, x, y) =>
    together(x, y)
      ? dice.of([x.add(y), number(x).sub(y.mul(1)), x.maximum(y), x.minimum(y)])
      : undefined,
  (dice, x, y) =>
    together(x, y) ? dice.of([x.eq(y), x.lt(y), x.ge(y), x.logicalXor(y)]) : undefined,
  (_, x, y) => (together(x, y) ? float(x).tanh().mul(float(y).sin()) : undefined),
  (_, x, y) => (together(x, y) ? where(x.gt(0), x, y) : undefined),
  (dice, x) =>
    dice.of([x.add(1), number(x).mul(2), float(x).mul(0.5), float(x).div(3), x.add(0.25)]),
  (dice, x) => x.to(dice.of(DTYPES)),
  (dice, x) => (x.ndim === 0 ? x.sum() : x.sum(dice.roll(x.ndim), dice.roll(2) === 1)),
  (dice, x) => (x.ndim === 0 ? undefined : x.amax(dice.roll(x.ndim), dice.roll(2) === 1)),
  (dice, x) => (x.ndim === 0 ? undefined : float(x).softmax(dice.roll(x.ndim))),
  (dice, x) => dice.of([x.flatten(), x.unsqueeze(0), x.squeeze(), x.reshape([...x.shape, 1])]),
  (_, x) => (x.ndim < 2 ? undefined : x.transpose(0, -1)),
  (dice, x) =>
    x.ndim === 0 ? undefined : x.slice(dice.roll(x.ndim), dice.roll(2), Infinity, 1 + dice.roll(2)),
  (dice, x) =>
    x.ndim === 0
      ? undefined
      : dice.of([x.flip(0), nn.functional.pad(x, [1, 0]), cat([x, x.flip(0)], -1)]),
  (_, x) => (numel(x.shape) > 64 ? undefined : x.expand([2, ...x.shape])),
  (_, x, y) => {
    const fits = x.ndim === 2 && y.ndim === 2 && x.shape[1] === y.shape[0];
    return fits ? float(x).tanh().matmul(float(y).tanh()) : undefined;
  },
];

/** Builds one graph over `inputs`; the same for the same seed. Gives some of its values. */
export function randomGraph(seed: number, inputs: readonly Tensor[]): Tensor[] {
  const dice = new Dice(seed ^ 0x5bd1);
  const leaf = inputs[0]!.detach().requires_grad_();
  const values = [leaf, ...inputs.slice(1)];
  for (let i = 0; i < 24; i++) {
    // Mostly the newest values, so that chains grow long enough to be fused.
    const recent = () => values[Math.max(0, values.length - 1 - dice.roll(dice.of([3, 12])))]!;
    const next = dice.of(STEPS)(dice, recent(), recent());
    if (next !== undefined && next.numel() > 0 && next.numel() < 400) values.push(next);
  }
  const roots = [values.at(-1)!, dice.of(values), dice.of(values)];
  const differentiable = values.filter((value) => value.requires_grad && value !== leaf);
  const last = differentiable.at(-1);
  if (last === undefined) return roots;
  const [gradient] = grad(last.sum(), [leaf], { allow_unused: true });
  return gradient ? [...roots, gradient] : roots;
}
