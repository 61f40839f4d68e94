/** GradScaler: what it does to gradients and steps, and how its scale follows. */

import { describe, expect, test } from 'vitest';
import { ArgumentError, DTypeError } from '../../src/base/errors.ts';
import { amp, compile, matmul, nn, optim, type Tensor, tensor } from '../../src/index.ts';

const { GradScaler, autocast } = amp;

function parameter(values: number[]): Tensor {
  return tensor(values, { requires_grad: true });
}

/** One iteration of a loss that is `factor` times the sum of x. */
function iterate(scaler: amp.GradScaler, x: Tensor, optimizer: optim.Optimizer, factor: number) {
  optimizer.zeroGrad();
  scaler.scale(x.mul(factor).sum()).backward();
  scaler.step(optimizer);
  scaler.update();
}

test('gradients are those of the unscaled loss, and the step is taken with them', () => {
  const x = parameter([1, 2]);
  const optimizer = new optim.SGD([x], { lr: 0.5 });
  const scaler = new GradScaler({ init_scale: 1024 });
  scaler.scale(x.mul(tensor([3, -1])).sum()).backward();
  expect(x.grad!.tolist()).toEqual([3072, -1024]);
  scaler.unscale_(optimizer);
  expect(x.grad!.tolist()).toEqual([3, -1]);
  scaler.step(optimizer);
  expect(x.tolist()).toEqual([-0.5, 2.5]);
});

test('a list of losses is scaled one by one', () => {
  const [a, b] = new GradScaler({ init_scale: 4 }).scale([tensor([1, 2]), tensor(3)]);
  expect([a!.tolist(), b!.tolist()]).toEqual([[4, 8], 12]);
});

test('a loss in float16 is scaled in float32, where 2^16 has a place', () => {
  const scaled = new GradScaler().scale(tensor(2, { dtype: 'float16' }));
  expect([scaled.dtype, scaled.item()]).toEqual(['float32', 2 ** 17]);
});

test('a step with an infinite gradient is left out, state and all, and the scale shrinks', () => {
  const x = parameter([1, 2]);
  const y = parameter([1]);
  const optimizer = new optim.SGD([x, y], { lr: 0.5, momentum: 0.9 });
  const scaler = new GradScaler({ init_scale: 8, growth_interval: 2 });
  optimizer.zeroGrad();
  scaler
    .scale(
      x
        .mul(tensor([1, Infinity]))
        .sum()
        .add(y.sum()),
    )
    .backward();
  scaler.step(optimizer);
  scaler.update();
  expect([x.tolist(), y.tolist(), optimizer.stepsOf(y)]).toEqual([[1, 2], [1], 0]);
  expect(scaler.getScale()).toBe(4);
});

test('the scale grows after enough good steps in a row', () => {
  const x = parameter([1]);
  const optimizer = new optim.SGD([x], { lr: 0 });
  const scaler = new GradScaler({ init_scale: 8, growth_interval: 2, growth_factor: 4 });
  const scales = [1, NaN, 1, 1, 1].map((factor) => {
    iterate(scaler, x, optimizer, factor);
    return scaler.getScale();
  });
  expect(scales).toEqual([8, 4, 4, 16, 16]);
  expect(scaler.stateDict()._growth_tracker).toBe(1);
});

test('the scale stays finite', () => {
  const x = parameter([1]);
  const optimizer = new optim.SGD([x], { lr: 0 });
  const scaler = new GradScaler({ init_scale: 2 ** 127, growth_interval: 1 });
  iterate(scaler, x, optimizer, 2 ** -10);
  expect(scaler.getScale()).toBe(2 ** 127);
});

test('update can set the scale, which a state dict carries on', () => {
  const scaler = new GradScaler({ growth_interval: 3 });
  scaler.update(32);
  const other = new GradScaler();
  other.loadStateDict(scaler.stateDict());
  expect(other.stateDict()).toEqual({
    scale: 32,
    growth_factor: 2,
    backoff_factor: 0.5,
    growth_interval: 3,
    _growth_tracker: 0,
  });
  expect(() => other.loadStateDict({})).toThrow(
    '[GradScaler] the state has no scale, growth_factor',
  );
});

test('disabled, it does nothing of its own', () => {
  const x = parameter([1]);
  const optimizer = new optim.SGD([x], { lr: 1 });
  const scaler = new GradScaler({ enabled: false });
  iterate(scaler, x, optimizer, 2);
  expect(x.tolist()).toEqual([-1]);
  expect([scaler.isEnabled(), scaler.getScale(), scaler.stateDict()]).toEqual([false, 1, {}]);
});

describe('refused is', () => {
  const ready = () => {
    const x = parameter([1]);
    const optimizer = new optim.SGD([x], { lr: 1 });
    const scaler = new GradScaler();
    scaler.scale(x.sum()).backward();
    return { x, optimizer, scaler };
  };

  test('what comes in the wrong order', () => {
    const { optimizer, scaler } = ready();
    expect(() => scaler.update()).toThrow(
      '[GradScaler] update() without unscale_() or step() before it',
    );
    scaler.unscale_(optimizer);
    expect(() => scaler.unscale_(optimizer)).toThrow(
      'unscale_() has been called on this optimizer',
    );
    scaler.step(optimizer);
    expect(() => scaler.unscale_(optimizer)).toThrow('unscale_() is called after step()');
    expect(() => scaler.step(optimizer)).toThrow('step() has been called since the last update()');
  });

  test('an optimizer without gradients', () => {
    const { optimizer, scaler } = ready();
    optimizer.zeroGrad();
    expect(() => scaler.step(optimizer)).toThrow(ArgumentError);
    expect(() => scaler.step(optimizer)).toThrow('no parameter of the optimizer has a gradient');
  });

  test('a gradient in float16', () => {
    const x = tensor([1], { dtype: 'float16', requires_grad: true });
    x.sum().backward();
    const step = () => new GradScaler().step(new optim.SGD([x], { lr: 1 }));
    expect(step).toThrow(DTypeError);
    expect(step).toThrow('[GradScaler] gradients in float16 cannot be unscaled');
  });

  test('a compiled step', () => {
    const { x, optimizer, scaler } = ready();
    const step = compile(
      () => {
        scaler.scale(x.sum()).backward();
        scaler.step(optimizer);
        return x.sum();
      },
      { state: [optimizer] },
    );
    expect(() => step.sync()).toThrow('a step that may be left out cannot be compiled');
  });

  test('a factor on the wrong side of 1', () => {
    expect(() => new GradScaler({ growth_factor: 1 })).toThrow(
      'growth_factor must be above 1, got 1',
    );
    expect(() => new GradScaler({ backoff_factor: 1 })).toThrow(
      'backoff_factor must be below 1, got 1',
    );
  });
});

test('small gradients survive float16 with it, and not without', () => {
  const gradientWith = (scaler: amp.GradScaler) => {
    const layer = new nn.Linear({ in_features: 2, out_features: 1, bias: false });
    const x = tensor([[2 ** -14, 2 ** -15]]);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0 });
    const y = autocast(() => matmul(x, layer.weight.t()), { dtype: 'float16' });
    scaler
      .scale(
        y
          .float()
          .mul(2 ** -13)
          .sum(),
      )
      .backward();
    scaler.unscale_(optimizer);
    return layer.weight.grad!.tolist();
  };
  expect(gradientWith(new GradScaler())).toEqual([[2 ** -27, 2 ** -28]]);
  expect(gradientWith(new GradScaler({ enabled: false }))).toEqual([[0, 0]]);
});
