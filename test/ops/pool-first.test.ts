/** Max-pooling in front of ReLU: the same values and gradients, bit for bit. */

import { expect, test } from 'vitest';
import { noGrad } from '../../src/core/grad-mode.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { withOff } from '../../src/engine/switches.ts';
import { tensor } from '../../src/ops/host-data.ts';
import { maxPool2d } from '../../src/ops/pooling.ts';

import '../../src/ops/methods.ts';

// Windows with a maximum, with a tie, with nothing above zero, with NaN.
const VALUES = [1, -2, 3, 3, -4, 0.5, 3, 1, -1, -1, Number.NaN, 2, 0, -0, -5, 4];

function pooled(x: Tensor): Tensor {
  return maxPool2d(x.relu(), { kernel_size: 2 });
}

function results() {
  const x = tensor(VALUES, { shape: [1, 1, 4, 4], requires_grad: true });
  const y = pooled(x);
  y.backward(tensor([1, 2, 3, 4], { shape: [1, 1, 2, 2] }));
  return { value: y.tolist(), gradient: x.grad!.tolist(), op: y.value.node.op.name };
}

test('gives what pooling behind ReLU gives', () => {
  const behind = withOff(['pool_first'], results);
  const first = results();
  expect([first.op, behind.op]).toEqual(['relu', 'max_pool2d']);
  expect(first.value).toEqual([
    [
      [
        [1, 3],
        [0, Number.NaN],
      ],
    ],
  ]);
  expect({ ...first, op: '' }).toEqual({ ...behind, op: '' });
});

test('keeps what was cut off from the gradient cut off', () => {
  const x = tensor(VALUES, { shape: [1, 1, 4, 4], requires_grad: true });
  const cut = noGrad(() => x.relu());
  expect(maxPool2d(cut, { kernel_size: 2 }).requires_grad).toBe(false);
});

test('does not compute again what was computed', () => {
  const x = tensor(VALUES, { shape: [1, 1, 4, 4] });
  const rectified = x.relu().realize();
  expect(maxPool2d(rectified, { kernel_size: 2 }).value.node.op.name).toBe('max_pool2d');
});
