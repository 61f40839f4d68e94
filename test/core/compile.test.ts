/** Every trap that replaying a recorded step can lay, each by its name. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  compile,
  engine as currentEngine,
  generatorState,
  manualSeed,
  nn,
  noGrad,
  optim,
  rand,
  setEngine,
  type Tensor,
  tensor,
  zeros,
} from '../../src/index.ts';
import { ENGINES } from './engines.ts';

const { Linear, Dropout, Sequential } = nn;
const leaf = (...values: number[]) => tensor(values, { requires_grad: true });
const quiet = () => {};

/** A step that adds one to `w` and returns nothing. */
const add = (w: Tensor): void => {
  noGrad(() => w.add_(1));
};

describe.each(ENGINES)('on %s', (_, engine) => {
  const before = currentEngine();
  beforeEach(() => setEngine(engine));
  afterEach(() => setEngine(before));

  describe('what changes between calls is read anew', () => {
    test('the learning rate', async () => {
      const w = leaf(1);
      const sgd = new optim.SGD([w], { lr: 1 });
      const step = compile(
        () => {
          sgd.zeroGrad();
          w.mul(2).sum().backward();
          sgd.step();
        },
        { state: [sgd] },
      );
      await step();
      expect(w.item()).toBe(-1);
      sgd.param_groups[0]!.lr = 0.25;
      await step();
      expect(w.item()).toBe(-1.5);
    });

    test('a captured tensor that was rebound', () => {
      const scale = tensor([2]);
      const f = compile((x: Tensor) => x.mul(scale));
      expect(f.sync(tensor([3])).item()).toBe(6);
      scale.fill_(10);
      expect(f.sync(tensor([3])).item()).toBe(30);
      scale.add_(1);
      expect(f.sync(tensor([3])).item()).toBe(33);
    });

    test('another tensor over the same value is not followed', () => {
      const scale = tensor([2]);
      const twin = scale.reshape([1]);
      const f = compile((x: Tensor) => x.mul(scale));
      f.sync(tensor([3]));
      twin.fill_(50);
      expect(f.sync(tensor([3])).item()).toBe(6);
    });

    test('a captured tensor that another compiled step updates', () => {
      const w = leaf(1);
      const update = compile(() => add(w), { state: [w] });
      const read = compile(() => w.mul(10));
      expect(read.sync().item()).toBe(10);
      update.sync();
      update.sync();
      expect(read.sync().item()).toBe(30);
    });

    test('state that was changed by hand', () => {
      const w = leaf(1);
      const step = compile(() => noGrad(() => w.mul_(3).mul(1)), { state: [w] });
      expect(step.sync().item()).toBe(3);
      noGrad(() => w.fill_(5));
      expect(step.sync().item()).toBe(15);
      expect(w.item()).toBe(15);
    });

    test("a momentum's first step, counted by the optimizer", () => {
      const history = (run: (step: () => void, sgd: optim.SGD) => () => void) => {
        const w = tensor([1], { dtype: 'float64', requires_grad: true });
        const sgd = new optim.SGD([w], { lr: 0.1, momentum: 0.5, dampening: 0.5 });
        const step = run(() => {
          sgd.zeroGrad();
          w.mul(w).sum().backward();
          sgd.step();
        }, sgd);
        return [0, 1, 2].map(() => {
          step();
          return w.item();
        });
      };
      const eager = history((step) => step);
      const compiled = history((step, sgd) => compile(step, { state: [sgd] }).sync);
      for (const [i, value] of eager.entries()) expect(compiled[i]).toBeCloseTo(value, 14);
    });

    test('module.eval(), when the module is part of the state', () => {
      const model = new Sequential([new Dropout({ p: 0.5 })]);
      const reasons: string[] = [];
      const f = compile((x: Tensor) => model.call(x), {
        state: [model],
        onRetrace: (reason) => reasons.push(reason),
      });
      manualSeed(0);
      const x = tensor(new Float32Array(64).fill(1));
      expect(f.sync(x).eq(0).sum().item()).toBeGreaterThan(0);
      model.eval();
      expect(f.sync(x).tolist()).toEqual(x.tolist());
      expect(reasons).toEqual(['compile(step) is traced again: modes ee requires_grad ']);
      model.train();
      expect(f.sync(x).eq(0).sum().item()).toBeGreaterThan(0);
      expect(reasons).toHaveLength(1);
    });

    test('module.eval(), when the module is only called', () => {
      const model = new Sequential([new Dropout({ p: 0.5 })]);
      const f = compile((x: Tensor) => model.call(x), { onRetrace: quiet });
      const x = tensor(new Float32Array(64).fill(1));
      f.sync(x);
      model.eval();
      expect(f.sync(x).tolist()).toEqual(x.tolist());
    });

    test('a parameter that is frozen', () => {
      const model = new Linear({ in_features: 1, out_features: 1, bias: false });
      const sgd = new optim.SGD(model.parameters(), { lr: 1 });
      const step = compile(
        (x: Tensor) => {
          sgd.zeroGrad();
          const loss = model.call(x).sum();
          if (loss.requires_grad) loss.backward();
          sgd.step();
          return loss;
        },
        { state: [model, sgd], onRetrace: quiet },
      );
      const x = tensor([[1]]);
      step.sync(x);
      const trained = model.weight.item();
      model.requires_grad_(false);
      step.sync(x);
      expect(model.weight.item()).toBe(trained);
    });
  });

  describe('random numbers', () => {
    test('differ at each call and equal the eager ones', () => {
      const draw = () => [rand([3]), rand([2])] as const;
      manualSeed(11);
      const eager = [0, 1, 2].map(() => draw().map((x) => x.tolist()));
      const state = generatorState();
      manualSeed(11);
      const step = compile(draw);
      const compiled = [0, 1, 2].map(() => step.sync().map((x) => x.tolist()));
      expect(compiled).toEqual(eager);
      expect(compiled[1]).not.toEqual(compiled[0]);
      expect(generatorState()).toEqual(state);
    });

    test('follow a seed that is set between calls', () => {
      const step = compile(() => rand([3]));
      manualSeed(1);
      const first = step.sync().tolist();
      manualSeed(2);
      expect(step.sync().tolist()).not.toEqual(first);
      manualSeed(1);
      expect(step.sync().tolist()).toEqual(first);
    });
  });

  describe('what cannot be replayed throws', () => {
    test.each([
      ['item', (x: Tensor) => x.item()],
      ['tolist', (x: Tensor) => x.tolist()],
      ['dataSync', (x: Tensor) => x.dataSync()],
      ['data', (x: Tensor) => x.data()],
      ['realize', (x: Tensor) => x.realize()],
    ])('reading by %s', (name, read) => {
      const f = compile((x: Tensor) => {
        read(x);
        return x;
      });
      expect(() => f.sync(tensor([1]))).toThrow(
        `[${name}] a value was read while step was being traced: inside compile() nothing is ` +
          'computed yet; return the tensor from the step and read it there',
      );
    });

    test('state that is not listed', () => {
      const w = leaf(1);
      const f = compile(() => add(w), { name: 'train' });
      expect(() => f.sync()).toThrow(
        '[train] the step updates a tensor of shape (1,) that is not in its state; pass it to ' +
          'compile(step, { state: [...] })',
      );
      expect(w.item()).toBe(1);
    });

    test('numbers as results', () => {
      const record = compile((x: Tensor) => ({ loss: x, count: 3 }) as never);
      expect(() => record.sync(tensor([1]))).toThrow(
        '[step] the step returns count which is not a Tensor; numbers would be frozen',
      );
      const plain = compile((() => 5) as never, { name: 'five' }) as unknown as { sync(): void };
      expect(() => plain.sync()).toThrow('[five] the step returns 5 which is not a Tensor');
    });

    test('an async step', () => {
      const f = compile((async () => tensor([1])) as never) as unknown as { sync(): void };
      expect(() => f.sync()).toThrow('[step] the step is async; it is traced, so it must not wait');
    });

    test('a compiled step inside another, also one that was called before', () => {
      const inner = compile((x: Tensor) => x.add(1), { name: 'inner' });
      const outer = compile((x: Tensor) => inner.sync(x), { name: 'outer' });
      const message = '[compile] inner was called inside outer: compiled steps do not nest';
      expect(() => outer.sync(tensor([1]))).toThrow(message);
      expect(inner.sync(tensor([1])).item()).toBe(2);
      expect(() => outer.sync(tensor([1]))).toThrow(message);
    });

    test('an argument that is not a tensor', () => {
      const f = compile((x: Tensor) => x);
      expect(() => f.sync(3 as never)).toThrow('[step] argument 0 is not a Tensor');
    });

    test('a graph over state that was overwritten since', () => {
      const w = leaf(1);
      const step = compile(() => add(w), { state: [w] });
      step.sync();
      const stale = w.mul(10);
      const read = w.mul(100).realize();
      step.sync();
      expect(() => stale.item()).toThrow(
        '[storage] a compiled step has overwritten a tensor that this value was still to be ' +
          'computed from; read the value before calling the step',
      );
      expect(read.item()).toBe(200);
      expect(w.mul(10).item()).toBe(30);
    });
  });

  describe('after a trace that threw', () => {
    test('tensors, gradients, steps and random numbers are as before', () => {
      const w = leaf(1);
      w.mul(7).sum().backward();
      const sgd = new optim.SGD([w], { lr: 1, momentum: 0.5 });
      const random = generatorState();
      const step = compile(
        () => {
          sgd.zeroGrad();
          w.mul(2).sum().backward();
          rand([2]);
          sgd.step();
          throw new Error('too late');
        },
        { state: [sgd] },
      );
      expect(() => step.sync()).toThrow('too late');
      expect([w.item(), w.grad!.item(), sgd.steps]).toEqual([1, 7, 0]);
      expect(generatorState()).toEqual(random);
      expect(w.add(1).item()).toBe(2);
    });

    test('the promise rejects instead of the call throwing', async () => {
      const f = compile(() => {
        throw new Error('inside');
      });
      const promise = f();
      await expect(promise).rejects.toThrow('inside');
    });
  });

  describe('gradients', () => {
    test('of a compiled step are not left behind', () => {
      const w = leaf(1);
      const step = compile(
        () => {
          w.mul(2).sum().backward();
          const gradient = w.grad!;
          noGrad(() => w.sub_(gradient));
          return gradient;
        },
        { state: [w] },
      );
      expect(step.sync().item()).toBe(2);
      expect(w.grad).toBeNull();
      expect([step.sync().item(), w.item()]).toEqual([2, -3]);
    });

    test('work eagerly after compiled steps', () => {
      const w = leaf(3);
      const step = compile(() => add(w), { state: [w] });
      step.sync();
      step.sync();
      w.mul(w).sum().backward();
      expect(w.grad!.item()).toBe(10);
      expect(w.is_leaf).toBe(true);
    });
  });

  describe('retracing', () => {
    test('tells which argument changed, and remembers earlier shapes', () => {
      const reasons: string[] = [];
      const f = compile((x: Tensor, y: Tensor) => x.sum().add(y.sum()), {
        name: 'total',
        onRetrace: (reason) => reasons.push(reason),
      });
      const y = zeros([2]);
      f.sync(zeros([3]), y);
      f.sync(zeros([3]), y);
      f.sync(zeros([4]), y);
      f.sync(zeros([3]), y);
      f.sync(zeros([4], { dtype: 'float64' }), y);
      expect(reasons).toEqual([
        'compile(total) is traced again: argument 0: float32 (4,)',
        'compile(total) is traced again: argument 0: float64 (4,)',
      ]);
    });

    test('happens when an option of the optimizer changes', () => {
      const w = leaf(1);
      const sgd = new optim.SGD([w], { lr: 1 });
      const reasons: string[] = [];
      const step = compile(
        () => {
          sgd.zeroGrad();
          w.mul(2).sum().backward();
          sgd.step();
        },
        { state: [sgd], onRetrace: (reason) => reasons.push(reason) },
      );
      step.sync();
      sgd.param_groups[0]!.maximize = true;
      step.sync();
      expect(w.item()).toBe(1);
      expect(reasons).toHaveLength(1);
      expect(reasons[0]).toContain('"maximize",true');
    });
  });

  describe('arguments and results', () => {
    test('every kind of result comes back in its shape', () => {
      const x = tensor([2]);
      expect(compile(() => undefined).sync()).toBeUndefined();
      expect(
        compile((a: Tensor) => a.mul(2))
          .sync(x)
          .item(),
      ).toBe(4);
      const [p, q] = compile((a: Tensor) => [a, a.add(1)] as const).sync(x);
      expect([p!.item(), q!.item()]).toEqual([2, 3]);
      const { loss, twice } = compile((a: Tensor) => ({ loss: a, twice: a.add(a) })).sync(x);
      expect([loss.item(), twice.item()]).toEqual([2, 4]);
    });

    test('an argument, a captured tensor, state or one tensor twice may be returned', () => {
      const x = tensor([2]);
      const captured = tensor([5]);
      const w = leaf(1);
      const f = compile(
        (a: Tensor) => {
          const y = a.mul(3);
          noGrad(() => w.add_(1));
          return [a, captured, w, y, y] as const;
        },
        { state: [w] },
      );
      const results = f.sync(x).map((result) => result.item());
      expect(results).toEqual([2, 5, 2, 6, 6]);
      expect(f.sync(x)[2].item()).toBe(3);
    });

    test('results are buffers of their own: a later call leaves them alone', () => {
      const w = leaf(0);
      const f = compile(() => noGrad(() => w.add_(1).mul(1)), { state: [w] });
      const results = [f.sync(), f.sync(), f.sync()];
      expect(results.map((result) => result.item())).toEqual([1, 2, 3]);
    });

    test('lazy arguments are computed first, and one tensor may be given twice', () => {
      const f = compile((a: Tensor, b: Tensor) => a.mul(b));
      const lazy = tensor([3]).add(1);
      expect(f.sync(lazy, lazy).item()).toBe(16);
    });

    test('state tensors may change places', () => {
      const [a, b] = [tensor([1, 2]), tensor([3, 4])];
      const swap = compile(
        () => {
          const old = a.detach();
          a.copy_(b);
          b.copy_(old);
        },
        { state: [a, b] },
      );
      swap.sync();
      expect([a.tolist(), b.tolist()]).toEqual([
        [3, 4],
        [1, 2],
      ]);
      swap.sync();
      expect([a.tolist(), b.tolist()]).toEqual([
        [1, 2],
        [3, 4],
      ]);
    });

    test('calls that are not awaited run in order', async () => {
      const w = leaf(1);
      const f = compile((x: Tensor) => noGrad(() => w.mul_(2).add_(x).mul(1)), { state: [w] });
      const results = await Promise.all([1, 2, 3].map((x) => f(tensor([x]))));
      expect(results.map((result) => result.item())).toEqual([3, 8, 19]);
      expect(w.item()).toBe(19);
    });

    test('inspect shows the Program without running it', () => {
      const f = compile((x: Tensor) => x.mul(2).add(1));
      const { program, memory, plan } = f.inspect(tensor([1, 2]));
      expect(program).toContain('pointwise[const mul const add]');
      expect(memory.binding_bytes).toBe(16);
      expect(plan).not.toBe('');
    });

    test('after dispose the step is traced again', () => {
      const f = compile((x: Tensor) => x.mul(2));
      f.sync(tensor([1]));
      f.dispose();
      expect(f.sync(tensor([4])).item()).toBe(8);
    });
  });

  test('a whole training equals the eager one, number by number', () => {
    const train = (compiled: boolean): number[] => {
      manualSeed(3);
      const model = new Sequential([
        new Linear({ in_features: 4, out_features: 8 }),
        new nn.Tanh(),
        new Dropout({ p: 0.25 }),
        new Linear({ in_features: 8, out_features: 3 }),
      ]);
      const sgd = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, weight_decay: 0.01 });
      const loss = new nn.CrossEntropyLoss({ label_smoothing: 0.1 });
      const once = (x: Tensor, y: Tensor) => {
        sgd.zeroGrad();
        const value = loss.call(model.call(x), y);
        value.backward();
        sgd.step();
        return value;
      };
      const step = compiled ? compile(once, { state: [model, sgd] }).sync : once;
      const y = tensor([0, 1, 2, 1, 0], { dtype: 'int64' });
      return [0, 1, 2, 3, 4].map(() => step(rand([5, 4]), y).item());
    };
    const eager = train(false);
    const compiled = train(true);
    for (const [i, value] of eager.entries()) expect(compiled[i]).toBeCloseTo(value, 5);
    expect(eager[4]).not.toBe(eager[0]);
  });
});
