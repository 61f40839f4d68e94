/** What cannot be replayed is refused, and leaves nothing behind. */

import { describe, expect, test } from 'vitest';
import {
  compile,
  generatorState,
  noGrad,
  optim,
  rand,
  type Tensor,
  tensor,
} from '../../src/index.ts';
import { ENGINES, useEngine } from './engines.ts';

const leaf = (...values: number[]) => tensor(values, { requires_grad: true });

/** A step that adds one to `w` and returns nothing. */
const add = (w: Tensor): void => {
  noGrad(() => w.add_(1));
};

describe.each(ENGINES)('on %s', (_, engine) => {
  useEngine(engine);

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

    test('state that is given as an argument too', () => {
      const w = leaf(1);
      const f = compile((x: Tensor) => add(x), { state: [w], name: 'train' });
      expect(() => f.sync(w)).toThrow(
        "[train] argument 0 is part of the step's state; the step reads it without being given it",
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
      expect([w.item(), w.grad!.item(), sgd.stepsOf(w)]).toEqual([1, 7, 0]);
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
});
